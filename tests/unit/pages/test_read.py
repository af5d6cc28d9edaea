"""Files as they come: whatever program wrote a page, the same ECG is read from it, or a sentence says why not."""

from __future__ import annotations

import contextlib
import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import costly_files
import cv2
import numpy as np
import pypdfium2
import pytest
from drawn import ecg
from numpy.typing import NDArray
from PIL import Image

from leadwise.drawing.render import render
from leadwise.errors import DoubtfulPage, ForeignPage, UnreadablePage
from leadwise.pages import pictures, read
from leadwise.pages.layout import find_layout
from leadwise.pages.read import FilePage, PageFile, page_size, read_page
from leadwise.serving.digitize_page import digitize_page
from leadwise.serving.predict import predict

Picture = NDArray[np.uint8]

_BACK = {6: 8, 8: 6}
_OF_PILLOW = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Picture:
    """A page of the known form with a heart on it."""
    drawn = render(ecg(rate_hz=250), 250)
    drawn.setflags(write=False)
    return drawn


@pytest.fixture(scope="module")
def small() -> Picture:
    """Nothing that is like itself when it is turned or mirrored."""
    picture = np.full((40, 60, 3), 255, np.uint8)
    picture[:10, :25], picture[30:, 50:] = (10, 20, 30), (200, 30, 90)
    return picture


def saved(picture: Picture | Image.Image, suffix: str = "png", **how: object) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture[:, :, ::-1])
    out = io.BytesIO()
    image.save(out, {"tif": "TIFF", "jpg": "JPEG"}.get(suffix, suffix.upper()), **how)
    return out.getvalue()


def tagged(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def stored(picture: Picture, orientation: int) -> Image.Image:
    """As a camera stores it that was held so."""
    image = Image.fromarray(picture[:, :, ::-1])
    return image.transpose(_OF_PILLOW[_BACK.get(orientation, orientation)]) if orientation > 1 else image


# --- orientation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_lies_as_its_tag_says(small: Picture, orientation: int, suffix: str) -> None:
    how = {"lossless": True} if suffix == "webp" else {}
    data = saved(stored(small, orientation), suffix, exif=tagged(orientation), **how)
    assert np.array_equal(read_page(data), small)
    assert page_size(data) == (60, 40)


def test_a_picture_without_a_sensible_tag_lies_as_it_is_stored(small: Picture) -> None:
    damaged = saved(small, exif=b"Exif\0\0MM\0no tags")
    assert np.array_equal(read_page(damaged), small)
    assert np.array_equal(read_page(saved(small, exif=tagged(9))), small)
    with PageFile(saved(small)) as file:
        assert file.page(1).as_stored() is None


def test_a_telephone_held_upright_is_read(page: Picture) -> None:
    data = saved(stored(page, 6), "jpg", exif=tagged(6), quality=95)
    assert find_layout(read_page(data)).matrix == pytest.approx(find_layout(page).matrix, abs=1)


@pytest.mark.parametrize(
    "turned", [lambda page: cv2.rotate(page, cv2.ROTATE_180), lambda page: cv2.flip(page, 1)]
)
def test_a_page_of_the_known_form_that_lies_otherwise_is_read_as_that_form(page: Picture, turned) -> None:
    upright = digitize_page(saved(page))
    found = digitize_page(saved(turned(page)))
    assert found.reader == upright.reader == "known form"
    assert "set upright" in found.warnings[0]
    for name, lead in upright.leads.items():
        assert found.leads[name].signal_mv == pytest.approx(lead.signal_mv, abs=0.02, nan_ok=True)


def test_a_scan_whose_tag_lays_the_form_on_its_side_is_read_as_stored_and_says_so(page: Picture) -> None:
    answer = predict(saved(page, exif=tagged(6), compress_level=1))
    assert not any(line.startswith("page") for line in answer.lines()), "there is but one"
    assert np.array_equal(answer.page, page)
    assert any("orientation tag" in warning for warning in answer.warnings)


# --- colours -------------------------------------------------------------------------------------------------


def test_transparent_paper_is_white_whatever_colour_lies_below_it(small: Picture) -> None:
    opaque = np.where(small.min(axis=2) < 255, 255, 0).astype(np.uint8)
    black = np.dstack([np.where(opaque[:, :, None] > 0, small, 0)[:, :, ::-1], opaque])
    for image in (Image.fromarray(black), Image.fromarray(black).quantize(8)):
        assert np.array_equal(read_page(saved(image)), small)
    assert np.array_equal(read_page(saved(Image.fromarray(black), "tif")), small)


def test_half_transparent_ink_is_as_grey_as_on_white() -> None:
    ink = Image.new("LA", (30, 20), (0, 128))
    assert read_page(saved(ink)) == pytest.approx(127, abs=1)


def test_sixteen_bits_with_transparency_are_put_on_white() -> None:
    deep = np.zeros((20, 30, 4), np.uint16)
    deep[:5] = (0, 0, 65535, 65535)
    data = cv2.imencode(".png", deep)[1].tobytes()
    picture = read_page(data)
    assert (picture[:5] == (0, 0, 255)).all()
    assert (picture[5:] == 255).all()


def test_a_picture_all_transparent_is_taken_as_opaque(small: Picture) -> None:
    image = Image.fromarray(np.dstack([small[:, :, ::-1], np.zeros(small.shape[:2], np.uint8)]))
    assert np.array_equal(read_page(saved(image)), small)


@pytest.mark.parametrize("most", [255, 4095, 65535])
def test_grey_of_more_than_eight_bits_is_scaled_not_clipped(most: int) -> None:
    grey = np.linspace(0, most, 600).reshape(20, 30)
    expected = np.round(grey * 255 / most)[:, :, None]
    for suffix in ("png", "tif"):
        deep = Image.fromarray(np.round(grey).astype(np.uint16))
        assert np.abs(read_page(saved(deep, suffix)) - expected).max() <= 1
    assert np.abs(read_page(saved(Image.fromarray(grey.astype(np.float32)), "tif")) - expected).max() <= 1


def test_fractions_of_white_are_a_picture_and_temperatures_are_not() -> None:
    grey = np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30)
    assert read_page(saved(Image.fromarray(grey), "tif")).max() == 255
    for wrong in (grey - 40, np.full_like(grey, np.nan)):
        with pytest.raises(UnreadablePage, match="no brightness"):
            read_page(saved(Image.fromarray(wrong), "tif"))


def test_a_one_bit_scan_is_black_on_white(small: Picture) -> None:
    bits = Image.fromarray(small[:, :, ::-1]).convert("1", dither=Image.Dither.NONE)
    for data in (saved(bits), saved(bits, "tif", compression="group4")):
        picture = read_page(data)
        assert set(np.unique(picture)) == {0, 255}
        assert picture[20, 20].tolist() == [255, 255, 255]


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_printers_inks_come_as_light(small: Picture, suffix: str) -> None:
    inks = Image.fromarray(small[:, :, ::-1]).convert("CMYK")
    assert np.abs(read_page(saved(inks, suffix)).astype(int) - small).mean() < 3


# --- several pages -------------------------------------------------------------------------------------------


def pages_of(*sheets: Picture, suffix: str) -> bytes:
    images = [Image.fromarray(sheet[:, :, ::-1]) for sheet in sheets]
    how = {"compression": "tiff_lzw"} if suffix == "tif" else {"resolution": 200}
    return saved(images[0], suffix, save_all=True, append_images=images[1:], **how)


def cover(page: Picture) -> Picture:
    sheet = np.full_like(page, 255)
    cv2.putText(sheet, "Dear colleague,", (300, 300), cv2.FONT_HERSHEY_SIMPLEX, 3, (0, 0, 0), 5)
    return sheet


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_an_ecg_behind_a_cover_is_found_and_its_page_is_told(page: Picture, suffix: str) -> None:
    answer = predict(pages_of(cover(page), page, suffix=suffix))
    assert (answer.page_number, answer.pages) == (2, 2)
    assert "page 2 of 2" in answer.lines()
    assert (answer.as_json()["page"], answer.as_json()["of_pages"]) == (2, 2)


def test_the_page_asked_for_is_read_alone(page: Picture) -> None:
    data = pages_of(cover(page), page, suffix="tif")
    assert predict(data, page=2).page_number == 2
    with pytest.raises(ForeignPage):
        predict(data, page=1)
    with pytest.raises(UnreadablePage, match="no page 3; the file holds 2 pages"):
        predict(data, page=3)
    with pytest.raises(UnreadablePage, match="no page 2; the file holds 1 page"):
        predict(saved(page, "tif"), page=2)


def test_the_refusal_is_that_of_the_page_nearest_to_an_ecg(small: Picture) -> None:
    why: dict[int, Exception] = {
        1: ForeignPage("no frame"), 2: DoubtfulPage("I + III is not II"), 3: UnreadablePage("blank"),
    }  # fmt: skip

    def refuse(page: FilePage) -> None:
        raise why[page.number]

    with (
        PageFile(pages_of(small, small, small, suffix="tif")) as file,
        pytest.raises(DoubtfulPage, match=r"none of its 3 pages is answered\. Page 2: I \+ III is not II"),
    ):
        file.first_read(refuse)


def test_a_pdf_of_500_pages_is_looked_through_for_20_and_says_so() -> None:
    document = pypdfium2.PdfDocument.new()
    for _ in range(500):
        document.new_page(595, 842)
    out = io.BytesIO()
    document.save(out)
    document.close()
    with pytest.raises(
        UnreadablePage, match=r"none of the first 20 of its 500 pages is answered; name another with --page"
    ):
        predict(out.getvalue())


def test_pages_are_decoded_when_they_are_asked_for(small: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pages_of(small, small, suffix="tif")
    monkeypatch.setattr(pictures, "decode", lambda *_: pytest.fail("a page was decoded"))
    with PageFile(data) as file:
        assert file.page(2).of == 2


def test_a_tiff_of_very_many_pages_is_refused_soon() -> None:
    """Directories that name each other in a chain, eighteen bytes each."""
    entry = struct.pack("<HHHLL", 1, 256, 3, 1, 1)  # one field: a width
    chain = b"".join(entry + struct.pack("<L", 8 + 18 * number) for number in range(1, 20_000))
    with pytest.raises(UnreadablePage):
        read_page(b"II*\0" + struct.pack("<L", 8) + chain)
    tiny = [Image.new("L", (1, 1))] * (pictures.MAX_FRAMES + 1)
    data = saved(tiny[0], "tif", save_all=True, append_images=tiny[1:])
    with pytest.raises(UnreadablePage, match="a TIFF of more than 1000 pages"):
        read_page(data)


# --- drawn PDFs ----------------------------------------------------------------------------------------------


def test_a_pdf_without_a_picture_is_drawn_at_300_dots_an_inch() -> None:
    picture = read_page(costly_files.pdf(b"2 w 0 200 m 600 200 l S"))
    assert picture.shape == (round(400 / 72 * 300 + 0.49), 2500, 3)
    assert picture.min() < 50


@pytest.mark.parametrize(("side_pt", "width_px"), [(60, 2500), (400, 300)])
def test_a_scan_sets_the_scale_and_a_logo_on_a_drawn_page_does_not(side_pt: int, width_px: int) -> None:
    jpeg = cv2.imencode(".jpg", np.full((200, 200), 90, np.uint8))[1].tobytes()
    told = (
        "<</Type/XObject/Subtype/Image/Width 200/Height 200/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
        f"/Length {len(jpeg)}>>stream\n"
    )
    drawn = b"0 200 m 600 200 l S q %d 0 0 %d 0 0 cm /I Do Q" % (side_pt, side_pt)
    data = costly_files.pdf(drawn, "<</XObject<</I 5 0 R>>>>", {5: told.encode() + jpeg + b"\nendstream"})
    assert read_page(data).shape[1] == width_px


@pytest.mark.parametrize(
    ("told", "damaged"), [(b"FlateDecode", b"FlateDecod\xe9"), (b"/Width 9/Height", b"/Wixth 9/Heigxt")]
)
def test_a_damaged_page_of_a_pdf_is_refused_and_those_after_it_are_read(told: bytes, damaged: bytes) -> None:
    objects = {
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 400]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
        2: b"<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>",
        5: costly_files.stream(
            "/Type/XObject/Subtype/Image/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 8", b"9" * 81
        ).replace(told, damaged),
        6: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 400]/Contents 7 0 R>>",
        7: costly_files.stream("", b"2 w 0 200 m 600 200 l S"),
    }  # fmt: skip
    with PageFile(costly_files.pdf(b"q 600 0 0 400 0 0 cm /I Do Q", "", objects)) as file:
        with pytest.raises(UnreadablePage, match=r"page 1 of the PDF cannot be drawn .*\. Copy it again\."):
            _ = file.page(1).picture
        assert file.first_read(lambda page: page.picture).min() < 50


def test_a_scan_within_a_form_of_another_scale_keeps_its_pixels() -> None:
    jpeg = cv2.imencode(".jpg", np.full((300, 450), 90, np.uint8))[1].tobytes()
    told = (
        "<</Type/XObject/Subtype/Image/Width 450/Height 300/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
        f"/Length {len(jpeg)}>>stream\n"
    )
    form = (
        "/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Matrix[600 0 0 400 0 0]/Resources<</XObject<</I 6 0 R>>>>"
    )
    objects = {5: costly_files.stream(form, b"/I Do"), 6: told.encode() + jpeg + b"\nendstream"}
    data = costly_files.pdf(b"/F Do", "<</XObject<</F 5 0 R>>>>", objects)
    assert read_page(data).shape == (300, 450, 3)


def test_a_drawn_page_as_large_as_a_house_has_no_more_pixels_than_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("leadwise.pages.pdf.MAX_PIXELS", 1_000_000)
    height, width, _ = read_page(costly_files.pdf(b"2 w 0 200 m 600 200 l S")).shape
    assert 900_000 < height * width <= 1_010_000


def test_a_locked_pdf_is_told_apart_from_a_damaged_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_: bytes) -> None:
        raise pypdfium2.PdfiumError("Failed to load document (PDFium: Incorrect password error).")

    monkeypatch.setattr(pypdfium2, "PdfDocument", locked)
    with pytest.raises(UnreadablePage, match="Save it without a password"):
        read_page(b"%PDF-1.7\n")


# --- files of other kinds, and bad ones ----------------------------------------------------------------------


def test_a_telephones_heic_names_the_package_that_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnreadablePage, match="pip install pillow-heif"):
        read_page(b"\0\0\0\x18ftypheic" + bytes(100))


def test_a_heic_is_read_where_its_package_is(small: Picture) -> None:
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif, which reads HEIC, is not installed")
    heif.register_heif_opener()
    picture = read_page(saved(np.kron(small, np.ones((4, 4, 1), np.uint8)), "heif", quality=95))
    assert picture.shape == (160, 240, 3)


def png_with(kind: bytes, content: bytes, picture: Picture) -> bytes:
    data = saved(picture)
    chunk = kind + content
    return (
        data[:33] + struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    )


@pytest.mark.parametrize(
    "chunk",
    [
        lambda: (b"iCCP", b"colours\0\0" + zlib.compress(bytes(20_000_000), 9)),
        lambda: (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(20_000_000), 9)),
        lambda: (
            b"eXIf",
            b"II*\0\x08\0\0\0" + b"\xff\xff" + b"\x12\x01\x03\0\xff\xff\xff\xff\0\0\0\0" * 65_535,
        ),
    ],
    ids=["a colour profile", "a compressed tag", "tags of very many values"],
)
def test_what_lies_packed_beside_a_picture_is_no_way_round_the_limits(
    small: Picture, chunk: Callable[[], tuple[bytes, bytes]]
) -> None:
    with contextlib.suppress(UnreadablePage):
        assert np.array_equal(read_page(png_with(*chunk(), small)), small)


def test_a_cut_off_tiff_and_webp_are_refused(page: Picture, tmp_path: Path) -> None:
    for suffix in ("tif", "webp"):
        path = tmp_path / f"page.{suffix}"
        data = saved(page[:300, :300], suffix)
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(UnreadablePage, match=f"page.{suffix}"):
            read_page(path)


def test_a_page_of_the_known_form_is_read_from_every_way_to_store_it(page: Picture) -> None:
    found = find_layout(page).matrix
    image = Image.fromarray(page[:, :, ::-1])
    for data in (saved(image.convert("L"), "tif"), saved(image.convert("RGBA"), compress_level=1)):
        assert np.abs(find_layout(read_page(data)).matrix - found).max() < 1


def test_the_limits_stand_in_one_place() -> None:
    assert {".pdf", ".heic", *read.IMAGE_SUFFIXES} <= read.PAGE_SUFFIXES
