"""Photos keep their pixels and their turn, and nothing that says where, when, with what or by whom."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from overlay.files.clean import BrokenPicture, clean
from overlay.files.sniff import DOCX, JPEG, PDF, PNG, TEXT, WEBP, sniff
from tests.overlay.files import samples

PHOTOS = {
    "JPEG": (JPEG, samples.jpeg_photo()),
    "progressive JPEG": (JPEG, samples.jpeg_photo(progressive=True)),
    "PNG": (PNG, samples.png_photo()),
    "WebP": (WEBP, samples.webp_photo()),
}
TAILS = {"markup": b"<script>x()</script>", "an office file": samples.docx(), "a PDF": samples.pdf()}


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("name", PHOTOS)
def test_the_pixels_stay_and_the_rest_goes(name: str) -> None:
    kind, photo = PHOTOS[name]
    assert samples.GPS_MARK in photo and opened(photo).getexif().get_ifd(IFD.GPSInfo)
    cleaned = clean(kind, photo)
    assert sniff(cleaned) == kind
    assert samples.GPS_MARK not in cleaned
    kept = opened(cleaned)
    assert kept.tobytes() == opened(photo).tobytes()
    assert set(kept.getexif()) <= {Base.Orientation}
    assert not kept.getexif().get_ifd(IFD.GPSInfo)
    assert clean(kind, cleaned) == cleaned


@pytest.mark.parametrize("name", ["JPEG", "progressive JPEG", "WebP"])
def test_a_photo_that_lies_on_its_side_still_says_so(name: str) -> None:
    kind, photo = PHOTOS[name]
    assert opened(clean(kind, photo)).getexif()[Base.Orientation] == 6


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", PHOTOS)
def test_what_follows_the_picture_is_cut_off(name: str, tail: str) -> None:
    kind, photo = PHOTOS[name]
    assert clean(kind, photo + TAILS[tail]) == clean(kind, photo)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_picture_that_ends_in_the_middle_is_refused(name: str) -> None:
    """At whatever byte: never another fault, never a picture that is half of one."""
    kind, photo = PHOTOS[name]
    for length in range(12, len(photo) - 1, 7):
        with pytest.raises(BrokenPicture):
            clean(kind, photo[:length])


@pytest.mark.parametrize("kind", [PDF, DOCX, TEXT])
def test_what_is_no_picture_is_kept_as_it_is(kind: str) -> None:
    assert clean(kind, b"anything") == b"anything"
