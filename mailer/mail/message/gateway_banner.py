"""Banners that mail gateways put above the text of an external mail: "CAUTION: External email"."""

from __future__ import annotations

import re

from mailer.mail.message.normalize_text import normalize_text

_WARNING_WORD = (
    r"(?:caution|warning|attention|notice|alert|beware|be careful|important|security|ext|external|extern[aeo]?|externes"
    r"|achtung|vorsicht|warnung|hinweis|sicherheitshinweis"
    r"|dikkat|uyari|onemli|harici|dis kaynak"
    r"|atencion|precaucion|advertencia|aviso|cuidado|alerta"
    r"|avertissement|prudence|mise en garde|avis|exterieur"
    r"|attenzione|avviso|avvertenza|cautela|estern[ao]"
    r"|atencao"
    r"|внимание|осторожно|предупреждение|внешн\w+"
    r"|تحذير|تنبيه|انتباه|خارجي\w*"
    r"|注意|警告|提醒|小心|警示|外部\w*|谨慎|謹慎)"
)
_EXTERNAL_WORD = re.compile(
    r"\b(?:outside|external|extern\w*|aussen|ausserhalb|fremd\w*"
    r"|dis|disindan|disaridan|harici|haric"
    r"|fuera|exterior\w*|ajen[oa]"
    r"|exterieur\w*|hors"
    r"|estern\w*|fuori|all'esterno|dall'esterno"
    r"|fora"
    r"|внешн\w*|извне|за пределами|вне|сторонн\w*)\b"
    r"|خارج|外部|外来|外界|组织外|公司外|单位外"
)
_MAIL_WORD = re.compile(
    r"mail|message|nachricht|posta|ileti|correo|mensaje|courriel|messagg|mensagem|писм|письм|сообщени|رساله|بريد|邮件|郵件"
)
_SENDER_WORD = re.compile(
    r"sender|organi[sz]|company|domain|network|absender|unternehmen|firma|extern|gonderen|kurum|sirket"
    r"|remitente|empresa|expediteur|entreprise|mittente|azienda|remetente"
    r"|отправител|организаци|компани|مرسل|موسسه|المنظمه|الشركه|发件人|寄件者|组织|公司|单位"
)
_ADVICE_WORD = re.compile(
    r"\b(?:links?|click|attachments?|recogni[sz]e\w*|phishing|suspicious|trust\w*|unless|genuine|originat\w+"
    r"|sender|safe|verif\w+|do not open|open no|report"
    r"|anhang\w*|anhange\w*|klicken|absender\w*|vertrauen\w*|verdachtig\w*|offnen"
    r"|baglanti\w*|ek(?:leri|ler)?|tiklama\w*|gonderen\w*|guven\w*|supheli"
    r"|enlaces?|adjuntos?|remitente|confi\w+|sospechos\w+|haga clic"
    r"|liens?|pieces? jointes?|expediteur|cliquez|confiance|suspect\w*"
    r"|allegat[io]|mittente|cliccare|fidat\w*|sospett\w*"
    r"|ligac\w+|anexos?|remetente|clique|suspeit\w+"
    r"|ссылк\w*|вложени\w*|отправител\w*|доверя\w*|подозрительн\w*)\b"
    r"|الروابط|روابط|المرفقات|مرفقات|المرسل|链接|連結|鏈接|附件|发件人|寄件者|点击|點擊|可疑"
)
# Outlook puts this above the first mail of an unknown sender.
_SAFETY_TIP = re.compile(
    r"\s*(?:you don'?t often get (?:e-?mail|mail) from|some people who received this message don'?t often get"
    r"|sie erhalten nicht haufig e-?mails von|.{0,80}siklikla e-?posta almiyorsunuz|no sueles? recibir correos?"
    r"|no suele recibir correo|vous n'obtenez pas souvent d'e-?mail|vous ne recevez pas souvent|non si ricevono spesso"
    r"|nao costuma receber|voce nao costuma receber"
    r"|вы нечасто получаете|لا تتلقي غالبا|您通常不会收到来自|learn why this is important)"
)
_STARTS_WITH_WARNING = re.compile(rf"\s*[\W_]{{0,12}}{_WARNING_WORD}(?![^\W_㐀-鿿])")
_SUBJECT_TAG = re.compile(
    r"\s*(?:[\[(*{<]+\s*(?:ext(?:ernal|ern[aeo]?|\.)?|caution|warning|harici|dis|внешн\w*|خارجي|外部\w*)\b"
    r"[^\])*}>]{0,30}[\])*}>]+"
    r"|(?:external(?: e-?mail| sender| message)?|ext|extern[aeo]?|harici|внешнее|外部邮件|外部郵件)\s*[:：|-])\s*",
    re.IGNORECASE,
)
# "This message came from outside": without a warning word before it.
_STARTS_WITH_THIS = re.compile(
    r"\s*[\W_]{0,12}(?:this|the sender of this|diese[rs]?|die|bu|este|esta|cet?|cette|quest[oa]|il presente|это|данное"
    r"|هذه|هذا|هذة|此|本|这|這|该|該)"
)
_MAX_LINES = 14
_MAX_WORD_CHARACTERS = 12
"""A longer piece that ends with a full stop is a sentence, and not one word such as "Caution!"."""
_MAX_SHORT_CHARACTERS = 30
"""A shorter warning need not mention mail: "External sender"."""
_RULE = re.compile(r"[\W_]*")
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")


def strip_banner(lines: list[str]) -> list[str]:
    """The lines of a text without a banner at their beginning; what follows the banner on its line is kept."""
    at, found, continues = 0, False, False
    while at < min(len(lines), _MAX_LINES):
        line = strip_subject_tag(lines[at])
        found = found or line != lines[at]
        if not _RULE.fullmatch(line):
            pieces, beginning = [piece for piece in _SENTENCE_BREAK.split(line) if piece], " ".join(lines[at : at + 3])
            if continues and pieces[0][0].islower() and _SENDER_WORD.search(normalize_text(pieces[0])):
                pieces = pieces[1:]
            while pieces and _is_banner(pieces[0], beginning, begun=found):
                found, pieces = True, pieces[1:]
            if pieces:
                return [" ".join(pieces), *lines[at + 1 :]] if found else lines
            continues = not line.endswith((".", "!", "。", "！", ":"))
        at += 1
    return lines[at:] if found else lines


def strip_subject_tag(subject: str) -> str:
    """A subject without the tag of a gateway at its beginning: "[EXTERNAL]"."""
    tag = _SUBJECT_TAG.match(subject)
    return subject[tag.end() :] if tag else subject


def _is_banner(piece: str, beginning: str, *, begun: bool) -> bool:
    """Whether a sentence belongs to a banner.

    The first one has to be a warning, together with the `beginning` of the text if it continues on the next lines. Once
    a banner has `begun`, advice belongs to it too.
    """
    sentence = normalize_text(piece)
    if begun and (
        _ADVICE_WORD.search(sentence)
        or _SAFETY_TIP.match(sentence)
        or (_EXTERNAL_WORD.search(sentence) and _SENDER_WORD.search(sentence))
    ):
        return True
    context = (
        sentence
        if sentence.rstrip().endswith((".", "!", "。", "！")) and len(sentence) > _MAX_WORD_CHARACTERS
        else normalize_text(beginning)
    )
    if _SAFETY_TIP.match(sentence):
        return True
    if not _EXTERNAL_WORD.search(context) or not (
        _STARTS_WITH_WARNING.match(sentence) or _STARTS_WITH_THIS.match(sentence)
    ):
        return False
    if _STARTS_WITH_WARNING.match(sentence) and (_MAIL_WORD.search(context) or len(sentence) < _MAX_SHORT_CHARACTERS):
        return True
    return _SENDER_WORD.search(context) is not None and _MAIL_WORD.search(context) is not None
