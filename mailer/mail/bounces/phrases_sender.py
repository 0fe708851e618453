"""How the mail systems of the world refuse a sender: its address, pace, place, proofs, standing, and their policies."""

SENDER_PHRASES = """
sender|mailfrom|from ?address ?domain ?is rejected|refused|denied|blocked|listed|unknown|invalid
sender|mailfrom|from ?address ?domain ?is not allowed|accepted|owned|permitted|exist|verified
mail from ?address ?domain ?is rejected|refused|denied|blocked|listed|unknown|invalid|not
mail ?was rejected|refused from
unroutable|unrouteable|invalid|bad|unknown|unverified|verified|valid|illegal|forged sender
unroutable|unrouteable|invalid|bad|unknown|unverified|verified|valid|illegal return path
domain of sender
senders domain ~ not|does|doesnt
sender domain ~ not exist|found|resolve
not ?a verified
verify ?the sender
my|your ?own ?host ?server name|hostname ~ rejected|refused|denied|invalid|unacceptable
my|your ?own ?host ?server name|hostname ~ not ~ accepted|allowed|valid|acceptable
helo|ehlo ~ name|hostname|argument|parameter ~ rejected|refused|denied|invalid|accepted
sender identity|signature|verif*|doesnt
sender does not
sender callout|verify
return path ~ does|not|invalid
bogus mail from
invalid mailfrom
domain ~ sender address ~ resolve|exist
mailfrom ?domain is listed
backscatter
absender* ~ abgelehnt|ungültig|gesperrt
adresse ~ expéditeur ~ refusée|rejetée
"""

SENDING_QUOTA_PHRASES = """
sender|sending|daily|hourly|rate ~ quota|limit ~ exceed*|reached
quota|limit of|for ?the send*
exceed* ~ per minute|hour|day
exceed* ~ sending|sender|daily|hourly|rate quota|limit
exceed* ~ sending|sender|daily|hourly|rate ~ quota|limit
exceed* the max ~ per
rate limit*
ratelimit*
sending ~ too fast|many|quickly
sends ~ too many
sent ?to too many|much
exceed* ?the max* ?number ~ per minute|hour|day
exceed* ?the max* ?number of recipients|messages|emails|mails
too many invalid|unknown|bad recipients|addresses
"""
"""Whatever else is said."""

RATE_LIMIT_PHRASES = """
too many ~ connections|sessions|messages|recipients|emails|mails|connects
too much mail
too ~ fast
throttl*
slow down
unusual rate
unusually ~ volume|rate
connection ~ limit|rate
concurren* ~ limit|connections
connections ~ from ~ exceed*|limit|allowed
deferred due to ~ user complaints|unexpected volume|traffic
maximum ~ connections
trop de connexions
trop de ~ message*|connexions
zu viele ~ verbindungen|nachrichten|empfänger
"""

RELAY_DENIED_PHRASES = """
relay|relaying|relayed ~ denied|prohibited|permitted|allowed|disabled|not|refused|rejected
relay|relaying access
no|not|cannot|insecure|unable ~ relay|relaying|relayed
we do not|dont relay
allowed rcpthosts
rcpthosts
open relay
relay ~ denied
this is not a relay
relay ist|wurde ~ verboten|nicht
relais|relayage ~ refusé|interdit
user ~ not local ~ relay
"""

SENDER_AUTHENTICATION_PHRASES = """
spf
dkim
dmarc
purported responsible
ptr
rdns
reverse dns|lookup|resolution|address|hostname|mapping|pointer
without ~ reverse
fcrdns
mismatches client
client|sending|sender|source ~ hostname ~ not|rejected|lookup|missing|resolve
cannot|could ?not find ~ hostname|reverse
cannot|cant resolve ~ hostname|client|ip
ip|client ~ does not|doesnt resolve
no ~ ptr|dns ~ record
helo|ehlo ?command ?name rejected|invalid|denied|not|must|does
bad|invalid|forged|bogus helo|ehlo
valid ~ helo|ehlo
server of your isp
smtp server of ~ isp|provider
invalid dns mx
authentication information
authentication ~ checks ~ fail*|pass
unauthenticated
must issue a starttls
starttls ~ required|first
tls ~ required
encryption ~ required|needed
sender id
domainkeys
sender ~ not ~ match
"""

SMTP_AUTHENTICATION_PHRASES = """
authentication ?is ?not required|failed|needed|enabled
auth required|first
must|please|first ?first authenticate|login
must|please ?first log in
not authenticated
unauthori*
un authori*
not authori*
access denied
not allowed|permitted to send|use|submit|connect
your ~ account|credentials|password
not logged in
pop before smtp
smtp auth*
"""

BLOCKED_PHRASES = """
black|block|deny ?ed list*
blacklist*|blocklist*|denylist*|dnsbl|rbl|rbls|dnswl|drbl
blocked using|by|from|at|because|due|for
blocked|banned|denied ~ ip|host|server|network|address|sender|domain|mail|email
banned ?sending
reputation
badreputation
spamhaus|spamcop|sorbs|barracuda|barracudacentral|proofpoint|uceprotect|abuseat|cloudmark|senderscore|senderbase
spamrats|invaluement|manitu|mailspike|njabl|trustedsource|ironport|zen|sbl|pbl|xbl|cbl|trendmicro|symantec|nixspam
client|sending|source ~ host|ip|network|server|hostname|address
ip|network|domain ?address ~ rejected|refused|blocked|banned|denied|limited|listed|suspicious
host|server ~ blocked|banned|denied|listed|limited
your ~ ip|host|hostname|network|server|domain|reputation|mta
your ~ access ~ rejected|denied|blocked
ip #
mail|email|messages|connection|connections|mails ?coming from ~ rejected|refused|blocked|sent|accepted|denied
messages|mail from ~ werent
dynamic ~ ip|address|pool|range|host
dialup|dial
listed in|at|on|by
is listed
on our ~ list
in our ~ blacklist|block|list
poor|bad|low ~ score
user complaints
closed ~ spam
delisting|delist
removal from this list
unblock
connection|connections ~ refused ~ policy|reputation|spam
refused ~ your ~ connection
you are ~ blocked|blacklisted|banned|not
adresse ip ~ bloquée|blacklistée
blockiert|gesperrt ~ ip
service refuse
refused to talk to me ~ block*|denied|policy|reputation|spam
weitere zugriffe
"""

POLICY_PHRASES = """
policy|policies
prohibited ~ local|admin*|sender
administrative* ~ prohibit*|denied|refus*|reject*
administrator ~ prohibit*|denied|refus*|reject*
security ~ reason*|policy|rule*
local ~ rule*|restriction*
not ~ permitted|accepted ~ reasons
transaction failed ~ polic*
rejected ~ polic*|rule*|organization|filter|administrator|security
message ~ rejected ~ recipient
denied ~ organization|admin*
access ~ not allowed
sicherheitsrichtlin*|richtlin*
politique
"""
