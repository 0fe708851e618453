"""Names that copies of listings have, and names that say no in no words of Mailman."""

from __future__ import annotations

import pytest

from mailer.errors import TableRefused
from tests.support.export_files import is_mailable
from tests.support.recognized_exports import read_people


@pytest.mark.parametrize("word", ["unsubscribed", "abgemeldet", "banned", "former", "pending", "disabled"])
def test_a_listing_whose_name_says_no_in_other_words_is_refused(word: str) -> None:
    with pytest.raises(TableRefused, match="no readers"):
        read_people({f"list_members-{word}.txt": "ida@example.org\n"})


def test_copies_of_listings_are_known() -> None:
    files = {
        "Copy of list_members (1).txt": "ida@example.org\n",
        "list_members-n-byuser - Kopie.txt": "ida@example.org\n",
    }

    assert not any(is_mailable(one) for one in read_people(files).values())


def test_nonmembers_are_no_readers() -> None:
    files = {"members.txt": "ida@example.org\n", "nonmembers.txt": "bea@example.org\n"}

    assert [address for address, one in read_people(files).items() if is_mailable(one)] == ["ida@example.org"]
