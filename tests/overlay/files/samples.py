"""Small files of every kind that is taken, and of kinds that are not, made here byte by byte or by their libraries."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from openpyxl import Workbook
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

__all__ = ["GPS_MARK", "docx", "jpeg_photo", "pdf", "png_photo", "text", "webp_photo", "xlsx", "zipped"]

GPS_MARK = b"Camera of Somebody"
_TURNED = 6


def picture() -> Image.Image:
    image = Image.new("RGB", (64, 48))
    image.putdata([(x * 4 % 256, y * 5 % 256, (x * y) % 256) for y in range(48) for x in range(64)])
    return image


def exif() -> Image.Exif:
    """What a phone writes: the place, the device, and that the picture lies on its side."""
    made = Image.Exif()
    made[Base.Orientation] = _TURNED
    made[Base.Make] = GPS_MARK.decode()
    made.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (30.0, 16.0, 27.0)
    made.get_ifd(IFD.GPSInfo)[GPS.GPSLongitude] = (120.0, 9.0, 12.0)
    return made


def jpeg_photo(*, progressive: bool = False) -> bytes:
    target = io.BytesIO()
    picture().save(target, "JPEG", exif=exif(), comment=GPS_MARK, progressive=progressive, quality=90)
    return target.getvalue()


def png_photo() -> bytes:
    target = io.BytesIO()
    picture().save(target, "PNG", exif=exif())
    content = target.getvalue()
    chunk = b"tEXt" + b"Author\0" + GPS_MARK
    return (
        content[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + content[33:]
    )


def webp_photo() -> bytes:
    target = io.BytesIO()
    picture().save(
        target, "WEBP", exif=exif().tobytes(), xmp=b"<x:xmpmeta>" + GPS_MARK + b"</x:xmpmeta>", lossless=True
    )
    return target.getvalue()


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def text() -> bytes:
    return "交接清单\n投影仪 1 台，价值 < 5000 元。\n".encode()


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return target.getvalue()


def docx(**more: bytes) -> bytes:
    return zipped(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>", **more})


def xlsx() -> bytes:
    target = io.BytesIO()
    book = Workbook()
    assert book.active is not None
    book.active.append(["投影仪", 1])
    book.save(target)
    return target.getvalue()
