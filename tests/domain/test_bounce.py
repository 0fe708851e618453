"""The severity of a bounce by its reason and action."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.bounce import BounceReason, DsnAction, Severity, determine_severity


def test_an_unknown_host_by_a_temporary_code_and_an_unknown_user_after_data_are_soft() -> None:
    assert (
        determine_severity(BounceReason.UNKNOWN_HOST, DsnAction.FAILED, temporary=True, after_data=False)
        is Severity.SOFT
    )
    assert (
        determine_severity(BounceReason.UNKNOWN_USER, DsnAction.FAILED, temporary=False, after_data=True)
        is Severity.SOFT
    )


@given(
    st.sampled_from(list(BounceReason)), st.sampled_from([each for each in DsnAction if each is not DsnAction.FAILED])
)
def test_what_has_not_failed_is_ignored(reason: BounceReason, action: DsnAction) -> None:
    assert determine_severity(reason, action, temporary=False, after_data=False) is Severity.IGNORE
