"""What the ink network learns from: recordings drawn on pages of any form and look, their crops kept in a store."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.drawing.drawn import FORMS
from leadwise.drawing.ink_crops import LEVELS, Crop, crops
from leadwise.drawing.ink_pages import known_ink, page_crops
from leadwise.names import LEADS
from leadwise.pages.forms import Form
from leadwise.pages.ink_maps import KINDS
from leadwise.pages.read import read_page
from leadwise.recordings.records import read_record
from leadwise.sets.ptbxl import PHOTOGRAPHED

Mask = NDArray[np.uint8]

LEFT_OUT = frozenset(f"{number:05d}_hr" for number in PHOTOGRAPHED)
"""Recordings of PTB-XL's fold 10 of which others printed pages: on these pages readers are tested."""

_LENGTH_S = 10.0
_OTHERS = 0.2
_REAL = 0.15  # real pages are of one device alone
_GAIN_SPREAD = 0.4  # of a logarithm: hearts of half and of twice the usual voltage are drawn too
_SLOWEST = 0.65  # a recording may be drawn slower by this factor: fewer beats a page than people have


def parted(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Recordings to train on, and about one in ten, by a digest of its name, that is held out; never none."""
    held = [path for path in paths if zlib.crc32(path.name.encode()) % 10 == 0] or list(paths[:1])
    return [path for path in paths if path not in set(held)], held


class Recordings:
    """Recordings, in paths without suffix, as twelve leads of 10 s and a sample, other ones at each call.

    One in five, where there are any, is of `others`: recordings of other databases, of two leads mostly.
    """

    def __init__(self, paths: Sequence[Path], others: Sequence[Path] = ()) -> None:
        if not paths:
            raise ValueError("no recordings to draw pages of")
        self.paths, self.others = tuple(paths), tuple(others)

    def any(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], float]:
        """Signals ``(12, samples)`` in mV and samples a second; a recording of fewer leads is spread over twelve."""
        paths = self.others if self.others and rng.random() < _OTHERS else self.paths
        signals, names, rate_hz = _read(paths[int(rng.integers(len(paths)))])
        samples = int(_LENGTH_S * rate_hz) + 1
        if {lead.lower() for lead in LEADS} <= set(names):
            start = int(rng.integers(0, max(1, signals.shape[1] - samples)))
            twelve = signals[[names.index(lead.lower()) for lead in LEADS], start : start + samples]
            short = samples - twelve.shape[1]
            twelve = np.pad(twelve, ((0, 0), (0, max(0, short))), "edge")
        else:
            starts = rng.integers(0, signals.shape[1] - samples, len(LEADS))
            which, signs = rng.integers(0, len(signals), len(LEADS)), rng.choice([-1, 1], len(LEADS))
            twelve = np.stack(
                [
                    sign * signals[lead, start : start + samples]
                    for lead, start, sign in zip(which, starts, signs, strict=True)
                ]
            )
        return _varied(twelve.astype(np.float64), rate_hz, rng)

    def on_a_form(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], float, Form]:
        """As `any`, and a form to draw it on: what `leadwise.drawing.ink_crops.crops` cuts its crops from."""
        signals_mv, rate_hz = self.any(rng)
        return signals_mv, rate_hz, list(FORMS.values())[int(rng.integers(len(FORMS)))]


class Store:
    """Crops in memory, the oldest replaced by new ones; batches are drawn from it at random.

    `size` crops of `side_px`, of drawn pages and, a share `_REAL` of the time, of real ones: `pages` are files of the
    known form. It is empty until `renew` is called.
    """

    def __init__(
        self, recordings: Recordings, size: int, side_px: int, seed: int, pages: Sequence[Path] = ()
    ) -> None:
        self.recordings, self.pages, self.rng = recordings, tuple(pages), np.random.default_rng(seed)
        self.side_px, self.filled, self.next = side_px, 0, 0
        self.beside = np.zeros((size, 3, side_px, side_px), np.uint8)
        self.kinds = np.zeros((size, len(KINDS), side_px, side_px), np.uint8)
        self.judged = np.ones((size, len(KINDS)), bool)

    def renew(self) -> int:
        """Draw one page and put its crops in place of the oldest; how many."""
        real = self.pages and self.rng.random() < _REAL
        known = known_ink(read_page(self.pages[int(self.rng.integers(len(self.pages)))])) if real else None
        if known:
            drawn = list(page_crops(*known, self.rng, side_px=self.side_px))
        else:
            drawn = list(crops(*self.recordings.on_a_form(self.rng), self.rng, side_px=self.side_px))
        for crop in drawn:
            self.put(crop)
        return len(drawn)

    def put(self, crop: Crop) -> None:
        """One crop in place of the oldest."""
        self.beside[self.next], self.kinds[self.next] = crop.beside, crop.kinds
        self.judged[self.next] = [crop.grid_known or kind not in {"coarse", "fine"} for kind in KINDS]
        self.filled = max(self.filled, self.next + 1)
        self.next = (self.next + 1) % len(self.beside)

    def batch(self, crops: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Channels over the paper's ``(crops, 3, side, side)``, and what covers each pixel, 0 to 1, of six kinds.

        Last, which kinds are known, ``(crops, 6)``. Darkness of each crop is made 0.8 to 1.2 times as strong.
        """
        rows = self.rng.integers(0, self.filled, crops)
        strong = self.rng.uniform(0.8, 1.2, (crops, 1, 1, 1)).astype(np.float32)
        beside = 1 - strong * (1 - self.beside[rows].astype(np.float32) / LEVELS)
        kinds = self.kinds[rows] * np.float32(1 / 255)
        return np.asarray(beside, np.float32), np.asarray(kinds, np.float32), self.judged[rows]


@lru_cache(maxsize=64)
def _read(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...], float]:
    record = read_record(path)
    names = tuple(name.lower() for name in record.names)
    return np.nan_to_num(record.signals).astype(np.float32), names, record.rate_hz


def _varied(
    signals: NDArray[np.float64], rate_hz: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Higher or lower, slower, with a wandering baseline, tremor, a lead off, or a pacemaker's spikes."""
    leads, samples = signals.shape
    signals = signals * np.exp(rng.normal(0, _GAIN_SPREAD))
    seconds = np.arange(samples) / rate_hz
    if rng.random() < 0.3:
        phase, depth = rng.uniform(0, 6.3, (leads, 1)), rng.uniform(0, 0.5, (leads, 1))
        signals = signals + depth * np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * seconds + phase)
    if rng.random() < 0.25:
        signals = signals + rng.normal(0, rng.uniform(0.01, 0.12), signals.shape)
    if rng.random() < 0.1:
        signals = signals + rng.uniform(0.02, 0.15) * np.sin(2 * np.pi * 50 * seconds)
    if rng.random() < 0.05:
        signals[rng.integers(leads, size=2)] = 0
    if rng.random() < 0.06:
        period = int(rate_hz * rng.uniform(0.6, 1.2))
        signals[:, :: max(1, period)] += rng.normal(0, 3, (leads, 1))
    return signals, rate_hz * float(rng.uniform(_SLOWEST, 1.0))
