"""Pictures that must be refused: the known form without twelve leads of one heart on it, and what is no form at all.

`leadwise.drawing.trials.FOREIGN` has pages of other layouts; here is the rest of what people drop on a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.drawing.render import render
from leadwise.drawing.trials import FOREIGN
from leadwise.names import LEADS
from leadwise.pages.digitize import RATE_HZ
from leadwise.pages.forms import known_printout
from leadwise.pages.read import Page

_SAMPLES = 10 * RATE_HZ + 1

Maker = Callable[[NDArray[np.floating], np.random.Generator], Page]


def blank_form(_: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """The form without a trace."""
    return _printed(np.full((12, _SAMPLES), np.nan), rng)


def flat_lines(_: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """A test print: each trace is one straight line."""
    return _printed(np.zeros((12, _SAMPLES)), rng)


def noise(_: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """Every lead is noise of its own."""
    steps = rng.normal(0, 0.3, (12, _SAMPLES // 10 + 1))
    return _printed(np.stack([np.interp(np.arange(_SAMPLES) / 10, np.arange(len(s)), s) for s in steps]), rng)


def waves(_: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """A generator's sines, each lead with a rate and phase of its own."""
    time_s = np.arange(_SAMPLES) / RATE_HZ
    rate_hz, phase = rng.uniform(0.8, 5, (12, 1)), rng.uniform(0, 2 * np.pi, (12, 1))
    return _printed(0.4 * np.sin(2 * np.pi * rate_hz * time_s + phase), rng)


def one_lead_everywhere(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """One lead of a real page, printed in all twelve places."""
    lead = signals[rng.integers(len(LEADS))]
    return _printed(np.tile(_long(lead[None]), (12, 1)), rng)


def upside_down(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """A page of the known layout on its head."""
    return np.asarray(cv2.rotate(_printed(_long(signals), rng), cv2.ROTATE_180), np.uint8)


def on_its_side(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """A page of the known layout on its side."""
    return np.asarray(cv2.rotate(_printed(_long(signals), rng), cv2.ROTATE_90_CLOCKWISE), np.uint8)


def empty_sheet(_: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """Paper of one colour with the noise of a scanner."""
    width, height = known_printout().page_px
    colour = rng.integers(0, 256, 3)
    return np.clip(colour + rng.normal(0, 3, (height // 2, width // 2, 3)), 0, 255).astype(np.uint8)


def letter(_: NDArray[np.floating], rng: np.random.Generator) -> Page:
    """A page of text with ruled lines."""
    page = np.full((1572, 1112, 3), 255, np.uint8)
    for y in range(120, 1500, 44):
        words = " ".join("".join(rng.choice(list("aeionrstlmdu"), rng.integers(2, 9))) for _ in range(9))
        cv2.putText(page, words, (80, y), cv2.FONT_HERSHEY_DUPLEX, 0.8, (30, 30, 30), 1)
    for x in sorted(rng.integers(100, 1000, 3)):
        cv2.line(page, (int(x), 100), (int(x), 1500), (20, 20, 20), 3)
    return page


KINDS: dict[str, Maker] = {
    **FOREIGN,
    "the form, blank": blank_form,
    "the form, flat lines": flat_lines,
    "the form, noise": noise,
    "the form, sine waves": waves,
    "the form, one lead twelve times": one_lead_everywhere,
    "upside down": upside_down,
    "on its side": on_its_side,
    "an empty sheet": empty_sheet,
    "a letter": letter,
}
"""By what they are: (signals of a real page ``(12, 625)`` in mV, generator) to a picture that must be refused."""


def made(signals: NDArray[np.floating], number: int, seed: int = 0) -> Iterator[tuple[str, Page]]:
    """`number` such pictures, all KINDS in turn, drawn with `signals` ``(pages, 12, 625)`` in mV of real pages."""
    rng = np.random.default_rng(seed)
    kinds = list(KINDS.items())
    for index in range(number):
        name, maker = kinds[index % len(kinds)]
        yield name, maker(np.nan_to_num(signals[rng.integers(len(signals))].astype(float)), rng)


def _long(signals: NDArray[np.floating]) -> NDArray[np.floating]:
    """The 2.5 s of each lead ``(leads, 625)``, repeated to a little over 10 s."""
    return np.tile(signals, (1, _SAMPLES // signals.shape[1] + 1))[:, :_SAMPLES]


def _printed(signals: NDArray[np.floating], rng: np.random.Generator) -> Page:
    return render(signals, RATE_HZ, jpeg_quality=int(rng.integers(60, 96)))
