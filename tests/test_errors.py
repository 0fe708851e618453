"""Every error has a kind by which doors answer."""

from __future__ import annotations

from inspect import getmembers, isclass

import pytest

from mailer import errors
from mailer.error_kind import ErrorKind
from mailer.errors import MailerError

ERRORS = [one for _, one in getmembers(errors, isclass) if issubclass(one, MailerError)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: one.__name__)
def test_an_error_has_a_kind_and_says_what_it_means(error: type[MailerError]) -> None:
    assert isinstance(error.kind, ErrorKind)
    assert error.__doc__


def test_each_kind_is_used() -> None:
    assert {error.kind for error in ERRORS} == set(ErrorKind)
