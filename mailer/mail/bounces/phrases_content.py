"""How the mail systems of the world say that a letter is too long, or what is in it that they do not take."""

CONTENT_PHRASES = """
message ?was ?because content
content rejected|policy|filter*|blocked|denied
because ?of its content
its content presents
virus
viruses
malware
infected
phishing
trojan
attachment|attachments ?type ?is|are blocked|rejected|allowed|forbidden|type|permitted|infected|prohibited|not|denied
blocked|rejected|prohibited|forbidden|unsafe|dangerous|executable|illegal ~ attachment|attachments
attachment|attachments ~ not ~ allowed|permitted|accepted
uribl
surbl
url|urls|uri|link|links in
blacklisted|forbidden|banned url|urls|link|uri
duplicate header
header error
missing header|message|from|date
multiple ~ from header
bare lf|cr|line
line ~ too long
lone cr|lf
mcspamsignature
scored as spam
virus gefunden|erkannt
"""

SPAM_PHRASES = """
spam
spammy
spams
antispam
junk mail
unsolicited
ube
uce
spamassassin
bulk mail
considered|looks|classified|detected|identified|flagged ~ spam|junk|unsolicited
message ?was ?has ?been rejected|refused|blocked ~ content|filter|spam|administrator
message refused
mail refused
suspicious
not rfc|compliant
rfc 5322|2822|822
malformed
invalid ~ header|message|mime
header* ~ missing|invalid|malformed|not
mime ~ error|invalid|malformed
8bit|8bitmime|smtputf8 ~ not|required
conversion ~ required|prohibited|failed
media ~ not supported
text command
rejete
spam|werbung erkannt
mail rejete
"""

TOO_LARGE_PHRASES = """
message|mail|size|letter ~ too large|big|long
message|mail|letter ~ size ~ exceed*|limit|larger|greater|over
message ~ exceed* ~ size|maximum|limit|length
size ~ exceed* ~ limit|maximum|size|fixed|administrative
exceed* ~ message|maximum|fixed|size ~ size|limit
exceed* ~ size|length ~ limit|message|allowed
message|mail length exceed*
too large
size limit exceed*
larger than ~ limit|maximum|current|allowed
mail size limit
message too big
routing restriction ~ size
recipsizelimit
sizelimit
nachricht ~ zu groß
message ~ trop ~ volumineux|grand|gros
mensaje ~ demasiado grande
messaggio ~ troppo grande
mensagem ~ muito grande
письмо ~ слишком ~ велико|большое
"""
