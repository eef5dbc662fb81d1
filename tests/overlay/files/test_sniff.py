"""A file is what its content says: each kind that is taken, and each trick that is not."""

from __future__ import annotations

import pytest

from overlay.files.sniff import ACCEPTED, DOCX, JPEG, PDF, PNG, TEXT, WEBP, XLSX, sniff
from tests.overlay.files import samples

TAKEN = {
    PDF: samples.pdf(),
    JPEG: samples.jpeg_photo(),
    PNG: samples.png_photo(),
    WEBP: samples.webp_photo(),
    DOCX: samples.docx(),
    XLSX: samples.xlsx(),
    TEXT: samples.text(),
}


def test_there_is_a_sample_of_every_kind_that_is_taken() -> None:
    assert set(TAKEN) == ACCEPTED


@pytest.mark.parametrize("kind", sorted(TAKEN))
def test_a_kind_is_known_by_its_content(kind: str) -> None:
    assert sniff(TAKEN[kind]) == kind


def test_chinese_text_in_the_old_encoding_is_text() -> None:
    assert sniff("投影仪，一台".encode("gb18030")) == TEXT


REFUSED = {
    "nothing": b"",
    "HTML": b"<!DOCTYPE html><html><body>hello</body></html>",
    "HTML after a byte-order mark and blanks": b"\xef\xbb\xbf \n <script>alert(1)</script>",
    "HTML behind a harmless beginning": b"dear reader\n\n<ScRiPt src=x></script>",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
    "XML": b"<?xml version='1.0'?><a/>",
    "a shell script": b"#!/bin/sh\necho hello\n",
    "PostScript": b"%!PS-Adobe-3.0\nshowpage\n",
    "RTF": b"{\\rtf1 hello}",
    "GIF": b"GIF89a hello",
    "a program": b"MZ\x90\x00\x03",
    "ELF": b"\x7fELF\x02\x01\x01",
    "HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1",
    "binary data": bytes(range(256)),
    "a zip": samples.zipped(**{"a.txt": b"hello"}),
    "a zip that calls itself office": samples.zipped(**{"[Content_Types].xml": b"<Types/>"}),
    "a macro": samples.docx(**{"word/vbaProject.bin": b"\0"}),
    "a member outside": samples.docx(**{"../evil.txt": b"x"}),
    "two office files in one": samples.docx(**{"xl/workbook.xml": b"<workbook/>"}),
    "an office file behind something else": b"MZ" + samples.docx(),
    "a cut office file": samples.docx()[:-10],
    "a PDF behind something else": b"<script>x()</script>" + samples.pdf(),
    "a PDF with a tail": samples.pdf() + b"<html><script>x()</script></html>",
    "a PDF with an office file in its tail": samples.pdf() + samples.docx(),
    "a cut PDF": samples.pdf()[:40],
}


@pytest.mark.parametrize("trick", sorted(REFUSED))
def test_what_is_not_taken(trick: str) -> None:
    assert sniff(REFUSED[trick]) is None
