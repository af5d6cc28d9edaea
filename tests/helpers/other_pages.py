"""Pages of many kinds with what is known of them, and how well a reader of any page reads each.

Cases are made one at a time, so that thousands need no more memory than one. Kinds with truth: ``ludb`` (drawn by
others), ``drawn`` (by `leadwise.drawing.drawn`), ``known_form`` (as its device draws it), ``mendeley`` (real pages;
the truth is what the known form's own reader reads), ``pdf`` (vector PDFs of PTB-XL's recordings), ``twins`` (scans;
the truth is what is read from the drawn page). Of ``devices`` and ``scans`` nothing is known but what leads must be
to each other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.drawing.drawn import FORMS, Look, draw, with_any_strips
from leadwise.drawing.drawn_ink import as_jpeg
from leadwise.drawing.photographed import as_printed, photographed
from leadwise.drawing.render import render
from leadwise.drawing.trials import band_limited
from leadwise.errors import ForeignPage, InputError
from leadwise.names import LEADS
from leadwise.pages.digitize import RATE_HZ as KNOWN_HZ
from leadwise.pages.digitize import digitize
from leadwise.pages.forms import Form, lead_of
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.page_signals import PageSignals
from leadwise.pages.read import Page, read_page
from leadwise.scores.drawn_pages import taken_for_truth
from leadwise.scores.snr import aligned_snr_db, page_snr_db
from leadwise.sets.views import twelve_leads

GRIDDED = ("red", "pink", "blue", "green", "grey")
COLOURED, OTHER_GRIDS = ("red", "pink", "blue", "green"), ("grey", "none")

Reader = Callable[[], PageSignals]


@dataclass(frozen=True)
class Truth:
    """What a lead shows, on the page's clock."""

    start_s: float
    rate_hz: float
    signal_mv: NDArray[np.float64]

    @property
    def length_s(self) -> float:
        return len(self.signal_mv) / self.rate_hz


@dataclass(frozen=True)
class Case:
    """A page to be read by `read`; pages of one `group` (a recording, a file) are not independent.

    `keeps_class` asks whether a page of the known form gets the class of the flat page, None where it gets none.
    """

    kind: str
    name: str
    group: str
    read: Reader
    layout: str = ""
    grid: str = ""
    printed: Mapping[str, Any] | None = None
    strips: tuple[str, ...] | None = None
    keeps_class: Callable[[], bool | None] | None = None


def ludb(folder: Path) -> Iterator[Case]:
    """LUDB's recordings, three rows of four and a strip, drawn by others."""
    for path in sorted(folder.glob("*.webp")):
        signals, rate_hz = recording(path.with_suffix(""))
        printed = printed_of(signals, rate_hz, FORMS["3x4+1"])
        yield Case("ludb", path.name, path.stem, reader_of(path), "3x4+1", "red", printed, ("II",))


def drawn(recordings: list[Path], looks: int, grids: tuple[str, ...], seed: int = 0) -> Iterator[Case]:
    """Each recording `looks` times in each of FORMS."""
    for number, form in enumerate(FORMS.values()):
        rng = np.random.default_rng((seed, number))
        for path in recordings:
            signals, rate_hz = recording(path)
            for look in range(looks):
                rows = len(form.rows) + len(form.strips)
                made = Look.at_random(rng, rows=rows, grid=str(rng.choice(grids)))
                page = draw(signals, rate_hz, with_any_strips(form, rng), made)
                name = f"{form.name} {path.name} {look}"
                kind = "drawn" if grids == COLOURED else "drawn_grey"
                yield Case(
                    kind,
                    name,
                    path.name,
                    _of_page(page.page),
                    form.name,
                    made.grid,
                    page.leads,
                    tuple(page.strips),
                )


SCALES = ((50.0, 10.0), (50.0, 5.0), (25.0, 5.0), (25.0, 20.0))
"""Speeds, mm/s, and gains, mm/mV, other than the usual ones."""


def drawn_scales(recordings: list[Path], grids: tuple[str, ...], seed: int = 3) -> Iterator[Case]:
    """Each recording in each of SCALES, in one of FORMS after the other, with pulses that tell speed and gain.

    At 20 mm/mV it is drawn at half its voltages: those are for which that gain is chosen.
    """
    forms = list(FORMS.values())
    for number, (speed, gain) in enumerate(SCALES):
        rng = np.random.default_rng((seed, number))
        for turn, path in enumerate(recordings):
            form = replace(forms[(turn + number) % len(forms)].at_speed(speed), gain_mm_per_mv=gain)
            signals, rate_hz = recording(path)
            rows = len(form.rows) + len(form.strips)
            made = Look.at_random(rng, rows=rows, grid=str(rng.choice(grids)))
            made = replace(made, pulse=str(rng.choice(["left", "right"])))
            page = draw(signals / 2 if gain > 10 else signals, rate_hz, form, made)
            layout = f"{speed:g} mm/s {gain:g} mm/mV"
            name = f"{form.name} {path.name} {layout}"
            read = _of_page(page.page)
            yield Case(
                "drawn_scales", name, path.name, read, layout, made.grid, page.leads, tuple(page.strips)
            )


def photographs(folder: Path) -> Iterator[Case]:
    """Recordings of PTB-XL that others printed, crumpled and photographed."""
    for path in sorted(folder.glob("*.jpg")):
        record = path.with_name(path.name.removesuffix("-0.jpg"))
        printed = printed_of(*recording(record), FORMS["3x4+1"])
        yield Case("photos", path.name, path.name, reader_of(path), "3x4+1", "red", printed, ("II",))


def drawn_photographs(recordings: list[Path], looks: int, seed: int = 2) -> Iterator[Case]:
    """Each recording `looks` times in each of FORMS, bent and photographed."""
    for number, form in enumerate(FORMS.values()):
        rng = np.random.default_rng((seed, number))
        for path in recordings:
            signals, rate_hz = recording(path)
            for look in range(looks):
                made = Look.at_random(
                    rng, rows=len(form.rows) + len(form.strips), grid=str(rng.choice(GRIDDED))
                )
                flat = draw(signals, rate_hz, with_any_strips(form, rng), as_printed(made, rng))
                seen = photographed(flat, rng)
                name = f"{form.name} {path.name} {look}"
                yield Case(
                    "drawn_photos", name, path.name, _of_page(seen.page), form.name, made.grid, flat.leads,
                    tuple(flat.strips),
                )  # fmt: skip


def known_form(recordings: list[Path]) -> Iterator[Case]:
    """Recordings on the known form, in its printed band."""
    for path in recordings:
        signals, rate_hz = recording(path)
        signals = band_limited(signals, rate_hz)
        printed = printed_of(signals, rate_hz, FORMS["3x4+1"])
        page = render(signals, rate_hz)
        yield Case("known_form", path.name, path.name, _of_page(page), "3x4+1", "pink", printed, ("II",))


def mendeley(folder: Path, every: int) -> Iterator[Case]:
    """Every so-manieth distinct page; the truth is what the known form's reader reads, where it reads all leads."""
    from leadwise.sets.catalogue import find_pages

    files = find_pages(folder).files.drop_duplicates("sha256")
    for path in files["path"][::every]:
        page = read_page(folder / path)
        leads = digitize(cut_leads(page, find_layout(page))).leads
        if not np.isfinite(leads).all():
            continue
        starts = {name: 2.5 * (number // 3) for number, name in enumerate(LEADS)}
        printed = {
            name: Truth(starts[name], KNOWN_HZ, lead.astype(float))
            for name, lead in zip(LEADS, leads, strict=True)
        }
        yield Case("mendeley", path, path, _of_page(page), "3x4+1", "pink", printed)


def on_a_table(folder: Path, every: int, seed: int = 4) -> Iterator[Case]:
    """Every so-manieth distinct page of the Mendeley set as `seen_on_a_table`, and whether it keeps its class."""
    from leadwise.sets.catalogue import find_pages

    rng = np.random.default_rng(seed)
    files = find_pages(folder).files.drop_duplicates("sha256")
    for path in files["path"][::every]:
        seen = seen_on_a_table(read_page(folder / path), rng)
        yield Case(
            "on_a_table", path, path, _of_page(seen), keeps_class=partial(_has_class_of, seen, folder / path)
        )


def seen_on_a_table(page: Page, rng: np.random.Generator) -> Page:
    """A page turned by 3 to 40 degrees, its corners up to a twentieth of its height nearer, on a brown table."""
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    angle = np.radians(rng.choice([-1, 1]) * rng.uniform(3, 40))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    there = (corners + rng.uniform(-0.05, 0.05, (4, 2)) * height) @ turn
    there = (there - there.min(axis=0) + 0.1 * height).astype(np.float32)
    size = [int(side + 0.1 * height) for side in there.max(axis=0)]
    seen = cv2.warpPerspective(
        page, cv2.getPerspectiveTransform(corners, there), size, borderValue=(60, 80, 110)
    )
    return as_jpeg(np.asarray(seen, np.uint8), 90)


def _has_class_of(page: Page, flat: Path) -> bool | None:
    """Whether a page's class is that of the flat one; None where it has none."""
    from leadwise.serving.predict import Answer, predict

    try:
        answer, of_flat = predict(cv2.imencode(".png", page)[1].tobytes()), predict(flat)
    except InputError:
        return None
    return (
        answer.label == of_flat.label if isinstance(answer, Answer) and isinstance(of_flat, Answer) else None
    )


def pdfs(folder: Path, recordings: Path) -> Iterator[Case]:
    """Vector PDFs of PTB-XL's recordings; those of others without truth."""
    for path in sorted(folder.glob("*.pdf")):
        named = re.fullmatch(r"ptbxl_(\d{5}_hr)(_6x2)?", path.stem)
        if named is None or not (record := recordings / named[1]).with_suffix(".hea").is_file():
            yield Case("pdf_other", path.name, path.stem, reader_of(path))
            continue
        form = FORMS["6x2" if named[2] else "3x4+1"]
        printed = printed_of(*recording(record), form)
        yield Case("pdf", path.name, named[1], reader_of(path), form.name, "", printed)


def unknown(kind: str, folder: Path, by_eye: Path | None = None) -> Iterator[Case]:
    """Pictures of which no truth is known, but for what a table says that eyes saw: layout and strips of each."""
    seen = {} if by_eye is None else pd.read_csv(by_eye, keep_default_na=False, index_col="file").T.to_dict()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".png", ".jpg", ".jpeg"}:
            what = seen.get(path.name, {"layout": "", "strips": ""})
            yield Case(
                kind,
                path.name,
                path.stem,
                reader_of(path),
                what["layout"],
                strips=tuple(what["strips"].split()),
            )


def twins(folder: Path) -> Iterator[Case]:
    """Contest pages that were printed, scanned in black and white, and have the drawn page beside them.

    The truth is what is read from the drawn one: a reader that errs on both alike agrees with itself.
    """
    for path in sorted(folder.glob("*-0004.png")):
        drawn_page = path.with_name(path.name.replace("-0004", "-0001"))
        if drawn_page.is_file():
            read = _read_picture(read_page(drawn_page))
            yield Case(
                "twins", path.name, path.stem, reader_of(path), read.form, "black", taken_for_truth(read),
                tuple(read.strips),
            )  # fmt: skip


def measured(case: Case) -> dict[str, Any]:
    """How a page was read, as a row: seconds of the processor, refused and why, SNR, layout, physics, warnings."""
    row: dict[str, Any] = {
        "kind": case.kind, "name": case.name, "group": case.group, "layout": case.layout, "grid": case.grid
    }  # fmt: skip
    begun = time.process_time()
    if case.keeps_class is not None:
        kept = case.keeps_class()
        return row | {
            "read": kept is not None, "class_kept": bool(kept), "seconds": time.process_time() - begun
        }  # fmt: skip
    try:
        read = case.read()
    except InputError as error:
        return row | {"read": False, "why": str(error), "seconds": time.process_time() - begun}
    row |= {"read": True, "why": "", "seconds": time.process_time() - begun, "form": read.form}
    row |= {"warned": len(read.warnings), "warnings": " ".join(read.warnings)}
    row |= {"einthoven": read.quality.einthoven, "goldberger": read.quality.goldberger}
    if case.printed is not None:
        row |= {
            "raw": page_snr_db(case.printed, read),
            "aligned": aligned_snr_db(case.printed, read),
            "layout_right": is_laid_out(case, read),
        }
    elif case.layout:
        row["layout_right"] = read.form == case.layout and tuple(read.strips) == case.strips
    return row


def is_laid_out(case: Case, read: PageSignals) -> bool:
    """Whether each lead was found where it is printed, within a fifth of its length, and the strips by name."""
    printed = case.printed or {}
    return (
        set(read.leads) == set(printed)
        and all(
            abs(read.leads[name].start_s - lead.start_s) < 0.2 * lead.length_s
            and abs(read.leads[name].length_s - lead.length_s) < 0.2 * lead.length_s
            for name, lead in printed.items()
        )
        and (case.strips is None or tuple(read.strips) == case.strips)
    )


def recording(path: Path) -> tuple[NDArray[np.float64], float]:
    """Twelve leads ``(12, samples)`` in mV in the order of LEADS, and samples a second."""
    signals, rate_hz = twelve_leads(path)
    return np.nan_to_num(signals), rate_hz


def records_in(folder: Path) -> list[Path]:
    """All records below a folder, without suffix."""
    return sorted(path.with_suffix("") for path in folder.rglob("*.hea"))


def printed_of(signals: NDArray[np.float64], rate_hz: float, form: Form) -> dict[str, Truth]:
    """What a form shows of signals, columns one after the other."""
    printed = {}
    for names in form.rows:
        for column, (name, _) in enumerate(map(lead_of, names)):
            first, last = (round((column + end) * form.column_s * rate_hz) for end in (0, 1))
            printed[name] = Truth(column * form.column_s, rate_hz, signals[LEADS.index(name), first:last])
    return printed


def reader_of(path: Path) -> Reader:
    """Reads a file: of a PDF its paths, of all else its picture."""
    return (lambda: _read_pdf(path)) if path.suffix == ".pdf" else (lambda: _read_picture(read_page(path)))


def _of_page(page: Page) -> Reader:
    return lambda: _read_picture(page)


def _read_picture(page: Page) -> PageSignals:
    from leadwise.pages.any_page import read_any_page

    return read_any_page(page)


def _read_pdf(path: Path) -> PageSignals:
    import pypdfium2

    from leadwise.pages.vector import read_paths

    document = pypdfium2.PdfDocument(path)
    try:
        signals = read_paths(document[0])
    finally:
        document.close()
    if signals is None:
        raise ForeignPage(f"{path.name}: its paths are no traces")
    return signals
