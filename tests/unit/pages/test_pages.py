"""One printed page: what cannot be read is refused by name, and what is read is where the page has it."""

from __future__ import annotations

import contextlib
import cProfile
import os
import stat
import struct
import zlib
from pathlib import Path

import costly_files
import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadwise.drawing.template_maker import find_template
from leadwise.errors import ForeignPage, UnreadablePage
from leadwise.names import LEADS
from leadwise.pages import read
from leadwise.pages.checks import quality
from leadwise.pages.forms import known_printout
from leadwise.pages.layout import Layout, find_layout
from leadwise.pages.leads import ROW_PX, Leads, cut_leads, row_top
from leadwise.pages.read import MAX_BYTES, page_size, read_page

TEMPLATE = known_printout()
LEFT_PX, TOP_PX, _, _ = TEMPLATE.ink_box
USED_PX = 491  # whole columns of 2.5 s at 196.6 px a second


@pytest.fixture(scope="module")
def page_bytes(sample_paths: list[Path]) -> bytes:
    return sample_paths[0].read_bytes()


@pytest.fixture(scope="module")
def page(page_bytes: bytes) -> NDArray[np.uint8]:
    """The first page of the sample; tests change copies of it."""
    picture = read_page(page_bytes)
    picture.setflags(write=False)
    return picture


@pytest.fixture(scope="module")
def sample_cuts(sample_paths: list[Path]) -> list[tuple[Layout, Leads]]:
    """Layout and leads of all 48 pages, cut once."""
    cuts = []
    for path in sample_paths:
        picture = read_page(path)
        layout = find_layout(picture)
        cuts.append((layout, cut_leads(picture, layout)))
    return cuts


# --- reading ---------------------------------------------------------------------------------------------


def test_a_real_page_is_read_as_it_was_published(page: NDArray[np.uint8]) -> None:
    assert page.dtype == np.uint8
    assert page.shape == (1572, 2213, 3)


def test_a_page_with_an_umlaut_and_a_space_in_its_name_is_read(tmp_path: Path, page_bytes: bytes) -> None:
    path = tmp_path / "Seite für Ärzte (1).jpg"
    path.write_bytes(page_bytes)
    assert read_page(path).shape == (1572, 2213, 3)


def test_a_grey_scan_comes_as_three_channels() -> None:
    data = cv2.imencode(".png", np.full((20, 30), 200, np.uint8))[1].tobytes()
    assert read_page(data).shape == (20, 30, 3)


def test_a_missing_page_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePage, match=r"MI\(1\)\.jpg: No such file"):
        read_page(tmp_path / "MI(1).jpg")


def test_a_folder_posing_as_a_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").mkdir()
    with pytest.raises(UnreadablePage, match=r"page\.jpg: a folder\. Name a file in it"):
        read_page(tmp_path / "page.jpg")


def test_a_pipe_and_a_device_are_refused_unread(tmp_path: Path) -> None:
    for path in costly_files.special(tmp_path)[:2]:
        with pytest.raises(UnreadablePage, match=f"{path.name}: not a regular file"):
            read_page(path)


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.jpg").write_bytes(b"\xff\xd8" + bytes(2000))
    monkeypatch.setattr(read, "MAX_BYTES", 1000)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: os.stat_result((stat.S_IFREG, *[0] * 9)))
    with pytest.raises(UnreadablePage, match="at most 0 MB are read"):
        read_page(tmp_path / "page.jpg")


@pytest.mark.parametrize("suffix", [".jp2", ".gif", ".avif", ".ppm", ".hdr"])
def test_formats_that_are_never_named_are_not_decoded(suffix: str) -> None:
    data = cv2.imencode(suffix, np.full((300, 300, 3), 255, np.uint8))[1].tobytes()
    with pytest.raises(
        UnreadablePage, match=r"not an image that can be read \(JPEG, PNG, TIFF, BMP, WebP, PDF\)"
    ):
        read_page(data)


def test_a_jpeg_of_a_thousand_scans_is_refused_undecoded_and_one_of_ten_is_read() -> None:
    with pytest.raises(UnreadablePage, match="a JPEG of 1000 scans; at most 32 are read"):
        page_size(costly_files.progressive(1000))
    assert read_page(costly_files.progressive(10)).shape == (2000, 2000, 3)


def test_a_jpeg_that_says_that_others_follow_it_is_no_way_round_the_limits() -> None:
    with pytest.raises(UnreadablePage, match="a JPEG of 1000 scans; at most 32 are read"):
        page_size(costly_files.with_more_pictures(costly_files.progressive(1000)))
    with pytest.raises(UnreadablePage, match="the JPEG file was cut off"):
        page_size(costly_files.with_more_pictures(costly_files.progressive(10))[:-2000])


def test_what_a_phone_adds_to_a_jpeg_is_not_counted(page_bytes: bytes) -> None:
    film, preview = np.random.default_rng(0).bytes(4_000_000), b"\xff\xda" * 1000
    assert film.count(b"\xff\xda") > 32
    added = b"\xff\xe5" + (len(preview) + 2).to_bytes(2) + preview
    data = page_bytes[:2] + added + page_bytes[2:] + film
    assert np.array_equal(read_page(data), read_page(page_bytes))


def test_a_pdf_of_very_many_parts_is_refused() -> None:
    with pytest.raises(UnreadablePage, match="drawn of more than 20000 parts"):
        read_page(costly_files.many_paths(30_000))
    with pytest.raises(UnreadablePage, match="nests more than 6 drawings"):
        read_page(costly_files.nested_forms(depth=8, each=2))


def test_a_pdf_that_holds_a_jpeg_of_many_scans_or_many_pictures_is_refused() -> None:
    for scans, told in ((1000, "a JPEG of 1000 scans; at most 32"), (10, None)):
        data = costly_files.pdf_of_jpeg(costly_files.progressive(scans, 400), 400)
        if told is None:
            assert read_page(data).shape[2] == 3
        else:
            with pytest.raises(UnreadablePage, match=told):
                read_page(data)
    with pytest.raises(UnreadablePage, match="more than 500 pictures"):
        read_page(costly_files.pdf_of_jpeg(costly_files.progressive(10, 400), 400, times=501))


def test_noise_full_of_lines_costs_little_more_than_a_page(page_bytes: bytes) -> None:
    """It took 180 times as many once; counted in what Python does, which no other program changes."""
    noise = read_page(costly_files.noise(560))
    assert _calls(noise) < 30 * _calls(read_page(page_bytes)[::-1])


def _calls(picture: NDArray[np.uint8]) -> int:
    profile = cProfile.Profile()
    with contextlib.suppress(ForeignPage):
        profile.runcall(find_layout, picture)
    return sum(entry.callcount for entry in profile.getstats())


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").touch()
    with pytest.raises(UnreadablePage, match=r"page\.jpg: the file is empty"):
        read_page(tmp_path / "page.jpg")


def test_a_text_named_jpg_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_text("sinus rhythm, 72 bpm\n" * 50, encoding="utf-8")
    with pytest.raises(UnreadablePage, match=r"page\.jpg: not an image"):
        read_page(tmp_path / "page.jpg")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_truncated_jpeg_is_refused_not_filled_with_grey(page_bytes: bytes, share: float) -> None:
    with pytest.raises(UnreadablePage, match="was cut off"):
        read_page(page_bytes[: int(share * len(page_bytes))])


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_truncated_png_is_refused(page: NDArray[np.uint8], share: float) -> None:
    data = cv2.imencode(".png", page[:200, :200])[1].tobytes()
    with pytest.raises(UnreadablePage, match="was cut off"):
        read_page(data[: int(share * len(data))])


def test_a_picture_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = png_header(20_000, 20_000)
    assert len(bomb) < 1000
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("the bomb was decoded"))
    with pytest.raises(UnreadablePage, match="20000 x 20000 pixels; at most 50 million"):
        read_page(bomb)


def test_a_file_over_the_limit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.jpg"
    with path.open("wb") as handle:
        handle.truncate(MAX_BYTES + 1_000_000)  # a hole on disk, no bytes
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file was read"))
    with pytest.raises(UnreadablePage, match=r"page\.jpg: 51 MB; at most 50 MB"):
        read_page(path)


def test_the_size_of_a_page_is_told_without_decoding(
    page_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("the page was decoded"))
    assert page_size(page_bytes) == (2213, 1572)


def png_header(width: int, height: int) -> bytes:
    """A whole PNG by its chunks that promises more pixels than it holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


# --- layout ----------------------------------------------------------------------------------------------


def test_every_sample_page_is_the_template_moved_by_whole_pixels(sample_cuts) -> None:
    assert len(sample_cuts) == 48
    for layout, _ in sample_cuts:
        assert layout.is_whole_shift
        assert np.abs(layout.matrix[:, 2]).max() <= 3
        assert (layout.scale, layout.rotation_deg) == (1, 0)
        assert (layout.pixels_per_s, layout.pixels_per_mv) == (TEMPLATE.px_per_s, TEMPLATE.px_per_mv)


def test_ink_and_paper_of_every_sample_page_are_measured(sample_cuts) -> None:
    assert max(layout.ink for layout, _ in sample_cuts) < 40
    assert min(layout.paper for layout, _ in sample_cuts) > 230


#: What a scan, a copier or a phone may do to a page: new picture, and where the old pixels went.
WAYS = {
    "turned by 3 degrees": lambda page: turned(page, 3),
    "turned by -3 degrees": lambda page: turned(page, -3),
    "half the size": lambda page: scaled(page, 0.5),
    "twice the size": lambda page: scaled(page, 2),
    "turned and half the size": lambda page: after(turned(page, 1.5), lambda one: scaled(one, 0.5)),
    "a grey border": lambda page: bordered(page, 100, 128),
    "a black border": lambda page: bordered(page, 100, 0),
    "JPEG quality 30": lambda page: (saved(page, 30), np.eye(2, 3)),
    "grey paper": lambda page: ((0.6 * page + 30).astype(np.uint8), np.eye(2, 3)),
    "faded": lambda page: ((255 - 0.4 * (255.0 - page)).astype(np.uint8), np.eye(2, 3)),
    "grey noise": lambda page: (noisy(page), np.eye(2, 3)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", [0, 13, 30, 45])
def test_a_page_is_found_whatever_a_scanner_does_to_it(
    sample_paths: list[Path], way: str, number: int
) -> None:
    picture, moved = WAYS[way](read_page(sample_paths[number]))
    layout = find_layout(picture)
    columns_x = (TEMPLATE.first_x, *TEMPLATE.separators_x, 2118)
    points = np.array([(x, y) for x in columns_x for y in TEMPLATE.baselines_y])
    original = find_layout(read_page(sample_paths[number])).to_page(points)
    off = layout.to_page(points) - (original @ moved[:, :2].T + moved[:, 2])
    assert np.hypot(*off.T).max() < 1.5 * layout.scale
    assert min(quality(crop) for crop in cut_leads(picture, layout).crops) > 0.85


@pytest.mark.parametrize("value", [0, 255])
def test_a_blank_picture_is_no_page(value: int) -> None:
    refused_as(np.full((1572, 2213, 3), value, np.uint8), "nearly of one colour")


def test_noise_is_no_page() -> None:
    refused_as(np.random.default_rng(0).integers(0, 256, (1572, 2213, 3), dtype=np.uint8), "known layout")


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (20, 34), (50, 85)])
def test_a_scrap_of_pink_paper_is_no_page(shape: tuple[int, int]) -> None:
    refused_as(np.full((*shape, 3), (150, 150, 255), np.uint8), "known layout")


def test_a_photo_is_no_page() -> None:
    refused_as(photo(), "known layout")


def test_an_empty_form_is_refused_for_its_separators() -> None:
    form = np.full((1572, 2213, 3), 255, np.uint8)
    cv2.rectangle(form, (68, 284), (2175, 1516), (180, 150, 255), 3)
    refused_as(form, "known layout")


def test_separators_alone_are_no_page() -> None:
    form = np.full((1572, 2213, 3), 255, np.uint8)
    for x in TEMPLATE.separators_x:
        form[420:1110, int(x) - 1 : int(x) + 2] = 0
    refused_as(form, "only 0 of 4 calibration pulses")


def test_a_page_without_its_frame_is_refused(page: NDArray[np.uint8]) -> None:
    painted = page.copy()
    painted[page.max(axis=2) > 150] = 255
    refused_as(painted, r"no frame around them \([01] of 4 sides\)")


@pytest.mark.parametrize("x", TEMPLATE.separators_x)
def test_a_page_without_one_of_its_separators_is_refused(page: NDArray[np.uint8], x: float) -> None:
    painted = page.copy()
    painted[300:1240, int(x) - 6 : int(x) + 8] = 255
    refused_as(painted, "known layout")


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (lambda page: cv2.rotate(page, cv2.ROTATE_180), "on its head: turn it by 180 degrees"),
        (lambda page: cv2.rotate(page, cv2.ROTATE_90_CLOCKWISE), "turn it by 90 degrees anticlockwise"),
        (lambda page: cv2.rotate(page, cv2.ROTATE_90_COUNTERCLOCKWISE), "turn it by 90 degrees clockwise"),
        (lambda page: cv2.flip(page, 1), "mirrored left to right"),
        (lambda page: cv2.flip(page, 0), "mirrored top to bottom"),
    ],
)
def test_a_page_that_lies_otherwise_is_refused_with_what_to_do(
    page: NDArray[np.uint8], changed, what
) -> None:
    refused_as(np.ascontiguousarray(changed(page)), what)


@pytest.mark.parametrize("part", [np.s_[:, :1100], np.s_[:, 700:], np.s_[:900], np.s_[700:]])
def test_a_part_of_a_page_is_refused(page: NDArray[np.uint8], part: tuple[slice, ...]) -> None:
    refused_as(page[part], "known layout")


@given(
    scale=st.floats(0.5, 2.0),
    angle_deg=st.floats(-3, 3),
    border=st.integers(0, 200),
    grey=st.integers(0, 255),
)
@example(scale=0.5, angle_deg=0.0, border=0, grey=0)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_a_scaled_turned_and_bordered_page_gives_twelve_leads_or_a_named_refusal(
    page: NDArray[np.uint8], scale: float, angle_deg: float, border: int, grey: int
) -> None:
    picture = bordered(turned(scaled(page, scale)[0], angle_deg)[0], border, grey)[0]
    try:
        layout = find_layout(picture)
    except ForeignPage:
        return
    assert layout.pixels_per_s == pytest.approx(TEMPLATE.px_per_s * scale, rel=0.005)
    assert layout.rotation_deg == pytest.approx(angle_deg, abs=0.1)
    assert min(quality(crop) for crop in cut_leads(picture, layout).crops) > 0.85


def test_the_template_is_what_pages_have_in_common(sample_paths: list[Path]) -> None:
    """On a handful of pages: whatever `find_template` calls ink there is nearly all in the shipped picture."""
    ink, paper = find_template(TEMPLATE, (read_page(path) for path in sample_paths[:24]))
    known = TEMPLATE.ink
    assert (ink & known).sum() > 0.9 * ink.sum()
    assert (ink & known).sum() > 0.9 * known.sum()
    assert paper.shape == (1572, 2213, 3)
    assert np.abs(paper.astype(int) - TEMPLATE.paper).mean() < 6


def refused_as(picture: NDArray[np.uint8], reason: str) -> None:
    with pytest.raises(ForeignPage, match=reason):
        find_layout(picture)


def turned(page: NDArray[np.uint8], angle_deg: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Clockwise, on a sheet large enough."""
    height, width = page.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle_deg, 1)
    cosine, sine = np.abs(matrix[0])[:2]
    size = (int(width * cosine + height * sine) + 1, int(width * sine + height * cosine) + 1)
    matrix[:, 2] += (np.array(size) - (width, height)) / 2
    return cv2.warpAffine(page, matrix, size, borderValue=(255, 255, 255)), matrix


def scaled(page: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(page, None, fx=scale, fy=scale, interpolation=way)
    return picture, np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5]])


def bordered(page: NDArray[np.uint8], width: int, grey: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    picture = cv2.copyMakeBorder(page, *[width] * 4, cv2.BORDER_CONSTANT, value=(grey, grey, grey))
    return picture, np.array([[1.0, 0, width], [0, 1, width]])


def after(first, then):
    picture, one = first
    changed, two = then(picture)
    return changed, two[:, :2] @ one + np.column_stack([np.zeros((2, 2)), two[:, 2]])


def saved(page: NDArray[np.uint8], jpeg_quality: int) -> NDArray[np.uint8]:
    return cv2.imdecode(
        cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1], cv2.IMREAD_COLOR
    )


def noisy(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)[..., None]
    noise = np.random.default_rng(0).normal(0, 25, grey.shape)
    return np.repeat(np.clip(grey + noise, 0, 255).astype(np.uint8), 3, axis=2)


def photo() -> NDArray[np.uint8]:
    """A picture with light, soft shapes, skin tones and a dark rectangle, as a phone would take it."""
    rng = np.random.default_rng(1)
    soft = cv2.resize(rng.random((9, 12, 3), dtype=np.float32), (1600, 1200), interpolation=cv2.INTER_CUBIC)
    soft = soft * (0.5, 0.6, 1.0) + rng.normal(0, 0.02, soft.shape)
    picture = np.clip(255 * soft, 0, 255).astype(np.uint8)
    cv2.rectangle(picture, (300, 250), (1300, 900), (40, 40, 40), 25)
    return picture


# --- leads -----------------------------------------------------------------------------------------------


def test_a_page_gives_twelve_leads_and_a_strip_of_the_promised_shapes(sample_cuts) -> None:
    for _, leads in sample_cuts:
        assert (leads.crops.shape, leads.crops.dtype) == ((12, 300, 500), np.uint8)
        assert (leads.strip.shape, leads.strip.dtype) == ((300, 2000), np.uint8)
        assert leads.boxes.shape == (13, 4, 2)


def test_nothing_stands_right_of_the_last_column_of_a_lead(sample_cuts) -> None:
    assert not any(leads.crops[:, :, USED_PX:].any() for _, leads in sample_cuts)
    assert not any(leads.strip[:, 4 * USED_PX + 2 :].any() for _, leads in sample_cuts)


def test_ink_is_bright_and_paper_is_black(sample_cuts) -> None:
    for _, leads in sample_cuts:
        share = (leads.crops > 0).mean(axis=(1, 2))
        assert share.min() > 0.003
        assert share.max() < 0.1


def test_the_dots_of_the_grid_are_gone(sample_cuts) -> None:
    # a page has some 2,000 grid dots; at most one speck a lead is left, of a letter or a broken stroke
    specks = [sum(n_specks(crop) for crop in leads.crops) for _, leads in sample_cuts]
    assert max(specks) <= 12
    assert np.median(specks) <= 3


def test_the_calibration_pulse_stays_outside(page: NDArray[np.uint8], sample_cuts) -> None:
    layout, _ = sample_cuts[0]
    for baseline in TEMPLATE.baselines_y:
        x, y = layout.to_page(np.array([TEMPLATE.first_x, baseline])).astype(int)
        assert tallest_stroke_px(page[y - 100 : y + 20, x - 70 : x - 2].max(axis=2) < 60) > 70  # it is there
    first = [leads.crops[LEADS.index(names[0]), :, :8] for _, leads in sample_cuts for names in TEMPLATE.rows]
    upright = [tallest_stroke_px(crop > 127) for crop in first]
    assert np.mean(np.array(upright) > 70) < 0.05  # an R wave may begin there, a pulse never does on all


def test_separators_are_left_out(sample_cuts) -> None:
    """A separator is 120 px long or more within a row; hardly a trace begins as steeply."""
    edges = [
        leads.crops[LEADS.index(name)][:, :4]
        for _, leads in sample_cuts
        for names in TEMPLATE.rows
        for name in names[1:]
    ] + [
        leads.crops[LEADS.index(name)][:, USED_PX - 3 :]
        for _, leads in sample_cuts
        for names in TEMPLATE.rows
        for name in names[:3]
    ]
    assert np.mean([tallest_stroke_px(edge > 127) > 100 for edge in edges]) < 0.02


def test_boxes_lie_where_the_layout_says(sample_cuts) -> None:
    for layout, leads in sample_cuts:
        for row, names in enumerate(TEMPLATE.rows):
            for column, name in enumerate(names):
                left, top = layout.to_page(
                    np.array(
                        [
                            TEMPLATE.first_x + column * TEMPLATE.column_px,
                            TEMPLATE.baselines_y[row] - ROW_PX / 2,
                        ]
                    )
                )
                width, height = TEMPLATE.column_s * layout.pixels_per_s, ROW_PX
                wanted = [
                    (left, top),
                    (left + width, top),
                    (left + width, top + height),
                    (left, top + height),
                ]
                np.testing.assert_allclose(leads.boxes[LEADS.index(name)], wanted, atol=1e-6)


def test_separators_stand_between_the_boxes_of_neighbouring_leads(sample_cuts) -> None:
    for layout, leads in sample_cuts:
        for names in TEMPLATE.rows:
            separators = layout.to_page(np.array([(x, 700) for x in TEMPLATE.separators_x]))[:, 0]
            for separator, name in zip(separators, names[1:], strict=True):
                assert leads.boxes[LEADS.index(name), 0, 0] == pytest.approx(separator, abs=1.5)


def test_the_strip_spans_the_four_leads_above_it(sample_cuts) -> None:
    for _, leads in sample_cuts:
        strip = leads.boxes[-1]
        assert strip[0, 0] == pytest.approx(leads.boxes[LEADS.index("I"), 0, 0])
        assert strip[1, 0] == pytest.approx(leads.boxes[LEADS.index("V4"), 1, 0])
        assert strip[0, 1] > leads.boxes[LEADS.index("III"), 3, 1] - 1


def test_ink_lies_on_the_page_where_its_box_says(page: NDArray[np.uint8], sample_cuts) -> None:
    _, leads = sample_cuts[0]
    dark = page.max(axis=2) < 60
    for lead in range(12):
        left, top = np.round(leads.boxes[lead, 0]).astype(int)
        rows, columns = np.nonzero(leads.crops[lead] == 255)
        # boxes are exact and crops begin at whole pixels, so a column may lie one further to either side
        hits = [dark[top + rows, left + columns + shift].mean() for shift in (-1, 0, 1)]
        assert max(hits) > 0.99


def test_crops_and_strip_are_cut_from_the_ink_of_the_page(sample_cuts) -> None:
    _, leads = sample_cuts[0]
    for row, names in enumerate(TEMPLATE.rows):
        for column, name in enumerate(names):
            y, x = row_top(TEMPLATE, row), TEMPLATE.columns_x[column]
            wanted = leads.ink[y : y + ROW_PX, x : x + USED_PX]
            np.testing.assert_array_equal(leads.crops[LEADS.index(name), :, :USED_PX], wanted)
    np.testing.assert_array_equal(
        leads.strip[:, : leads.ink.shape[1]], leads.ink[row_top(TEMPLATE, 3) :][:ROW_PX]
    )


def test_nothing_of_the_form_is_left_in_the_ink(sample_cuts) -> None:
    """Separators, names and text stand at the same place on all pages; a trace does not."""
    common = np.mean([leads.ink > 127 for _, leads in sample_cuts], axis=0)
    assert common.max() < 0.75
    names = [TEMPLATE.label_box(row, column) for row in range(3) for column in range(1, 4)]
    for rows, columns in names:
        where = np.s_[
            rows.start - TOP_PX : rows.stop - TOP_PX, columns.start - LEFT_PX : columns.stop - LEFT_PX
        ]
        assert common[where][:4].max() < 0.2  # above the trace, where letters are and the trace is not


def test_an_r_wave_above_the_frame_is_still_ink(whole_ink_above: int) -> None:
    assert whole_ink_above > 0


@pytest.fixture(scope="module")
def whole_ink_above(sample_cuts) -> int:
    """Rows of ink above the frame, over all sample pages."""
    above = int(TEMPLATE.frame[1]) - TOP_PX
    return int(sum((leads.ink[:above] > 127).any(axis=1).sum() for _, leads in sample_cuts))


def n_specks(crop: NDArray[np.uint8]) -> int:
    """Components of at most 4 px, as the dots of the grid are."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((crop > 127).astype(np.uint8), connectivity=8)
    return int((stats[1:, cv2.CC_STAT_AREA] <= 4).sum())


def tallest_stroke_px(ink: NDArray[np.bool_]) -> int:
    """Length of the longest unbroken run of ink in any column."""
    longest = run = np.zeros(ink.shape[1], int)
    for row in ink:
        run = (run + 1) * row
        longest = np.maximum(longest, run)
    return int(longest.max())


# --- quality ---------------------------------------------------------------------------------------------


def test_a_trace_without_gaps_has_nearly_full_quality(sample_cuts) -> None:
    assert min(quality(crop) for _, leads in sample_cuts for crop in leads.crops) > 0.95


@pytest.mark.parametrize(("columns", "share"), [(0, 0.0), (245, 245 / 491), (491, 1.0)])
def test_quality_is_the_share_of_time_with_ink(columns: int, share: float) -> None:
    crop = np.zeros((300, 500), np.uint8)
    crop[150, :columns] = 255
    assert quality(crop) == pytest.approx(share)


def test_ink_after_the_2_5_seconds_does_not_count_for_quality() -> None:
    crop = np.zeros((300, 500), np.uint8)
    crop[150, USED_PX:] = 255
    assert quality(crop) == 0


# --- the whole set ---------------------------------------------------------------------------------------


def test_all_491_distinct_pages_are_the_template_moved_by_whole_pixels(whole_set: Path) -> None:
    from leadwise.sets.catalogue import find_pages

    files = find_pages(whole_set).files
    distinct = files.drop_duplicates("sha256")
    assert (len(files), len(distinct)) == (928, 491)
    for path in distinct["path"]:
        layout = find_layout(read_page(whole_set / path))
        assert layout.is_whole_shift, path
        assert np.abs(layout.matrix[:, 2]).max() <= 3, path


def test_a_jpeg_with_something_after_its_end_is_read(sample_folder: Path, sample_pages: pd.DataFrame) -> None:
    data = (sample_folder / sample_pages["path"][0]).read_bytes()
    assert read_page(data + b"\0" * 300).shape == (1572, 2213, 3)
    assert read_page(data + b"left by a camera " * 20).shape == (1572, 2213, 3)
