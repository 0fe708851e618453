"""How the mail systems of the world say that they know no such user."""

UNKNOWN_USER_PHRASES = """
user|recipient|mailbox|account|addressee|address|alias|customer|username|mailaddress ~ unknown
user|recipient|mailbox|account|addressee|address|alias|customer|email ~ not ~ found|exist|exists|known|recognized
user|recipient|mailbox|account|addressee|address|alias|email ~ doesnt|didnt|doesn ~ exist|have|match
user|recipient|mailbox|account|address ~ not ~ listed|recognised|registered|valid|existing
user|mailbox|account|recipient ~ isnt|arent ~ found|known|valid|here|recognized
user|users|recipient|mailbox|account|address|addressee is|are|was not|cannot ?be found|known|valid|here
user|recipient|mailbox|account|address invalid|nonexist*|non|incorrect|misspelled
usernotfound
recipientnotfound
recipnotfound
userunknown
recipient verification failed
account not available
invalid ~ userid
not exactly match an
n existe pas
no existe
receiver|addressee|person ?was not found|known
nosuchuser
unknown|invalid|illegal|bad|unrouteable|undeliverable|nonexistent|incorrect|wrong ?or ?illegal ?local ?e ?mail \
user|recipient|recipients|mailbox|account|address|alias|addressee|name|username|users
unknown local part
unknown or illegal|invalid alias|user|recipient|mailbox
unknown ~ recipient|user|mailbox $
no such ~ user|recipient|mailbox|account|address|person|alias|local|name|customer|addressee
no such ~ here
no user|mailbox|account|recipient|mailboxes
no ~ mailbox|account ~ here|by|with|for
no valid recipients|recipient
no matches to nameserver
no mail box
no recipient
no one here
nobody here
not a ~ user|recipient|mailbox|account|address|customer
not our customer
not ~ valid ~ user|recipient|mailbox|address|email
not listed in ~ name|directory|address
not a local
not known ~ here|at|on
isnt a known|valid
doesnt ~ have ~ account|mailbox
does not ~ have ~ account|mailbox
does not exist
doesnt exist
didnt find ~ user|mailbox|name
cannot|couldnt|could|cant ?not find ~ user|recipient|mailbox|account|address|alias
couldnt be found
could not be found
address not found
wasnt found at
mailbox ~ not available
user|recipient not local
we have no ~ user|mailbox|account
this user doesnt
this address no
recipient|address ~ misspelled
delivery to ~ non existent
check ~ recipient ~ e mail|address|email
check if ?the ?recipient address is
recipient name is not recognized
email name is not found
addressee unknown
mail ~ not ~ setup ~ user
unrouteable mail|address
resolver adr
ldap lookup ~ fail*|no
0x80040115
x000c05a6
not our user
there is no ~ user|mailbox|account
is not a ~ mailbox|account
has no mailbox
unknown ~ table
mailbox name not allowed
non existent|existing
nonexistent
recipient ~ unacceptable
empfänger* ~ unbekannt|ungültig
empfänger|adresse|benutzer|postfach|konto|mailadresse ~ nicht ~ gefunden|bekannt|vorhanden|existiert
empfänger|adresse|benutzer|postfach|konto|mailadresse|account existiert nicht
benutzer ~ unbekannt
unbekannt* benutzer|empfänger|nutzer|adresse|teilnehmer
nicht gefunden
utilisateur|destinataire|adresse|boîte|compte ~ inconnu|inconnue|invalide|inexistant|inexistante
utilisateur|destinataire|adresse|boîte|compte ~ existe pas
adresse ~ introuvable
introuvable
usuario|destinatario|buzón|cuenta|dirección|correo ~ desconocido|desconocida|inexistente|existe|encontrado|encontrada
utente|destinatario|casella|indirizzo|account ~ sconosciuto|sconosciuta|inesistente|esiste|trovato|trovata
usuário|destinatário|caixa|conta|endereço ~ desconhecido|inexistente|existe|encontrado|encontrada|inválido
gebruiker|ontvanger|adres|mailbox|geadresseerde ~ onbekend|bestaat|gevonden
onbekende gebruiker|ontvanger
użytkownik|odbiorca|adres|skrzynka|konto ~ nieznany|istnieje|znaleziono
nieznany użytkownik|adresat|odbiorca
kullanıcı|alıcı|adres|hesap ~ bulunamadı|yok|geçersiz|bilinmiyor
användare|mottagare* ~ okänd|inte
okänd användare|mottagare
bruger|modtager* ~ ukendt|ikke
ukendt bruger|modtager
uživatel|příjemce|schránka ~ neznámý|neexistuje|nenalezen*
пользовател*|получател*|адрес*|ящик* ~ найден*|существует|неизвестен|неизвестный|зарегистрирован*
неизвестный|недействительный пользователь|получатель
見つかりません
存在しません
存在しない
宛先不明
不存在
找不到
无此用户
존재하지 않
알 수 없는 사용자
"""

MAILBOX_UNAVAILABLE_PHRASES = """
mailbox|user|recipient ~ unavailable
"""
"""RFC 5321 section 4.2.3 has it for 550; some say it before the true reason."""

RECIPIENT_REJECTED_PHRASES = """
recipient|address ?address rejected|refused|denied $
invalid recipient
"""
"""Where nothing else is said."""
