"""A page as networks see it: small pictures of its ink, its signals, and the usual beat of each lead."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from leadwise.errors import ForeignPage
from leadwise.names import LEADS
from leadwise.pages.digitize import N_LEAD, N_STRIP, RATE_HZ, Signals, digitize
from leadwise.pages.forms import known_form
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import Page
from leadwise.recordings.filters import resampled
from leadwise.recordings.records import read_record
from leadwise.sets.arrays import shrink
from leadwise.sets.page_beats import median_beat, simple_features

INK_PX, STRIP_PX = (48, 80), (48, 320)
"""Height and width of a lead's and the strip's ink: 32 px a second in both."""

SIGNAL_HZ = 125
"""Rate of the signals: pages are printed at up to 25 Hz, so half of what was digitised loses nothing."""

LEAD_SAMPLES, STRIP_SAMPLES = 312, 1250
"""Samples of a lead's 2.5 s and of the strip's 10 s."""

LARGEST_MV = 5.0
"""No real wave is larger; digitising errors are."""

PrintFilter = Callable[[NDArray[np.floating], float], NDArray[np.float64]]
"""Signals ``(leads, samples)`` in mV and their rate in Hz to the same in the band that is printed."""

Views = dict[str, NDArray[Any]]
"""By name: ``ink`` uint8 ``(12, 48, 80)`` and ``ink_strip`` ``(48, 320)``, ``signals`` in mV ``(12, 312)`` and
``rhythm`` ``(1250,)``, ``beats`` in mV ``(12, 81)``; 0 where nothing was read. Stacked: pages come first."""


def views_of(pages: Iterable[Page]) -> Views:
    """Pictures of pages as networks see them, stacked. Raises `ForeignPage` for one of another layout."""
    return stacked(map(_views_of_page, pages))


def views_of_found(pages: Iterable[Page]) -> tuple[Views, NDArray[np.bool_]]:
    """The same of those pages whose layout is found, and which these are ``(pages,)``; none raises `ForeignPage`."""
    found: list[Views] = []
    is_found = []
    for page in pages:
        try:
            found.append(_views_of_page(page))
        except ForeignPage:
            is_found.append(False)
        else:
            is_found.append(True)
    if not found:
        raise ForeignPage("none of these pages is of the known layout.")
    return stacked(found), np.array(is_found)


def _views_of_page(page: Page) -> Views:
    leads = cut_leads(page, find_layout(page))
    return all_views(leads.crops, leads.strip, digitize(leads))


def stacked(pages: Iterable[Views]) -> Views:
    """The views of several pages in one array for each name."""
    every = list(pages)
    return {name: np.stack([page[name] for page in every]) for name in every[0]}


def all_views(crops: NDArray[np.uint8], strip: NDArray[np.uint8], signals: Signals) -> Views:
    """One page in every view; ink is shrunk by area."""
    return {
        "ink": np.stack([shrink(crop, INK_PX) for crop in crops]),
        "ink_strip": shrink(strip, STRIP_PX),
        **signal_views(signals),
        "beats": _at_signal_hz(median_beat(signals)),
    }


def signal_views(signals: Signals) -> Views:
    """Leads and strip of one page at SIGNAL_HZ, all that the student looks at."""
    return {"signals": _at_signal_hz(signals.leads), "rhythm": _at_signal_hz(signals.strip)}


def views_of_recordings(paths: Iterable[Path], filters: Mapping[str, PrintFilter]) -> dict[str, Views]:
    """By filter: `printed_views` of recordings, stacked; each is read once. Raises what `read_record` raises."""
    views: dict[str, list[Views]] = {name: [] for name in filters}
    for path in tqdm(list(paths), "recordings", mininterval=2, file=sys.stdout):
        signals_mv, rate_hz = twelve_leads(path)
        for name, filtered in filters.items():
            views[name].append(printed_views(filtered(signals_mv, rate_hz), rate_hz))
    return {name: stacked(each) for name, each in views.items()}


def features_of_recordings(paths: Iterable[Path], filtered: PrintFilter) -> NDArray[np.float64]:
    """`simple_features` ``(recordings, 41)`` of recordings as the known form would print them by a filter."""
    found = []
    for path in paths:
        signals_mv, rate_hz = twelve_leads(path)
        found.append(simple_features(printed_signals(filtered(signals_mv, rate_hz), rate_hz)))
    return np.array(found)


def twelve_leads(path: Path) -> tuple[NDArray[np.float64], float]:
    """A recording's leads ``(12, samples)`` in mV in the order of LEADS, and samples a second."""
    record = read_record(path)
    return np.stack([record.lead(lead) for lead in LEADS]), record.rate_hz


def printed_views(signals_mv: NDArray[np.floating], rate_hz: float) -> Views:
    """What a student sees of `printed_signals`."""
    return signal_views(printed_signals(signals_mv, rate_hz))


def printed_signals(signals_mv: NDArray[np.floating], rate_hz: float) -> Signals:
    """Twelve leads of a recording as the known form prints and its reader reads them, without a page between.

    `signals_mv` ``(12, samples)`` in the order of LEADS, in the band that is printed; the first 10 s are taken,
    and what is shorter is 0 afterwards. Each lead is there for the 2.5 s of its column, the strip is lead II.
    """
    whole = np.zeros((len(LEADS), N_STRIP))
    at_rate = resampled(signals_mv, rate_hz, RATE_HZ)[:, :N_STRIP]
    whole[:, : at_rate.shape[1]] = at_rate
    leads = np.zeros((len(LEADS), N_LEAD), np.float32)
    for names in known_form().rows:
        for column, name in enumerate(names):
            lead = LEADS.index(name)
            leads[lead] = whole[lead, column * N_LEAD : (column + 1) * N_LEAD]
    return Signals(leads, whole[LEADS.index("II")].astype(np.float32))


def levelled(views: Views) -> Views:
    """The same signals, each trace around its own median: where a page has its 0 mV is not known of every form."""
    return {
        name: np.asarray(view - np.median(view, axis=-1, keepdims=True), np.float32)
        for name, view in views.items()
    }


def _at_signal_hz(millivolts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of neighbouring samples, ``(..., samples)``: 250 to 125 Hz; nan counts as 0."""
    pairs = RATE_HZ // SIGNAL_HZ
    millivolts = np.nan_to_num(millivolts)
    whole = millivolts[..., : millivolts.shape[-1] // pairs * pairs]
    return np.asarray(whole.reshape(*whole.shape[:-1], -1, pairs).mean(axis=-1))
