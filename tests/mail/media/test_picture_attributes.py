from __future__ import annotations

from mailer.mail.media.picture_attributes import picture_attributes

_FOLDER = f"/media/{'0' * 32}"


def test_a_picture_names_the_site_and_half_its_pixels() -> None:
    assert picture_attributes(f"{_FOLDER}/apples-1200x800.jpg", "https://lists.example.org/mail") == {
        "src": f"https://lists.example.org/mail{_FOLDER}/apples-1200x800.jpg",
        "width": "600",
        "height": "400",
    }


def test_a_small_picture_is_not_made_larger_and_a_column_makes_it_smaller() -> None:
    assert picture_attributes(f"{_FOLDER}/a-300x200.png", "")["width"] == "300"
    assert picture_attributes(f"{_FOLDER}/a-300x200.png", "", widest=150) == {
        "src": f"{_FOLDER}/a-300x200.png",
        "width": "150",
        "height": "100",
    }
    assert picture_attributes(f"{_FOLDER}/line-1200x1.png", "")["height"] == "1"


def test_a_path_that_tells_no_size_has_no_size() -> None:
    assert picture_attributes(f"{_FOLDER}/a.png", "") == {"src": f"{_FOLDER}/a.png"}
