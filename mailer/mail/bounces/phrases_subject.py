"""The subjects of mail systems' notices, and those that only people write."""

from __future__ import annotations

import re

from mailer.mail.bounces.phrase_matcher import PhraseMatcher

NOTICE_SUBJECTS = PhraseMatcher(
    [
        """
undeliver*
un deliverable
non deliverable|delivery
nondeliver*
ndn
mail|email|message|messages ?system could|delivery|failed|failure|error|not|status|returned|bounced|rejected|delayed
mail|email|message|messages has|was|wasnt|could ~ not|returned|rejected|delayed
e mail could|delivery|failed|failure|not|returned
mail delivery
delivery status|failure|failed|notification|report|error|delayed|problem|unsuccessful|incomplete|delay
delivery has|unsuccessful|of your
failed mail|delivery|message|to|permanently
failure notice|delivery|notification|sending|report
returned mail|email|message|to
returning mail|message|your
rejected mail|message
bounced|bounce mail|message|email|action|notification
notice mail
your ?e mail|message|email to|could|was|has|couldnt|cannot|did|cant
your mail to
warning message|could|mail|delay|delivery
could not|couldnt deliver|send
cannot|cant send|deliver
delayed mail|delivery|message
permanent delivery|error|failure
error delivering|sending|notification|mail
trouble|problem|error ~ delivering|sending|mail
postmaster notify
user unknown
unknown user|recipient|address
mailbox full|unavailable|exceed*
automatically rejected
delivery notification
sorry your message
permanent failure
unzustellbar*
zustell*
nicht zugestellt|zustellbar
fehler bei|beim
mail fehler
non remis
non ~ distribué
échec ~ remise|distribution|livraison
rapport de non
avis de ~ remise|remis
no se puede ~ entregar
no se ha podido
no se pudo
mensaje ~ no ~ entregado|entregar
error ~ entrega
mancato|mancata recapito|consegna
notifica ~ recapito|consegna
impossibile recapitare|consegnare
falha ~ entrega
não ~ entregue|entregar|entregável
niet bestelbaar|afgeleverd|bezorgd
onbestelbaar*
nie ~ dostarczon*
niedostarcz*
iletilemedi
teslim edilemedi
olevererbar*
kan ikke leveres
nedoručiteln*
недоставлен*
не доставлено|доставлена
mail failure
ошибк* доставк*
配信不能
配達できません
配信できません
退信
无法投递
系统退信
"""
    ]
)
"""The subjects that mail systems give to their notices."""
REPLY_SUBJECT = re.compile(
    r"\s*(?:re|aw|sv|antw|fwd?|wg|tr|rv|r|i|ynt|odp|vs|回复|转发)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
"""A person's answer, or a mail passed on."""
