from __future__ import annotations

import os
import struct
import time
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from mailer.domain.letters.media import MediaFile, picture_size
from mailer.errors import MediaRefused
from mailer.mail.media.picture import MOST_HEIGHT, MOST_PICTURE_OCTETS, MOST_WIDTH, prepare_picture
from tests.support.media_samples import encode_picture, shades

_ORIENTATION, _GPS = 0x0112, 0x8825


def _noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    return Image.frombytes(mode, (width, height), os.urandom(width * height * len(mode)))


def _opened(file: MediaFile) -> Image.Image:
    return Image.open(BytesIO(file.content))


def test_a_photograph_is_made_small_once_and_its_path_tells_its_size() -> None:
    file = prepare_picture(encode_picture(shades(4000, 3000)), "Äpfel im Korb.JPG")

    assert (file.width, file.height, file.media_type) == (MOST_WIDTH, 900, "image/jpeg")
    assert file.path.endswith("/apfel-im-korb-1200x900.jpg")
    assert picture_size(file.path) == _opened(file).size == (1200, 900)
    assert file.size == len(file.content) < 100_000


def test_a_small_picture_keeps_its_size() -> None:
    assert picture_size(prepare_picture(encode_picture(shades(320, 200)), "a.jpg").path) == (320, 200)


def test_the_same_picture_is_the_same_file_whatever_it_is_called() -> None:
    octets = encode_picture(shades(500, 400))

    first, second = prepare_picture(octets, "a.jpg"), prepare_picture(octets, "b.jpg")

    assert (first.digest, first.content) == (second.digest, second.content)


def test_where_it_was_taken_and_what_was_remarked_is_not_kept() -> None:
    exif = Image.Exif()
    exif[_GPS] = {1: "N", 2: (41.0, 1.0, 0.0), 3: "E", 4: (28.0, 58.0, 0.0)}
    exif[0x010F] = "Ada's camera"
    octets = encode_picture(shades(600, 400), exif=exif, comment=b"at Ada's house")
    assert b"Ada" in octets

    file = prepare_picture(octets, "a.jpg")

    assert b"Ada" not in file.content
    assert b"Exif" not in file.content
    assert dict(_opened(file).getexif()) == {}


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_other_kinds_lose_what_they_say_of_themselves_too(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Ada's camera"
    options = {"comment": b"Ada's"} if kind == "GIF" else {"exif": exif}

    file = prepare_picture(encode_picture(shades(300, 200), kind, **options), "a.png")

    assert b"Ada" not in file.content


def test_a_picture_that_was_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = 6  # turned by 90 degrees

    upright = _opened(prepare_picture(encode_picture(shades(600, 400), exif=exif), "a.jpg"))

    assert upright.size == (400, 600)
    # What was on the left, dark, is on top.
    assert upright.convert("L").getpixel((200, 20)) < 60 < 200 < upright.convert("L").getpixel((200, 580))


def test_a_drawing_stays_a_png_and_a_photograph_from_a_png_becomes_a_jpeg() -> None:
    drawing = Image.new("RGB", (300, 300), "green")

    assert prepare_picture(encode_picture(drawing, "PNG"), "logo.png").media_type == "image/png"
    assert prepare_picture(encode_picture(_noise(500, 400), "PNG"), "noise.png").media_type == "image/jpeg"
    assert prepare_picture(encode_picture(shades(400, 300), "WEBP", quality=80), "a.webp").media_type != "image/webp"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_see_through_stays_so(mode: str) -> None:
    picture = Image.new("RGBA", (60, 40), (200, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 30, 40))

    options = {"transparency": 0} if mode == "P" else {}
    kept = _opened(prepare_picture(encode_picture(picture.convert(mode), "PNG", **options), "a.png")).convert("RGBA")

    assert kept.getpixel((10, 20))[3] == 0  # type: ignore[index]


def test_a_picture_for_print_has_the_colours_of_a_screen() -> None:
    cyan = Image.new("CMYK", (200, 100), (255, 0, 0, 0))

    red, green, blue = _opened(prepare_picture(encode_picture(cyan), "print.jpg")).convert("RGB").getpixel((100, 50))  # type: ignore[misc]

    assert red < 60
    assert min(green, blue) > 120


def test_sixteen_bits_of_grey_are_scaled_and_not_cut_off() -> None:
    half = Image.frombytes("I;16", (40, 40), b"\x00\x80" * 1600)

    assert _opened(prepare_picture(encode_picture(half, "PNG"), "scan.png")).convert("L").getpixel((20, 20)) == 128


def test_colours_of_a_wide_profile_are_brought_to_srgb_and_the_profile_is_left_out() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    for one in (srgb, profile, b"no profile at all"):
        kept = prepare_picture(encode_picture(shades(60, 40), icc_profile=one), "a.jpg")
        assert _opened(kept).info.get("icc_profile") is None


def test_a_small_animation_goes_on_moving_and_a_large_one_shows_its_first_frame() -> None:
    def moving(width: int) -> bytes:
        frames = [Image.new("RGB", (width, 50), (shade, 0, 0)) for shade in range(0, 250, 50)]
        return encode_picture(
            frames[0], "GIF", save_all=True, append_images=frames[1:], duration=90, loop=0, comment=b"Ada's"
        )

    small, large = prepare_picture(moving(300), "a.gif"), prepare_picture(moving(1500), "a.gif")

    assert (small.media_type, getattr(_opened(small), "n_frames", 1), small.width) == ("image/gif", 5, 300)
    assert _opened(small).info["duration"] == 90
    assert b"Ada" not in small.content
    assert (getattr(_opened(large), "n_frames", 1), large.width) == (1, MOST_WIDTH)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_cannot_be_pressed_small_is_made_smaller(mode: str) -> None:
    file = prepare_picture(encode_picture(_noise(1200, 2000, mode), "PNG"), "noise.png")

    assert file.size <= MOST_PICTURE_OCTETS
    assert picture_size(file.path) == _opened(file).size


def test_a_very_high_picture_is_made_low_enough() -> None:
    assert prepare_picture(encode_picture(Image.new("L", (100, 9000)), "PNG"), "roll.png").height == MOST_HEIGHT


@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (20000, 20000)])
def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    octets = encode_picture(Image.new("1", (width, height)), "PNG")
    assert len(octets) < 100_000

    with pytest.raises(MediaRefused, match=r"bomb\.png has .*pixels; the most is 50 million"):
        prepare_picture(octets, "bomb.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_refused_by_name(kind: str, part: float) -> None:
    octets = encode_picture(_noise(80, 60), kind)

    with pytest.raises(MediaRefused, match=r"apples\.jpg"):
        prepare_picture(octets[: int(len(octets) * part)], "apples.jpg")


@pytest.mark.parametrize("octets", [b"hello", b"<svg></svg>", b"%PDF-1.7"])
def test_what_is_no_picture_is_refused(octets: bytes) -> None:
    with pytest.raises(MediaRefused, match=r"a\.jpg is no picture"):
        prepare_picture(octets, "a.jpg")


_SAMPLES = [encode_picture(shades(40, 30), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP")]


@settings(max_examples=150)
@given(st.sampled_from(_SAMPLES), st.data())
def test_a_damaged_picture_is_taken_or_refused_and_never_breaks_us(sample: bytes, data: st.DataObject) -> None:
    damaged = bytearray(sample)
    for place in data.draw(st.lists(st.integers(0, len(sample) - 1), min_size=1, max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))

    try:
        file = prepare_picture(bytes(damaged), "a.png")
    except MediaRefused:
        return
    assert picture_size(file.path) == _opened(file).size


def _frames(number: int, hundredths: int) -> bytes:
    """A GIF of one pixel that does not change, in so many frames of a few octets."""
    frame = b"\x21\xf9\x04\x00" + struct.pack("<H", hundredths) + b"\0\0"
    frame += b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * number + b";"


@pytest.mark.parametrize(("number", "hundredths"), [(50_000, 5), (2, 40_000), (400, 1000)])
def test_an_animation_of_too_many_frames_or_hours_stands_still(number: int, hundredths: int) -> None:
    began = time.process_time()

    file = prepare_picture(_frames(number, hundredths), "a.gif")

    assert (file.width, file.height, getattr(_opened(file), "n_frames", 1)) == (1, 1, 1)
    assert time.process_time() - began < 5


def test_a_photograph_of_endless_scans_is_not_decoded() -> None:
    """Each scan has a few octets, and takes as long as the whole picture."""
    out = BytesIO()
    Image.new("L", (4000, 4000), 128).save(out, "JPEG", progressive=True)
    octets = out.getvalue()
    last = octets[octets.rindex(b"\xff\xda") : -2]
    began = time.process_time()

    with pytest.raises(MediaRefused, match="takes too long to decode"):
        prepare_picture(octets[:-2] + last * 1000 + octets[-2:], "a.jpg")

    assert time.process_time() - began < 1
    assert prepare_picture(octets, "a.jpg").width == MOST_WIDTH
