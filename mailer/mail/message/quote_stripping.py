"""Recognising text that is not the author's own: quotes, attributions, unmarked originals, "Sent from my phone"."""

from __future__ import annotations

import re

from mailer.mail.message.normalize_text import normalize_text

_MAX_LINE, _MAX_SENT_FROM_LINE = 600, 120
"""The longest line that can be an attribution, or a "Sent from" line."""

_DATED = r"(?=.*(?:@|\d[:.h]\d\d|\d{4}))"
"""The line contains an address, a time or a year: a verb alone is not enough."""
_DAY = re.compile(r"[\d@]")
_ATTRIBUTION = re.compile(
    r"\s*(?:(?:on|le|el|il|em|op|no dia|in data)\b(?=.*\d).{3,300}\b(?:wrote|écrit|escribió|ha scritto|escreveu)"
    r"|am\b(?=.*\d).{3,300}\bschrieb\b.{0,200}|.{1,200}\bschrieb am\b.{3,200}"
    r"|.{3,300}\btarihinde\b.{0,200}\byazdı"
    rf"|{_DATED}.{{1,300}}\b(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu|yazdı"
    rf"|пишет|(?:на)?писал(?:а|\(а\)|\(a\))?)"
    rf"|{_DATED}.{{0,300}}كتب.{{0,200}}|{_DATED}.{{1,300}}(?:写道|寫道|写了|寫了)"
    # Without a verb: "пт, 3 мая 2030 г. в 10:00, Appeals <appeals@lists.example.org>:"
    r"|.{3,200}\d[:.h]\d\d.{0,200}<\s?[^<>\s]+@[^<>\s]+>"
    r")(?:\s*\([^()]{1,60}\))?\s*[:：]\s*",
    re.IGNORECASE | re.DOTALL,
)
_ORIGINAL = re.compile(
    r"\s*(?:[-_*=~]{2,}\s*(?:original|urspr|özgün|orijinal|asıl|forwarded|weitergeleitet|iletilen|iletilmiş"
    r"|mensaje (?:original|reenviado)|message (?:d.origine|original|transféré|transmis)"
    r"|messaggio (?:originale|inoltrato)|mensagem (?:original|encaminhada|reencaminhada)"
    r"|исходное|оригинальное|пересыл|перес|перенаправ|الرسالة الأصلية|رسالة أصلية|(?:ال)?رسالة (?:ال)?معاد"
    r"|原始邮件|原始郵件|原邮件|原郵件|转发的?邮件|轉寄的?郵件)"
    r"|_{10,}\s*$|-{3,} .{3,200}[@\d].{0,200} -{3,}\s*$"
    r"|(?:begin forwarded message|anfang der weitergeleiteten|iletilen ileti başlangıcı"
    r"|inicio del mensaje reenviado"
    r"|début du message (?:réexpédié|transféré)|inizio messaggio inoltrato"
    r"|início da mensagem (?:reencaminhada|encaminhada)"
    r"|начало переадресованного сообщения|بدء الرسالة المعاد|开始转发的邮件|下面是被转发的邮件|开始轉寄郵件)\b)",
    re.IGNORECASE,
)
_FIRST_FIELD = re.compile(
    r"\s*\*?(?:from|von|kimden|gönderen|de|desde|da|expéditeur|mittente|от(?: кого)?|отправитель|من|المرسل"
    r"|发件人|寄件者|寄件人)\s?\*?\s*[:：]",
    re.IGNORECASE,
)
_DATE_FIELD = re.compile(
    r"\s*\*?(?:sent|date|gesendet|datum|gönderildi|gönderme tarihi|tarih|enviad[oa](?: el| em)?|fecha|envoyé(?: le)?"
    r"|date d.envoi|inviato(?: il)?|data|отправлено|дата|أ?رسلت?|تم الإرسال|(?:تاريخ )?الإرسال|التاريخ|تاريخ"
    r"|发送时间|发送日期|日期|时间|寄件日期|傳送時間)\s?\*?\s*[:：]",
    re.IGNORECASE,
)
# Normalized.
_SENT_FROM = re.compile(
    r"(?:sent (?:from|via|using|with) (?:my|mail|outlook|yahoo|gmail|proton|samsung|the|an?|iphone|ipad|android|galaxy"
    r"|huawei|xiaomi|blackberry|bluemail|tuta\w*|fairemail|k-9|aqua|spark|boxer|workspace|thunderbird|gmx|web\.de)\b.{0,60}"
    r"|(?:diese (?:nachricht|mail|e-mail) wurde )?vo[nm] mein.{1,60} (?:gesendet|aus gesendet|versendet)"
    r"|(?:gesendet|gesandt) (?:von|vom|mit) .{1,60}"
    r"|.{1,50}(?:dan|den|tan|ten|ile|uzerinden) gonderildi"
    r"|enviad[oa] (?:desde|do|da|de|a partir|pelo|pela|com|con|via) .{1,60}"
    r"|envoyee? (?:de|depuis|a partir|avec|via|par) .{1,60}"
    r"|inviat[oa] (?:dal?|dall'|con|tramite) ?.{1,60}"
    r"|отправлено (?:с|со|из|через) .{1,60}"
    r"|(?:ارسلت?|مرسله?|تم الارسال) (?:من|بواسطه|عبر|باستخدام) .{1,60}"
    r"|(?:发自|發自|从我的|從我的|来自我的|來自我的).{1,60}"
    r"|(?:get|holen sie sich|obtener|obten|obtenez|obtenir|telecharger|ottieni|scarica|obter|baixar"
    r"|загрузит[ье]|скачат[ье]|получит[ье])\b.{0,30}outlook.{0,30}|.{1,20}\bicin outlook.{0,20}"
    r"|الحصول علي outlook.{0,30}|(?:获取|取得|下载)\s*outlook.{0,30}"
    r"|outlook (?:for|fur|para|pour|per|icin|для)\b.{1,40})",
    re.DOTALL,
)
_QUOTE_MARK = re.compile(r"[A-Z]{0,3}>|\|")


def is_quoted(line: str) -> bool:
    """Whether a line begins with a quote mark: `> `, `RL> ` or `| `."""
    return bool(_QUOTE_MARK.match(line))


def count_attribution_lines(lines: list[str], number: int) -> int:
    """The number of lines, beginning with line `number`, of an attribution ("On ... Rosa wrote:"): 0 to 3."""
    for count in (1, 2, 3):
        wrapped = lines[number : number + count]
        # A line of the author's own directly above an attribution has no date.
        if not wrapped[-1] or (count > 1 and not _DAY.search(wrapped[0])):
            break
        joined = " ".join(wrapped)
        if joined.endswith((":", "：")) and len(joined) <= _MAX_LINE and _ATTRIBUTION.fullmatch(joined):
            return count
    return 0


def is_original_start(lines: list[str], number: int) -> bool:
    """Whether an unmarked original begins at this line: "--- Original message ---", or its `From:` and `Sent:`."""
    line = lines[number][:_MAX_LINE]
    if _ORIGINAL.match(line):
        return True
    below = lines[number + 1 : number + 4]
    return any(
        one.match(line) and any(other.match(later) for later in below)
        for one, other in ((_FIRST_FIELD, _DATE_FIELD), (_DATE_FIELD, _FIRST_FIELD))
    )


def is_sent_from_line(line: str) -> bool:
    """Whether a line was added by a mail program: "Sent from my iPhone"."""
    return len(line) <= _MAX_SENT_FROM_LINE and bool(_SENT_FROM.fullmatch(normalize_text(line).strip(" .。")))
