"""How the mail systems of the world say that a letter did not get there: no such place, no way, no time, or trouble."""

TEMPORARY_FAILURE_PHRASES = """
not found try again
name service error ~ try again
host lookup did not complete
dns ~ temporar*
temporar* ~ dns|lookup|resolution
delivery temporarily suspended
is receiving mail at a rate
is receiving mail too quickly
procmail couldnt create|lock|open
hop count exceeded
too many hops
mail loop
message looping
mail forwarding loop
greylist*
graylist*
unverified address
address|recipient verification ?is in progress
servfail
temporary ~ lookup|dns|resolution|resolver
temporary failure in name resolution
"""
"""Trouble on the way or at the end of it, whatever else is said of names and users."""

UNKNOWN_DOMAIN_PHRASES = """
recipient ?address rejected domain not found
recipient domain ~ not|unknown|invalid|nonexistent
recipient s domain ~ not|unknown|invalid
host unknown
unknown host
domain not found
nxdomain
type mx|a|aaaa host not found
"""
"""Said of a recipient, but it is not the mailbox. The last is Postfix's word for NXDOMAIN."""

DNS_FAILURE_PHRASES = """
name service error
malformed or unexpected name server reply
dns|name ?name server|service|lookup|query ~ timeout|timed|unavailable
server failure ~ dns|name
dns server failure
"""
"""The domain may well be there: the DNS has not said that it is not."""

UNKNOWN_HOST_PHRASES = """
host|domain|hostname ~ unknown
host|domain|hostname ~ not ~ found|exist|known|resolve*|valid|defined
host|domain|hostname ~ doesnt|didnt ~ exist|have|accept|receive|resolve
unknown|invalid|illegal|bad|nonexistent|no ?such host|domain|hostname|mx|destination
no such ~ host|domain
host|domain|name ?or lookup ~ fail*|not|error
couldnt find ~ host|domain
could not find ~ host|domain
cannot|cant find ~ host|domain
no ~ mx|mxs ~ for|found|record*|valid
no ~ mail ~ server|servers|host|exchanger ~ found|for
null mx
nullmx
domain ~ not receive|accept ~ mail|email
domain ~ does|doesnt ~ accept ~ mail
no route to domain
all relevant mx records point to non existent
mx ~ nonexistent|loopback|points
no dns ~ entry|record
unrouteable domain
unroutable domain|host
domain name not found
domain not found
nameserver ~ error ~ unknown
no a aaaa
no smtp service
domain is not reachable
hôte inconnu
domaine ~ inexistant|inconnu
dominio ~ existe|desconocido|inexistente|sconosciuto
unbekannte domain
domain ~ unbekannt|existiert
домен ~ не существует|найден
"""

EXPIRED_PHRASES = """
expired
expiration
retry time not reached for any host after
retry|retries ~ exceeded|timeout|exhausted|elapsed
time* ~ out|limit ~ queue
timeout exceeded
queue ~ too long
too long ~ queue
delivery time ~ expired|exceeded|out
delivery timed out
max* ~ retry|retries|time|attempts|hop*
has been in the queue
could not deliver for the last
giving up after
failed # attempts|times
delivery failed # attempts
unable to deliver ~ for # days|hours
cannot send message for|within
not be delivered ~ within|for ~ days|hours|minutes
undelivered for
message ~ too old
not been able to deliver
delivery attempts ~ failed
after # attempts|tries|days|hours
could not be sent ~ for|within
zeit* ~ abgelaufen|überschritten
délai ~ dépassé|expiré
"""

UNREACHABLE_PHRASES = """
connection|connect|connections ?was timed|refused|reset|failed|dropped|lost|closed|abort*|error|time
connection ~ timed|refused|reset|failed|dropped|lost|closed
cannot|couldnt|cant|unable ~ connect
could not connect|establish|contact
wasnt able to establish
timed|time out
timeout
network ~ unreachable|error|down|problem
no route to host
host|server ~ unreachable|down
host ~ not ~ respond*|responding|reachable
did not|didnt respond|answer
did not accept our requests
not responding
no answer from
lost|broken ?input connection
conversation ~ with ~ timed|failed
broken pipe
socket error
routing loop
mail loop*
loop detected|back
loops back
too many hops
hop count
mail forwarding loop
mail for ~ loops
dns ~ error|fail*|lookup|timeout|temporar*
name server ~ error|fail*|timeout
name service error
nameserver
host lookup ~ defer*|incomplete
smtp protocol error
protocol error
unexpected ~ response
tls|ssl ~ handshake|fail*|error
starttls fail*
certificate
remote host ~ closed|gone
no connection
keine verbindung
zeitüberschreitung
verbindung ~ fehlgeschlagen|abgelehnt
"""

SYSTEM_TROUBLE_PHRASES = """
greylist*
graylist*
system|server|internal|configuration|config|local|service|software ~ error|problem*|failure|trouble|unavailable
error ~ configuration
misconfigur*
not available
temporar*
try ~ later
resources
service ?not|is ?currently unavailable|available
unavailable
server ~ busy|overload*|down
busy
out of memory
disk|i o ~ error
cannot ~ create|open|append|write|lock|execute
couldnt ~ create|open|append|write|lock|execute
can ?not|t create
procmail
mail ~ command ~ fail*|died|error
command died
command ~ failed|output
unknown mailer error
pipe to
delivery agent
local ~ delivery ~ fail*
database ~ error|fail*|failure|unavailable|locked
improper sequence
bad sequence|command
command ~ unrecognized|not
syntax error
lmtp
input output
mailer ~ error|fail*
maildrop
vdeliver*
transmission failure
"""
