"""How the mail systems of the world say that a mailbox is full, closed, gone, moved, or not for everybody."""

FULL_PHRASES = """
mailbox|inbox|user|users|account|recipient|recipients|disk|storage|folder|store ~ full $
mailbox|inbox|account|mailfolder ?is|has ?almost full
mailbox|inbox ~ full
mailboxfull
mail box ~ full
is full
box full
over ?its ?the ?his ?their ?disk|storage|mailbox|allowed quota|overquota
overquota
over quota
exhausted ~ storage|space|quota
full mailbox
reached ~ quota
quota ~ exceed*|full|reached|violation|violated
quotaexceeded
exceed* ~ quota
exceed* ~ mailbox|storage|inbox ~ limit|size|capacity
exceed* storage allocation
mailbox|inbox|storage|account ~ exceed* ~ size|limit|quota|space|capacity|allowed
mailbox|storage ~ limit ~ exceed*|reached
insufficient ~ disk|storage|mailbox ~ space|quota
insufficient system storage
not enough ~ space|storage|room|quota
no ~ space|room ~ left|mailbox
out of ~ space|storage|quota
too many messages ~ mailbox|inbox|maildrop
maildir ~ overdrawn
too much mail data
receiver ~ space
mail drop ~ full
message count limit
user ~ too many messages
has too much
inbox ~ out of storage
quota exceeded
resolver rst recipsizelimit
mailboxes ~ are full
account is temporarily over
would be over quota
keinen speicherplatz
postfach ~ voll
mailbox ~ voll
empfängerpostfach ~ voll
quota ~ überschritten
kontingent ~ überschritten|erschöpft
speicher* ~ voll|überschritten|erschöpft
boîte ~ pleine
boite ~ pleine
quota ~ dépassé|atteint
espace ~ insuffisant
dépasse* ~ quota
buzón ~ lleno|llena
bandeja ~ llena
cuota ~ excedid*|superad*
casella ~ piena
quota ~ superat*
spazio ~ esaurito
caixa ~ cheia
cota|quota ~ excedid*
postvak|postbus|mailbox ~ vol
skrzynka ~ pełna|przepełniona
posta kutusu ~ dolu|doldu
kota* ~ aşıldı|doldu
postlåda* ~ full
schránka ~ plná
ящик ~ переполнен|полон
ящик* ~ переполнен*
превышен* ~ квот*
квот* ~ превышен*
メールボックスがいっぱい
容量を超え
容量オーバー
邮箱已满
邮箱空间不足
信箱已滿
용량 초과
"""

MOVED_PHRASES = """
user|recipient|mailbox|address|account ?has moved
no longer on server
has moved to
has been moved to
please use ?the ?new address
user not local please try
address ~ has|was changed
mailbox ~ migrated
new ?email address is
unzustellbar verzogen
"""

PERMANENTLY_DISABLED_PHRASES = """
disabled|blocked|closed|deactivated|suspended permanently
permanently disabled|blocked|closed|deactivated|deleted|removed|suspended
"""
"""For ever, whatever else is said."""

DELETED_PHRASES = """
account|mailbox|user|address|recipient ~ discontinued|deleted|closed|terminated|expired|removed|cancelled|canceled
account|mailbox|user|address|recipient ~ deactivated|decommissioned|retired
account|mailbox ~ no longer ~ active|available|valid|exist*|use
no longer ~ active|valid|exist*|available|employed|works|with|accept*|use
is no longer
mailbox|account|user|address ~ left ~ company|organization|organisation
deactivated|discontinued|terminated|deleted|closed mailbox|account|user|recipient
we no longer have
konto|postfach ~ gelöscht|gekündigt|geschlossen
compte ~ supprimé|fermé|résilié
cuenta ~ cancelada|eliminada|cerrada
conta ~ cancelada|encerrada
ящик ~ удален*
"""

SUSPENDED_PHRASES = """
disabled or discontinued
mailbox|account|user|recipient|address|inbox ~ disabled|suspended|inactive|locked|frozen|blocked
mailbox|account|user|recipient|address ~ not active|activated|enabled
mailbox|account ~ hold
disabled|suspended|inactive|frozen|locked ?or ?e ?mail mailbox|account|user|recipient|address
disabled ~ recipient|mailbox|account
temporarily ~ disabled|suspended
mailbox|account|user|recipient|inbox ~ temporarily ~ unavailable|closed|blocked|locked
account that you tried to reach is disabled|inactive
user|account|mailbox is|has|currently ?been ?temporarily unavailable|suspended
not accepting ?any ?new messages|mail
currently not accepting|receiving
mailbox ~ not ~ accepting|receiving
konto|postfach ~ gesperrt|deaktiviert|inaktiv
compte ~ désactivé|suspendu|bloqué
boîte ~ désactivée|suspendue
cuenta ~ suspendida|desactivada|deshabilitada|bloqueada
casella|utenza|account ~ disabilitata|sospesa|bloccata|disattivata
conta ~ suspensa|desativada|bloqueada|inativa
konto ~ zablokowane|nieaktywne
hesap ~ askıya|kapatıldı
ящик|аккаунт ~ заблокирован|отключен|неактивен
"""

RESTRICTED_PHRASES = """
resolver rst authrequired
resolver rst notauthorized
resolver rst
recipient preferences
recipient|user ~ not|wont|doesnt ~ accept ~ from
to post|send|write to this|the|that|these
user|recipient|mailbox refuses|rejects ~ sender|message|mail|messages
recipient|user|addressee has ~ blocked|rejected|refused ~ you|sender|your
google groups
groups google com
recipient* ~ restrict*
only ~ accepts ~ from
sender ~ not ~ allowed|authorized ~ recipient|group|list
not authenticated for this
senders are allowed to send
you are not allowed to post
not ~ member of ~ list|group
posting ~ not allowed
group ~ moderat*
"""
