"""One printed page: what cannot be read is refused by name, and what is read is where the page has it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadwise.errors import ForeignPage, UnreadablePage
from leadwise.pages.digitize import rhythm_lead, trace_px
from leadwise.pages.layout import (
    BASELINES_Y,
    FIRST_X,
    PIXELS_PER_S,
    SEPARATORS_X,
    Layout,
    find_layout,
)
from leadwise.pages.leads import LEAD_S, LEADS, ON_PAGE, ROW_PX, Leads, cut_leads, ink_of
from leadwise.pages.quality import quality
from leadwise.pages.read import MAX_BYTES, page_size, read_page

USED_PX = 491  # whole columns of 2.5 s at 196.6 px a second


@pytest.fixture(scope="module")
def sample_paths(sample_folder: Path, sample_pages: pd.DataFrame) -> list[Path]:
    return [sample_folder / path for path in sample_pages["path"]]


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
    with pytest.raises(UnreadablePage, match=r"page\.jpg: Is a directory"):
        read_page(tmp_path / "page.jpg")


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


def test_the_separators_of_every_sample_page_stand_where_the_template_has_them(sample_cuts) -> None:
    found = np.array([layout.separators_x for layout, _ in sample_cuts])
    assert found.shape == (48, 3)
    np.testing.assert_allclose(found, np.tile(SEPARATORS_X, (48, 1)), atol=1)


def test_a_second_of_the_trace_is_196_6_px_on_every_sample_page(sample_cuts) -> None:
    assert [layout.pixels_per_s for layout, _ in sample_cuts] == pytest.approx([196.6] * 48, rel=1e-3)


def test_a_millivolt_is_78_6_px_on_every_sample_page(sample_cuts) -> None:
    assert [layout.pixels_per_mv for layout, _ in sample_cuts] == pytest.approx([78.6] * 48, rel=5e-3)


def test_no_sample_page_is_turned(sample_cuts) -> None:
    assert max(abs(layout.rotation_deg) for layout, _ in sample_cuts) < 0.1


@pytest.mark.parametrize("value", [0, 255])
def test_a_blank_picture_is_no_page(value: int) -> None:
    refused_as(np.full((1572, 2213, 3), value, np.uint8), "no frame found")


def test_noise_is_no_page() -> None:
    refused_as(np.random.default_rng(0).integers(0, 256, (1572, 2213, 3), dtype=np.uint8), "no frame found")


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (20, 34), (50, 85)])
def test_a_scrap_of_pink_paper_is_no_page(shape: tuple[int, int]) -> None:
    refused_as(np.full((*shape, 3), (150, 150, 255), np.uint8), "known layout")


def test_a_photo_is_no_page() -> None:
    refused_as(photo(), "known layout")


def test_a_page_printed_in_grey_is_refused(page: NDArray[np.uint8]) -> None:
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    refused_as(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), "no frame found")


def test_an_empty_form_is_refused_for_its_separators() -> None:
    form = np.full((1572, 2213, 3), 255, np.uint8)
    cv2.rectangle(form, (68, 284), (2175, 1516), (180, 150, 255), 3)
    refused_as(form, "no separator near x = 64")


@pytest.mark.parametrize("x", SEPARATORS_X)
def test_a_page_without_one_of_its_separators_is_refused(page: NDArray[np.uint8], x: float) -> None:
    painted = page.copy()
    painted[300:1240, int(x) - 6 : int(x) + 8] = 255
    refused_as(painted, "no separator near x = ")


@pytest.mark.parametrize("angle_deg", [-2, 2, 90])
def test_a_turned_page_is_refused(page: NDArray[np.uint8], angle_deg: float) -> None:
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1)
    refused_as(cv2.warpAffine(page, turn, (width, height), borderValue=(255, 255, 255)), "frame|turned")


def test_a_page_upside_down_is_refused(page: NDArray[np.uint8]) -> None:
    refused_as(cv2.rotate(page, cv2.ROTATE_180), "no separator")


def test_a_mirrored_page_is_refused(page: NDArray[np.uint8]) -> None:
    refused_as(cv2.flip(page, 1), "no separator")


def test_a_page_squeezed_along_one_axis_is_refused(page: NDArray[np.uint8]) -> None:
    refused_as(
        cv2.resize(page, (2213, 1400), interpolation=cv2.INTER_AREA), "its sides should be as 1.71 to 1"
    )


@pytest.mark.parametrize("part", [np.s_[:, :1100], np.s_[:, 300:], np.s_[:900], np.s_[600:]])
def test_a_part_of_a_page_is_refused(page: NDArray[np.uint8], part: tuple[slice, ...]) -> None:
    refused_as(page[part], "known layout")


@given(scale=st.floats(0.6, 1.6), border=st.tuples(*[st.integers(0, 300)] * 4))
@example(scale=0.6, border=(0, 0, 0, 0))
@example(scale=1.6, border=(300, 0, 300, 0))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_scaled_and_shifted_page_gives_twelve_leads_or_a_named_refusal(
    page: NDArray[np.uint8], scale: float, border: tuple[int, int, int, int]
) -> None:
    picture = scaled(page, scale, border)
    try:
        layout = find_layout(picture)
    except ForeignPage:
        return
    leads = cut_leads(picture, layout)
    assert layout.pixels_per_s == pytest.approx(PIXELS_PER_S * scale, rel=0.01)
    assert leads.crops.shape == (12, 300, 500)
    assert min(quality(crop) for crop in leads.crops) > 0.8


@pytest.mark.parametrize("scale", [0.6, 0.75, 1.3, 1.6])
def test_a_lead_looks_the_same_from_a_scan_of_another_size(
    page: NDArray[np.uint8], sample_cuts, scale: float
) -> None:
    picture = scaled(page, scale, (40, 0, 90, 0))
    crops = cut_leads(picture, find_layout(picture)).crops
    for crop, original in zip(crops, sample_cuts[0][1].crops, strict=True):
        ours, theirs = trace_px(crop), trace_px(original)
        # crops begin at whole pixels, so the two may lie one pixel (5 ms) apart
        alike = [correlation(np.roll(ours, shift)[2:480], theirs[2:480]) for shift in (-1, 0, 1)]
        assert max(alike) > 0.95
        assert abs(np.nanmedian(ours - theirs)) < 1.5


def refused_as(picture: NDArray[np.uint8], reason: str) -> None:
    with pytest.raises(ForeignPage, match=reason):
        find_layout(picture)


def scaled(page: NDArray[np.uint8], scale: float, border: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(page, None, fx=scale, fy=scale, interpolation=way)
    return cv2.copyMakeBorder(picture, *border, cv2.BORDER_CONSTANT, value=(255, 255, 255))


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
    assert not any(leads.strip[:, 4 * USED_PX :].any() for _, leads in sample_cuts)


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
    layout, leads = sample_cuts[0]
    for row, names in enumerate(ON_PAGE):
        x = layout.to_page(FIRST_X, 0)[0]
        assert leads.boxes[LEADS.index(names[0]), 0, 0] == pytest.approx(x)
        pulse = page[int(BASELINES_Y[row]) - 100 : int(BASELINES_Y[row]) + 20, int(x) - 70 : int(x) - 2]
        assert tallest_stroke_px(pulse.max(axis=2) < 60) > 70  # it is there, left of where the lead begins
    first = [leads.crops[LEADS.index(names[0]), :, :8] for _, leads in sample_cuts for names in ON_PAGE]
    upright = [tallest_stroke_px(crop > 127) for crop in first]
    assert np.mean(np.array(upright) > 70) < 0.05  # an R wave may begin there, a pulse never does on all


def test_separators_are_left_out(sample_cuts) -> None:
    for _, leads in sample_cuts:
        for names in ON_PAGE:
            for column, name in enumerate(names):
                crop = leads.crops[LEADS.index(name)]
                edges = ([crop[:, :4]] if column else []) + ([crop[:, USED_PX - 3 :]] if column < 3 else [])
                assert not any(edge.any() for edge in edges)


def test_boxes_lie_where_the_layout_says(sample_cuts) -> None:
    for layout, leads in sample_cuts:
        for row, names in enumerate(ON_PAGE):
            for column, name in enumerate(names):
                left, top = layout.to_page(
                    FIRST_X + column * LEAD_S * PIXELS_PER_S, BASELINES_Y[row] - ROW_PX / 2
                )
                width, height = LEAD_S * layout.pixels_per_s, ROW_PX * layout.y_scale
                wanted = [
                    (left, top),
                    (left + width, top),
                    (left + width, top + height),
                    (left, top + height),
                ]
                np.testing.assert_allclose(leads.boxes[LEADS.index(name)], wanted, atol=1e-6)


def test_separators_stand_between_the_boxes_of_neighbouring_leads(sample_cuts) -> None:
    for layout, leads in sample_cuts:
        for names in ON_PAGE:
            for separator, name in zip(layout.separators_x, names[1:], strict=True):
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
        # boxes are exact and crops begin at whole pixels, so a column may lie one further to the right
        hits = [dark[top + rows, left + columns + shift].mean() for shift in (0, 1)]
        assert max(hits) == 1


def test_taking_the_grid_away_does_not_move_the_trace(page: NDArray[np.uint8], sample_cuts) -> None:
    layout, leads = sample_cuts[0]
    top = round(layout.to_page(0, BASELINES_Y[3] - ROW_PX / 2)[1])
    left = round(layout.to_page(FIRST_X, 0)[0])
    printed = ink_of(page)[top : top + ROW_PX, left : left + 4 * USED_PX]
    cut = leads.strip[:, : 4 * USED_PX]
    assert not (cut & ~printed).any()
    assert (cut > 127).sum() > 0.9 * (printed > 127).sum()


def test_lead_one_and_three_add_up_to_two(sample_cuts) -> None:
    """Einthoven: were the leads cut in another order, this would not hold."""
    found = []
    for _, leads in sample_cuts:
        one, two, three = (trace_px(leads.crops[LEADS.index(name)])[60:480] for name in ("I", "II", "III"))
        found.append(correlation(one + three, two))
    assert np.median(found) > 0.95


def test_the_augmented_leads_add_up_to_nothing(sample_cuts) -> None:
    """aVR + aVL + aVF = 0, so aVL and aVF together are aVR upside down."""
    found = []
    for _, leads in sample_cuts:
        right, left, foot = (
            trace_px(leads.crops[LEADS.index(name)])[60:480] for name in ("aVR", "aVL", "aVF")
        )
        found.append(correlation(left + foot, -right))
    assert np.median(found) > 0.9


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


def correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1])


# --- rhythm strip, traces, quality -----------------------------------------------------------------------


def test_the_rhythm_strip_repeats_lead_two_or_three_on_nearly_all_pages(sample_cuts) -> None:
    named = [rhythm_lead(leads)[0] for _, leads in sample_cuts]
    assert sum(name in {"II", "III"} for name in named) >= 46
    assert set(named) <= {"II", "III", None}


def test_a_strip_that_repeats_the_third_row_is_told_from_lead_two(sample_cuts) -> None:
    leads = sample_cuts[0][1]
    strip = np.zeros_like(leads.strip)
    strip[:, :USED_PX] = leads.crops[LEADS.index("II"), :, :USED_PX]
    assert rhythm_lead(Leads(leads.crops, strip, leads.boxes))[0] == "II"


def test_a_blank_strip_repeats_no_lead(sample_cuts) -> None:
    leads = sample_cuts[0][1]
    name, value = rhythm_lead(Leads(leads.crops, np.zeros_like(leads.strip), leads.boxes))
    assert name is None
    assert np.isnan(value)


def test_a_strip_of_another_page_repeats_no_lead(sample_cuts) -> None:
    ours, other = sample_cuts[0][1], sample_cuts[20][1]
    name, value = rhythm_lead(Leads(ours.crops, other.strip, ours.boxes))
    assert name is None
    assert value < 0.95


def test_the_trace_of_a_drawn_line_is_that_line() -> None:
    crop = np.zeros((300, 500), np.uint8)
    wanted = np.round(150 + 60 * np.sin(np.arange(400) / 40)).astype(int)
    for x, y in enumerate(wanted):
        crop[y - 1 : y + 2, x] = 255
    trace = trace_px(crop)
    assert trace.dtype == np.float32
    np.testing.assert_allclose(trace[:400], wanted, atol=1e-3)
    assert np.isnan(trace[400:]).all()


def test_faint_ink_weighs_less_in_a_trace() -> None:
    crop = np.zeros((100, 1), np.uint8)
    crop[10], crop[20] = 200, 50
    assert trace_px(crop)[0] == pytest.approx(12)


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


def test_all_491_distinct_pages_are_pages_of_the_known_layout(whole_set: Path) -> None:
    from leadwise.data.catalogue import find_pages

    files = find_pages(whole_set).files
    distinct = files.drop_duplicates("sha256")
    assert (len(files), len(distinct)) == (928, 491)
    found = np.array([find_layout(read_page(whole_set / path)).separators_x for path in distinct["path"]])
    np.testing.assert_allclose(found, np.tile(SEPARATORS_X, (491, 1)), atol=1)


def test_a_jpeg_with_something_after_its_end_is_read(sample_folder: Path, sample_pages: pd.DataFrame) -> None:
    data = (sample_folder / sample_pages["path"][0]).read_bytes()
    assert read_page(data + b"\0" * 300).shape == (1572, 2213, 3)
    assert read_page(data + b"left by a camera " * 20).shape == (1572, 2213, 3)
