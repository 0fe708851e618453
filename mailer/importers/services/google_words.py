"""The words in cells of Google Groups' members, as its pages write them in our languages."""

from __future__ import annotations

from collections.abc import Mapping


def _by_word(words: Mapping[str, str]) -> dict[str, str]:
    return {word: meaning for meaning, those in words.items() for word in those.split("|")}


STATUSES = _by_word(
    {
        "owner": "owner|inhaber|eigentümer|propriétaire|propietario|proprietario|proprietário|sahip|grup sahibi"
        "|владелец|مالك|المالك|所有者|拥有者",
        "manager": "manager|gestionnaire|administrateur|administrador|gestor|gestore|gerente|yönetici|менеджер"
        "|администратор|مدير|المدير|管理者|管理员",
        "member": "member|mitglied|membre|miembro|membro|üye|участник|عضو|成员|会员",
        "invited": "invited|eingeladen|invité|invitée|invitado|invitato|convidado|davet edildi|приглашен|приглашён"
        "|приглашенный|مدعو|تمت دعوته|已邀请|受邀",
        "pending": "pending|ausstehend|en attente|pendiente|in attesa|in sospeso|pendente|beklemede|в ожидании|ожидает"
        "|ожидание|معلق|قيد الانتظار|待处理|待审核",
        "banned": "banned|gesperrt|ausgeschlossen|exclu|exclue|banni|bannie|bloqueado|expulsado|bloccato|escluso|banido"
        "|yasaklandı|yasaklı|заблокирован|исключен|محظور|已封禁|被禁|已禁止",
    }
)
PREFERENCES = _by_word(
    {
        "each": "|all email|all emails|each email|every email|alle e-mails|jede e-mail|tous les e-mails|chaque e-mail"
        "|todos los correos|cada correo|tutte le email|ogni email|todos os e-mails|cada e-mail|tüm e-postalar"
        "|her e-posta|все письма|каждое письмо|جميع الرسائل الإلكترونية|كل رسالة إلكترونية|所有电子邮件|每封电子邮件",
        "digest": "digest|digest email|abridged|abridged email|daily summary|daily digest|combined updates"
        "|zusammenfassung|gekürzt|kurzfassung|résumé|abrégé|condensé|resumen|abreviado|riepilogo|riassunto|abbreviata"
        "|resumo|abreviada|özet|kısaltılmış|дайджест|сокращенная|сводка|ملخص|مختصر|摘要|精简",
        "none": "no email|no emails|none|keine e-mail|keine e-mails|aucun e-mail|ningún correo|sin correo"
        "|ningún correo electrónico|nessuna email|nenhum e-mail|e-posta yok|без писем|не получать|لا رسائل"
        "|بدون بريد إلكتروني|无电子邮件|不接收电子邮件",
    }
)
BOUNCING = _by_word(
    {
        "": "|ok|normal|active|not bouncing",
        "bouncing": "bouncing|bounced|bounce|unzustellbar|nicht zustellbar|rebonds|non distribué|rebotando|rebotado"
        "|devuelto|respinta|respinto|mancato recapito|devolvido|devolvendo|geri dönüyor|geri döndü|возврат|возвращается"
        "|ارتداد|مرتد|退信|被退回",
    }
)
ALLOWED = _by_word(
    {
        "allowed": "|allowed|override|default|group default|erlaubt|zulässig|autorisé|permitido|permitida|consentito"
        "|izin verildi|разрешено|مسموح|允许",
        "not allowed": "not allowed|denied|moderated|nicht erlaubt|nicht zulässig|non autorisé|no permitido"
        "|no permitida|non consentito|não permitido|não permitida|izin verilmedi|запрещено"
        "|не разрешено|غير مسموح|不允许",
    }
)
