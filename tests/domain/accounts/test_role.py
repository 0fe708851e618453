"""Roles: what each may do on its list, on others and on the whole site, however a caller spells it."""

from __future__ import annotations

from typing import Any

import pytest

from mailer.domain.accounts.role import PERMISSIONS, Grant, Permission, Role

THERE, ELSEWHERE = 1, 2
SPELLINGS = pytest.mark.parametrize("spelled", [Permission, str], ids=["as a member", "as a text"])
"""A template asks with the text, an action with the member."""


@SPELLINGS
@pytest.mark.parametrize("role", Role)
def test_a_role_on_a_list_holds_there_and_nowhere_else(role: Role, spelled: Any) -> None:
    grant = Grant(role=role, mailing_list_id=THERE, language="tr" if role is Role.TRANSLATOR else None)

    for permission in Permission:
        asked = spelled(permission.value)
        assert grant.allows(asked, THERE, "tr") == (permission in PERMISSIONS[role]), permission
        assert not grant.allows(asked, ELSEWHERE, "tr"), permission
        assert not grant.allows(asked, None, "tr"), permission


@SPELLINGS
@pytest.mark.parametrize("role", [Role.TRANSLATOR, "translator"], ids=["a member", "a text"])
def test_a_translator_writes_one_language_and_changes_nothing_else(role: Any, spelled: Any) -> None:
    grant = Grant(role=role, mailing_list_id=THERE, language="tr")

    translate = spelled(Permission.TRANSLATE.value)

    assert grant.allows(translate, THERE, "tr")
    assert not grant.allows(translate, THERE, "en")
    assert not grant.allows(translate, THERE, None)


@SPELLINGS
@pytest.mark.parametrize("role", Role)
def test_only_an_owner_of_the_whole_site_manages_it(role: Role, spelled: Any) -> None:
    manage = spelled(Permission.MANAGE_SITE.value)

    assert Grant(role=role).allows(manage, None, None) is (role is Role.OWNER)
    assert not Grant(role=role, mailing_list_id=THERE).allows(manage, None, None)
    assert not Grant(role=role, mailing_list_id=THERE).allows(manage, THERE, None)
