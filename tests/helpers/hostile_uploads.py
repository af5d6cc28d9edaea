"""Uploads that a server must refuse: noise, halves, bombs, wrong names, huge headers, zips that climb out.

None of them can be answered for; each must be refused in words, soon, and leave the server as it was.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import cv2
import numpy as np

from leadwise.pages.read import Page
from leadwise.serving.http.uploads import Upload

Files = tuple[Upload, ...]
Maker = Callable[[bytes, np.random.Generator], Files]
T = TypeVar("T")

_SUFFIXES = (".jpg", ".png", ".tif", ".bmp", ".webp", ".pdf", ".zip")
_BEGINNINGS = (
    b"", b"\xff\xd8\xff\xe0\x00\x10JFIF\0", b"\x89PNG\r\n\x1a\n", b"II*\0", b"BM", b"RIFF", b"%PDF-1.7\n", b"PK\3\4",
)  # fmt: skip


def random_bytes(_: bytes, rng: np.random.Generator) -> Files:
    """Noise, often behind the first bytes of a known format."""
    data = _one(_BEGINNINGS, rng) + rng.bytes(int(rng.integers(1, 200_000)))
    return (Upload(f"noise{_one(_SUFFIXES, rng)}", data),)


def truncated(page: bytes, rng: np.random.Generator) -> Files:
    """A real page as JPEG or PNG that was cut off."""
    kind = _one((".jpg", ".png"), rng)
    data = page if kind == ".jpg" else _encoded(".png", _decoded(page)[::2, ::2])
    return (Upload(f"half{kind}", data[: int(len(data) * rng.uniform(0.01, 0.95))]),)


def damaged(page: bytes, rng: np.random.Generator) -> Files:
    """A real page whose middle is noise, or whose middle rows are missing from the picture."""
    picture = _decoded(page)
    first = int(rng.integers(300, 700))
    picture[first : first + 500] = rng.integers(0, 256, (500, picture.shape[1], 3), dtype=np.uint8)
    return (Upload("damaged.jpg", _encoded(".jpg", picture)),)


def pixel_bomb(_: bytes, rng: np.random.Generator) -> Files:
    """A small PNG of very many pixels: more than are decoded, or all that just may be."""
    side = int(_one((7000, 7070, 30_000, 65_000), rng))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row = zlib.compressobj(9)
    body = b"".join(row.compress(bytes(1 + side // 8)) for _ in range(min(side, 7070))) + row.flush()
    data = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    return (Upload("bomb.png", data),)


def text_bomb(_: bytes, __: np.random.Generator) -> Files:
    """A PNG of one pixel with a comment that unpacks to 60 MB."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    comment = b"".join(packer.compress(bytes(1_000_000)) for _ in range(60)) + packer.flush()
    parts = [
        (b"IHDR", header),
        (b"zTXt", b"Comment\0\0" + comment),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    ]
    return (Upload("comment.png", b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)),)


def zip_bomb(_: bytes, rng: np.random.Generator) -> Files:
    """A zip that unpacks to 300 MB, in one file, in many, or in a zip within."""
    kind = int(rng.integers(3))
    if kind == 2:
        inner = _zip({"a.hea": b"a 1 360\na.dat 212", "a.dat": bytes(100_000_000)})
        return (Upload("bomb.zip", _zip({"inner.zip": inner})),)
    names = ["a.dat"] if kind == 0 else [f"a{number}.dat" for number in range(15)]
    return (Upload("bomb.zip", _zip({name: bytes(300_000_000 // len(names)) for name in names})),)


def wrong_suffix(page: bytes, rng: np.random.Generator) -> Files:
    """Something under a name that says it is something else, or a page under a name that no page has."""
    text, picture, archive = b"Dear Sir or Madam,\n" * 50, page, _zip({"letter.txt": b"Dear Sir"})
    choices = [
        ("letter.jpg", text), ("letter.pdf", text), ("page.dat", picture), ("page.hea", picture),
        ("page.zip", picture), ("page.exe", picture), ("page.html", b"<script>alert(1)</script>"),
        ("archive.png", archive), ("archive.tiff", archive),
    ]  # fmt: skip
    return (Upload(*_one(choices, rng)),)


def huge_header(page: bytes, rng: np.random.Generator) -> Files:
    """A header far larger than what follows, or one that claims more than there is."""
    signals = rng.bytes(3000)
    headers = [
        b"a 1 360 1000\n" + b"# nothing\n" * 500_000,
        b"a 1000000 360 1000\n" + b"a.dat 212\n" * 1000,
        b"a 2 360 999999999999\na.dat 212\na.dat 212\n",
        b"a 1 1e300 1000\na.dat 212\n",
        b"a 1 360 1000\na.dat 212x1000000000\n",
        b"a 1 360 1000\na.dat 212+99999999999999\n",
        b"a/99999999 1 360 1000\nb 1000\n",
        b"a 1 -5 1000\na.dat 212\n",
        b"a 1 nan 1000\na.dat 212\n",
        b"a 1 360 1000\na.dat 999\n",
        b"a 1 360 999999999\na.dat 212\n",
    ]
    if rng.random() < 0.2:
        start = page[:2] + b"".join(b"\xff\xfe\xff\xff" + bytes(65_533) for _ in range(100))
        return (Upload("comments.jpg", start + page[2 : len(page) // 2]),)
    return (Upload("a.hea", _one(headers, rng)), Upload("a.dat", signals))


def climbing_zip(_: bytes, rng: np.random.Generator) -> Files:
    """A zip whose names lead out of it, or whose member is a link."""
    header = b"a 1 360 1000\na.dat 212\n"
    names = ("../../a.hea", "/etc/a.hea", "..\\..\\a.hea", "x/../../a.hea", "C:\\a.hea")
    if rng.random() < 0.2:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            link = zipfile.ZipInfo("a.hea")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "/etc/passwd")
        return (Upload("link.zip", packed.getvalue()),)
    return (Upload("climb.zip", _zip({_one(names, rng): header, "a.dat": rng.bytes(3000)})),)


def broken_record(_: bytes, rng: np.random.Generator) -> Files:
    """Signals without a header, a header without signals, one that names other files, one that is cut off."""
    signals = Upload("a.dat", rng.bytes(3000))
    choices: list[Files] = [
        (signals,),
        (Upload("a.hea", b"a 1 360 1000\na.dat 212\n"),),
        (Upload("a.hea", b"a 1 360 1000\n../../../etc/passwd 212\n"), signals),
        (Upload("a.hea", b"a 1 360 1000\n/etc/passwd 16\n"), signals),
        (Upload("a.hea", b"a 2 360 650000\na.dat 212\na.dat 212\n"), signals),
        (Upload("a.hea", rng.bytes(500)), signals),
        (Upload("a.hea", b"a 1 360 200\na.dat 212\n"), signals),
        (
            Upload("a.hea", b"a 1 360 1000\na.dat 212\n"),
            Upload("b.hea", b"b 1 360 1000\na.dat 212\n"),
            signals,
        ),
    ]
    return _one(choices, rng)


def two_at_once(page: bytes, rng: np.random.Generator) -> Files:
    """A page and something beside it that is none."""
    return (Upload("page.jpg", page), Upload("noise.jpg", rng.bytes(1000)))


HOSTILE: dict[str, Maker] = {
    "random bytes": random_bytes,
    "truncated": truncated,
    "damaged": damaged,
    "pixel bomb": pixel_bomb,
    "text bomb": text_bomb,
    "zip bomb": zip_bomb,
    "wrong suffix": wrong_suffix,
    "huge header": huge_header,
    "zip that climbs out": climbing_zip,
    "broken record": broken_record,
    "two at once": two_at_once,
}
"""By what they are: (bytes of a real page, generator) to the files of one request."""


def made(page: bytes, number: int, seed: int = 0) -> Iterator[tuple[str, Files]]:
    """`number` such uploads, all HOSTILE in turn, made with the bytes of a real page."""
    rng = np.random.default_rng(seed)
    kinds = list(HOSTILE.items())
    for index in range(number):
        name, maker = kinds[index % len(kinds)]
        yield name, maker(page, rng)


def _one(choices: Sequence[T], rng: np.random.Generator) -> T:
    return choices[int(rng.integers(len(choices)))]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _decoded(data: bytes) -> Page:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _encoded(suffix: str, picture: Page) -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()
