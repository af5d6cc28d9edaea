"""How far reading a page can be trusted: pages as scanners spoil them, pages of others, and a way there and back.

Nothing here is used to read a page; it all looks at what was read. Distorted pages are real ones, so the place of
each lead is known; foreign ones are drawn with real traces in other layouts; the round trip prints recordings on
the known template and digitises them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.drawing.drawn_ink import as_jpeg, turned_clockwise
from leadwise.drawing.print_bands import run_forwards
from leadwise.drawing.render import render
from leadwise.errors import ForeignPage
from leadwise.names import LEADS
from leadwise.pages.checks import quality
from leadwise.pages.digitize import N_LEAD, RATE_HZ, digitize
from leadwise.pages.forms import known_form, known_printout
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import Page

PRINTED_HZ = (0.67, 25.0)
"""The band in which the pages are printed, by their footers; by what filters is not known."""

Map = NDArray[np.float64]
_OFF_PX = 3.0
_READ = 0.9


# --- pages as scanners spoil them ---------------------------------------------------------------------------


def rotated(page: Page) -> tuple[Page, Map]:
    """Turned clockwise by 3 degrees on a white sheet that holds it all; and where its pixels went."""
    return turned_clockwise(page, 3.0)


def scaled(page: Page) -> tuple[Page, Map]:
    """At half its size."""
    picture = cv2.resize(page, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    moved = 0.5 / 2 - 0.5  # the middle of the first pixel is (0, 0) in both
    return _page(picture), np.array([[0.5, 0, moved], [0, 0.5, moved]])


def recompressed(page: Page) -> tuple[Page, Map]:
    """Saved as JPEG once more, of quality 30."""
    return as_jpeg(page, 30), np.eye(2, 3)


def bordered(page: Page) -> tuple[Page, Map]:
    """On a grey sheet that is 100 px larger at each side, as on the glass of a scanner."""
    picture = cv2.copyMakeBorder(page, 100, 100, 100, 100, cv2.BORDER_CONSTANT, value=(96, 96, 96))
    return _page(picture), np.array([[1.0, 0, 100], [0, 1, 100]])


def noisy(page: Page) -> tuple[Page, Map]:
    """As a grey copy with noise of 25 grey levels."""
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY).astype(np.int16)
    noise = np.random.default_rng(int(grey[::50, ::50].sum())).normal(0, 25.0, grey.shape)
    picture = cv2.cvtColor(np.clip(grey + noise, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return _page(picture), np.eye(2, 3)


DISTORTIONS: dict[str, Callable[[Page], tuple[Page, Map]]] = {
    "rotated": rotated,
    "scaled": scaled,
    "jpeg30": recompressed,
    "border": bordered,
    "noise": noisy,
}
"""What a page must survive: turned by 3 degrees, half the size, JPEG quality 30, a border, grey noise."""


def is_found(page: Page, way: str) -> bool:
    """Whether all leads of a real page are still found after one of DISTORTIONS.

    Found is: rows and columns within 3 px of where they went, and ink in 90 % of each lead's columns.
    """
    template = known_printout()
    columns_x = (template.first_x, *template.separators_x, 2118.0)  # the last is near the end of the traces
    places = np.array([(x, y) for x in columns_x for y in template.baselines_y])
    where = find_layout(page).to_page(places)
    picture, moved = DISTORTIONS[way](page)
    try:
        layout = find_layout(picture)
    except ForeignPage:
        return False
    off = layout.to_page(places) - (where @ moved[:, :2].T + moved[:, 2])
    if np.hypot(*off.T).max() > _OFF_PX * layout.scale:
        return False
    return min(quality(crop) for crop in cut_leads(picture, layout).crops) >= _READ


# --- pages of others ----------------------------------------------------------------------------------------


def six_by_two(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """Six rows of two leads with names, pulses and a separator on a pink grid in a frame: another device's page."""
    look = Look.at_random(rng, rows=6, grid="pink")
    return _drawn(signals, "6x2", replace(look, frame=True, pulse="left", separators="line"))


def three_by_four_unframed(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """Three rows of four leads and a strip as many devices print them: no frame, short marks between the leads."""
    look = Look.at_random(rng, rows=4, grid="pink")
    return _drawn(signals, "3x4+1", replace(look, frame=False, separators="tick"))


def known_form_without_its_frame(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """The known page itself, its paper white: everything in its place but grid and frame."""
    page = render(np.tile(signals, (1, 4)), RATE_HZ, rhythm="II", jpeg_quality=int(rng.integers(60, 96)))
    return _page(np.where(page.max(axis=2, keepdims=True) > 130, 255, page))


def photo(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:  # noqa: ARG001
    """Soft light, a dark window with three bars and noise: a picture of something else."""
    soft = cv2.resize(rng.random((9, 12, 3), dtype=np.float32), (2000, 1400), interpolation=cv2.INTER_CUBIC)
    soft = soft * (0.5, 0.6, 1.0) + rng.normal(0, 0.03, soft.shape)
    page = np.clip(255 * soft, 0, 255).astype(np.uint8)
    x, y, bar = int(rng.integers(250, 350)), int(rng.integers(200, 300)), int(rng.integers(350, 450))
    cv2.rectangle(page, (x, y), (x + 4 * bar, y + int(1.404 * bar)), (40, 40, 40), 21)
    for number in (1, 2, 3):
        cv2.line(page, (x + number * bar, y), (x + number * bar, y + int(1.404 * bar)), (40, 40, 40), 9)
    return _page(page)


FOREIGN: dict[str, Callable[[NDArray[np.floating], np.random.Generator], Page]] = {
    "six rows of two leads": six_by_two,
    "three rows of four, no frame": three_by_four_unframed,
    "the known form without its frame": known_form_without_its_frame,
    "a photo of something else": photo,
}
"""Kinds of pages that must be refused, drawn with the twelve leads ``(12, 625)`` in mV of a real page."""


def is_refused(page: Page) -> bool:
    """Whether `find_layout` takes a page for one of another layout."""
    try:
        find_layout(page)
    except ForeignPage:
        return True
    return False


def _drawn(signals: NDArray[np.floating], form: str, look: Look) -> Page:
    """The 2.5 s of each lead that a page shows, again and again on a page of another form."""
    return draw(np.nan_to_num(np.tile(signals, (1, 4))), RATE_HZ, FORMS[form], look).page


# --- there and back -----------------------------------------------------------------------------------------


def band_limited(signals: NDArray[np.floating], rate_hz: float) -> NDArray[np.float64]:
    """Signals ``(leads, samples)`` in the printed band of 0.67 to 25 Hz, without shift in phase."""
    from scipy.signal import butter, sosfiltfilt

    band = butter(4, PRINTED_HZ, "bandpass", fs=rate_hz, output="sos")
    return np.asarray(sosfiltfilt(band, np.nan_to_num(signals), axis=1))


def band_limited_forwards(signals: NDArray[np.floating], rate_hz: float) -> NDArray[np.float64]:
    """The same by filters that run forwards alone: 0.67 Hz, first order, then 25 Hz, second order.

    As a filter in a device that prints while it records must; it shifts phase, and bends ST segments.
    """
    from scipy.signal import butter

    filtered = np.nan_to_num(signals).astype(np.float64)
    for order, cut_hz, kind in ((1, PRINTED_HZ[0], "highpass"), (2, PRINTED_HZ[1], "lowpass")):
        sections = butter(order, cut_hz, kind, fs=rate_hz, output="sos")
        filtered = run_forwards(sections, filtered)
    return np.asarray(filtered)


PRINT_FILTERS: Mapping[str, Callable[[NDArray[np.floating], float], NDArray[np.float64]]] = MappingProxyType(
    {"zero_phase": band_limited, "causal": band_limited_forwards}
)
"""Two ways to the band that stands at the pages' feet; which of them the device takes, or neither, is not known."""


def drawn(signals: NDArray[np.floating], rate_hz: float, print_filter: str = "zero_phase") -> Page:
    """10 s of twelve leads on the template, in 0.67 to 25 Hz by one of PRINT_FILTERS."""
    return render(PRINT_FILTERS[print_filter](signals, rate_hz), rate_hz)


def round_trip(
    signals: NDArray[np.floating], rate_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Print 10 s of twelve leads on the template and read the page: what was printed and what was read.

    Both ``(12, 625)`` mV, each lead over the 2.5 s that the page shows of it, its mean taken out. What is printed is
    the signal in 0.67 to 25 Hz; what was not read counts as its mean.
    """
    from scipy.signal import resample_poly

    printed = band_limited(signals, rate_hz)
    page = render(printed, rate_hz)
    read = digitize(cut_leads(page, find_layout(page))).leads.astype(float)
    whole = resample_poly(printed, RATE_HZ, round(rate_hz), axis=1)
    shown = np.zeros(read.shape)
    for names in known_form().rows:
        for column, name in enumerate(names):
            lead = LEADS.index(name)
            shown[lead] = whole[lead, column * N_LEAD : (column + 1) * N_LEAD]
    return shown - shown.mean(axis=1, keepdims=True), np.nan_to_num(
        read - np.nanmean(read, axis=1, keepdims=True)
    )


def round_trip_snr_db(signals: NDArray[np.floating], rate_hz: float) -> NDArray[np.float64]:
    """Signal to noise ``(12,)`` in dB of the way through a printed page; neither gain nor time is fitted."""
    printed, read = round_trip(signals, rate_hz)
    return np.asarray(10 * np.log10(np.sum(printed**2, axis=1) / np.sum((read - printed) ** 2, axis=1)))


def _page(picture: Any) -> Page:
    return np.asarray(picture, np.uint8)
