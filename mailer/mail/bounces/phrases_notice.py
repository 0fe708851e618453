"""The words by which mail systems' notices are known: of failure, of delay, of having given up; and where they end."""

from __future__ import annotations

from mailer.mail.bounces.phrase_matcher import PhraseMatcher

NOTICE_OPENINGS = PhraseMatcher(
    [
        """
this is the qmail send program
this is the ~ program at host
this is the mail system at host
this is the mailer daemon
this is the dragonfly mail agent
this is the postfix
this is the machine generated
this is an automatically generated|created ~ delivery status
this is a delivery status notification
this is an automat* ~ message|notification ~ mail|delivery
message from interscan
message was created automatically by ~ mail|delivery
message created automatically by
created automatically by ~ server
this report relates to a message you sent
this is an informative message sent by
had permanent fatal errors
had delivery errors|problems
had transient non fatal errors
transcript of session follows
unsent message
failed addresses follow
failure reasons
failed recipient*
failed to deliver
error ~ while ~ deliver*
error delivering
an error has occurred while
delivery ~ failed|failure|failing|delayed|unsuccessful|error|impossible|problem*
delivery to the following
delivery status notification
deliver|delivered ~ returned|bounced
undeliver*
non delivery|delivered
nondeliver*
could|can not ~ be|get deliver*
could|cannot ~ be delivered|sent|forwarded
couldnt ~ be delivered
cannot be|deliver delivered
cannot deliver
cant deliver
was|were|been not delivered
was|were|been ~ undeliverable
wasnt|werent ~ delivered|able
not ~ able to deliver
unable to deliver|send|forward
did not|didnt reach
could not reach
couldnt deliver
has been|was returned|rejected|blocked|bounced
been unable to
not been delivered
no such user here
mailbox exceeds allowed size
unknown user
user unknown
message ~ undelivered
returned ~ mail|message|sender
returning message
mail ~ returned
recipients ~ not reached
rejected ~ recipient
the following recipients|recipient|addresses|address|address
transfer ~ failed
was not ~ sent
problem delivering
wurde nicht zugestellt
nicht|nie ~ zugestellt|zugestellbar|ausgeliefert|erreicht
unzustellbar*
konnte|konnten ~ nicht ~ zugestellt|übermittelt|ausgeliefert|gesendet
zustellung ~ fehlgeschlagen|nicht|gescheitert
n|pu a ~ pas|pu ~ remis|distribué|délivré|livré|envoyé
pas pu être ~ remis|distribué|délivré|livré|envoyé
na pas ~ remis|distribué|délivré
échec ~ remise|livraison|distribution
non remis
no ~ se|ha|pudo ~ entregar|entregado|entregarse
no se ha podido entregar
error ~ entrega
impossibile ~ consegnare|recapitare
non ~ stato ~ recapitato|consegnato|possibile
mancato recapito
recapito ~ non
não ~ foi|pôde|entregue
não ~ entregue|entregar
falha ~ entrega
kon|kan niet ~ bezorgd|afgeleverd|worden
niet ~ bezorgd|afgeleverd
nie ~ dostarczon*|doręczon*
nie można dostarczyć
teslim ~ edilemedi|edilemiyor
iletilemedi
kunde inte ~ levereras
kunne ikke ~ leveres
nelze doručit
nebyl* doruč*
не ~ доставлен*
не ~ может ~ доставлен*
недоставлен*
ошибка ~ доставк*
配信できません
配送できません
送信できません
届けることができません
エラー
配信されませんでした
退信
无法投递
未能送达
投递失败
無法傳遞
google groups
"""
    ]
)
"""Anything that a notice of failure or delay says somewhere. Mail systems differ, their words less."""

DELAY_PHRASES = PhraseMatcher(
    [
        """
warning message only
has been|is delayed
been|is|was temporarily|currently delayed|deferred
delivery ~ delayed
delayed mail|delivery
delay ~ notification
delayed ~ will|still
delayed for ~ than
delivery status notification delay
delivery delayed
mail delayed
still ~ trying|retried|tried|queued|queue
will ~ be retried|resent|continue|keep
will ~ keep|continue ~ trying|try
will ~ retry
will try again
do not need|have to re|resend
no action is required
not yet been|be
not been delivered yet
could not send|deliver message|mail for past
could not be delivered for ~ hours
temporary failure report
only a temporary
delivery attempts will continue
attempts to deliver ~ continue
had transient non fatal errors
has not been delivered ~ yet
verzöger*
wird weiterhin|weiter versucht
bisher|noch nicht zugestellt
retard* ~ message|remise|livraison
différé*
retrasad*|demorad*
in ritardo|attesa
atrasad*
vertraagd
opóźnion*
gecik*
задерж*
遅延
延遲
"""
    ]
)
"""Where a letter is late; not where the same notice says that all is over."""

GIVEN_UP_PHRASES = PhraseMatcher(
    [
        """
given up
giving up
gave up
permanent|permanently ?fatal errors|error|failure|failed|failures
failed permanently
cannot send message for|within
could not be delivered within|after
not going to try again
will not be retried|tried
no further attempts
delivery has failed
final notice
endgültig
définitive*
expired
has not been sent
"""
    ]
)

RETURNED_LETTER_OPENINGS = PhraseMatcher(
    [
        """
the|this|here ?is ?is ?a ?the ?your copy of
below is a|the copy
included is a copy
enclosed is ~ copy
a copy of the|your
copy of ?the ?your ?original message
original|returned|unsent|rejected|failed|undelivered|bounced message|mail|email|messages follows|follow|was
original|returned|unsent|rejected|failed|undelivered message|mail|email|messages header|headers|text|attached|below
the|your|this|le original|returned|unsent|undelivered message|mail|email follows|header|headers|was|text|is
original|returned|unsent|undelivered message|mail|email $
original mail as follows
message header|headers follow|follows|is
message header|headers $
message text|body|contents follow|follows|is
headers of ?the ?your original|message
header of ?the ?your original|message
the header of the original
the first|following # lines|bytes
the text|contents of your|the ?original message
text of ?your ?the original|message
below this line
begin|start of ?the ?original|returned message
nachrichtenkopf
ursprüngliche nachricht|mail
ursprünglichen nachricht
es folgt ~ nachricht
message d origine
message original
mensaje original
messaggio originale
oorspronkelijk bericht
original nachricht
"""
    ]
)
"""From such a line on it is the letter that is returned."""
