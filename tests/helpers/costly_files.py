"""Small files that cost whoever opens them much: each by a name, made the same each time."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np


def progressive(scans: int, side: int = 2000) -> bytes:
    """A grey JPEG of so many scans: one of its own, which adds nothing, again and again."""
    grey = np.full((side, side), 200, np.uint8)
    data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    starts = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    last = data[starts[-1] : -2]
    return data[:-2] + last * (scans - len(starts)) + data[-2:]


def with_more_pictures(jpeg: bytes) -> bytes:
    """The same JPEG, but it says (CIPA DC-007) that another picture follows."""
    index = struct.pack("<HHL4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHLL", 0xB001, 4, 1, 2)
    index += struct.pack("<HHLL", 0xB002, 7, 32, 50)  # where its entries are: after the index
    told = b"MPF\0II*\0" + struct.pack("<LH", 8, 3) + index + struct.pack("<L", 0)
    told += struct.pack("<LLLHH", 0x20030000, len(jpeg), 0, 0, 0) + struct.pack(
        "<LLLHH", 0, 1000, len(jpeg), 0, 0
    )
    return jpeg[:2] + b"\xff\xe2" + struct.pack(">H", len(told) + 2) + told + jpeg[2:]


def pdf(content: bytes, resources: str = "<<>>", objects: Mapping[int, bytes] = {}) -> bytes:
    """A PDF of one page with this content; `objects` from number 5 on are what the resources name."""
    every = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 400]/Contents 4 0 R/Resources {resources}>>".encode(),
        4: stream("", content),
        **objects,
    }
    data, places = b"%PDF-1.7\n", {}
    for number, body in every.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    begin = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(every) + 1)
    data += b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    return data + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(every) + 1, begin)


def stream(told: str, content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return f"<<{told}/Length {len(packed)}/Filter/FlateDecode>>stream\n".encode() + packed + b"\nendstream"


def nested_forms(depth: int = 12, each: int = 10) -> bytes:
    """A PDF whose forms call each other: each draws the next ten times, 10**12 parts in all."""
    objects = {}
    for level in range(depth):
        number = 5 + level
        inner = f"/Resources<</XObject<</F {number + 1} 0 R>>>>" if level < depth - 1 else ""
        drawn = b"/F Do " * each if level < depth - 1 else b"0 0 m 9 9 l S"
        objects[number] = stream(f"/Type/XObject/Subtype/Form/BBox[0 0 600 400]{inner}", drawn)
    return pdf(b"/F Do " * each, "<</XObject<</F 5 0 R>>>>", objects)


def many_paths(number: int = 10_000_000) -> bytes:
    """A PDF of very many strokes, which pack to little."""
    return pdf(b"0 0 m 9 9 l S\n" * number)


def pdf_of_jpeg(jpeg: bytes, side: int, times: int = 1) -> bytes:
    """A PDF that shows a grey JPEG so many times."""
    told = (
        f"<</Type/XObject/Subtype/Image/Width {side}/Height {side}/ColorSpace/DeviceGray/BitsPerComponent 8"
        f"/Filter/DCTDecode/Length {len(jpeg)}>>stream\n"
    )
    drawn = b"q 600 0 0 400 0 0 cm /I Do Q " * times
    return pdf(drawn, "<</XObject<</I 5 0 R>>>>", {5: told.encode() + jpeg + b"\nendstream"})


def noise(side: int) -> bytes:
    """Noise: many upright lines, none of which is a separator's."""
    grey = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    return cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()


def blank(suffix: str, side: int = 7000) -> bytes:
    """White paper, just under the limit of pixels."""
    return cv2.imencode(suffix, np.full((side, side), 255, np.uint8))[1].tobytes()


def large_page(page: bytes, side_px: int = 8300) -> bytes:
    """A real page, as large as may be read."""
    picture = cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR)
    scale = side_px / picture.shape[1]
    return cv2.imencode(".jpg", cv2.resize(picture, None, fx=scale, fy=scale))[1].tobytes()


def wide_png(side: int = 7000) -> bytes:
    """Black and white PNG of as many pixels in a few kilobytes."""
    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(bytes(1 + side // 8)) for _ in range(side)) + rows.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


COSTLY: Mapping[str, Callable[[bytes], bytes]] = {
    "forms.pdf": lambda _: nested_forms(),
    "paths.pdf": lambda _: many_paths(),
    "scans_20000.jpg": lambda _: progressive(20_000),
    "scans_1000.jpg": lambda _: progressive(1_000, 7000),
    "scans_32.jpg": lambda _: progressive(32, 7000),
    "noise_7000.jpg": lambda _: noise(7000),
    "noise_560.jpg": lambda _: noise(560),
    "blank.jpg": lambda _: blank(".jpg"),
    "blank.png": lambda _: blank(".png"),
    "blank.tif": lambda _: blank(".tif"),
    "blank.jp2.jpg": lambda _: blank(".jp2"),
    "blank.webp": lambda _: blank(".webp"),
    "bits.png": lambda _: wide_png(),
}
"""By name, from the bytes of a real page (which some need): a file that must be refused soon."""


def special(folder: Path) -> list[Path]:
    """What has a page's name and is no file: a pipe that nobody fills, a device without end, a folder."""
    os.mkfifo(folder / "pipe.jpg")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "folder.jpg").mkdir()
    return [folder / "pipe.jpg", folder / "zero.jpg", folder / "folder.jpg"]
