"""The private names of aiosmtpd and asyncio that the SMTP server relies on exist."""

from __future__ import annotations

import inspect
import re

from mailer.entrypoints.smtp.aiosmtpd_private import PRIVATE_NAMES
from mailer.entrypoints.smtp.handler import SmtpHandler
from tests.support.app_helpers import ROOT


def test_every_private_name_that_is_used_exists() -> None:
    missing = []
    for owner, names in PRIVATE_NAMES.items():
        present = {*dir(owner), *re.findall(r"self\.(_\w+)", inspect.getsource(owner))}
        missing += [f"{owner.__module__}.{owner.__qualname__}.{name}" for name in names if name not in present]

    assert missing == []


def test_private_names_are_used_in_one_module_only() -> None:
    names = "|".join(sorted({name for names in PRIVATE_NAMES.values() for name in names}))
    private = re.compile(rf"\.(?:{names})\b")
    folder = ROOT / "mailer/entrypoints/smtp"

    assert [file.name for file in sorted(folder.glob("*.py")) if private.search(file.read_text())] == [
        "aiosmtpd_private.py"
    ]


def test_the_handler_has_no_slots():
    """It reads every attribute of its handler; before Python 3.11.3 a dataclass with slots has one that raises."""
    assert not hasattr(SmtpHandler, "__slots__")
