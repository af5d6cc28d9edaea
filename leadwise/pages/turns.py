"""Which side of a page is up: pages that lie on their side, stand on their head or are mirrored.

A page that looks upright is read once. Of others all sides are read and weighed: by physics, since leads that are
read in a wrong order obey no law; by polarity, since R waves point up in I, II and V4 to V6 and down in aVR and V1;
and by the T wave, which comes after its QRS complex.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import DoubtfulPage, InputError
from leadwise.pages import physics
from leadwise.pages.checks import r_peaks
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.page_signals import RATE_HZ, PageSignals, ReadQuality, Trace
from leadwise.pages.rows import without_frames

_POINTS = {"I": 1, "II": 1, "V4": 1, "V5": 1, "V6": 1, "aVR": -1, "V1": -1}
_AFTER_S = (0.08, 0.34)  # of an R wave: its T wave, and no P wave of the next beat up to 100 a minute

# Of 213 recordings, each laid out on 3x4 and turned over in the three ways: `upwards` of 93 % of those upright and of
# 1 % of those upside down lies above the first, `later` of 97 % and of 1 % of the mirrored ones above the second.
_UPWARDS, _LATER = 0.12, 0.02
_LAWFUL = 0.5
_NAMED = 0.3  # four of twelve names
_PIECE_MM = 10.0
_DOWNWARDS = 0.4  # 40 drawn pages of all forms had 0.45 or more if turned, -0.45 or less if not


@dataclass(frozen=True)
class Side:
    """How a page came to lie: turned clockwise by so many quarters, after it mirrored left to right."""

    quarter_turns: int
    mirrored: bool

    def set_up(self, page: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The page, or its ink, brought upright."""
        flipped = cv2.flip(page, 1) if self.mirrored else page
        return np.ascontiguousarray(np.rot90(flipped, self.quarter_turns))

    def laid_back(self, signals: PageSignals, shape: tuple[int, int]) -> PageSignals:
        """What was read of the page brought upright, with lines and turn as the page, of this shape, lies."""
        upright = shape[::-1] if self.quarter_turns % 2 else shape

        def back(trace: Trace) -> Trace:
            x, y = trace.line_px.T
            height, width = upright
            for _ in range(self.quarter_turns):
                x, y = height - 1 - y, x
                height, width = width, height
            line = np.stack([width - 1 - x if self.mirrored else x, y], axis=1)
            return replace(trace, line_px=np.asarray(line, np.float32))

        geometry = signals.geometry
        x, y = geometry.x_px_per_mm, geometry.y_px_per_mm
        turn = (-geometry.turn_degrees if self.mirrored else geometry.turn_degrees) + 90 * self.quarter_turns
        return replace(
            signals.with_traces(back),
            geometry=replace(
                geometry,
                x_px_per_mm=y if self.quarter_turns % 2 else x,
                y_px_per_mm=x if self.quarter_turns % 2 else y,
                turn_degrees=(turn + 180) % 360 - 180,
                mirrored=self.mirrored,
            ),
        )

    def turned_over(self) -> tuple[Side, Side, Side]:
        """The other sides along which its rows run."""
        opposite = (self.quarter_turns + 2) % 4
        return (
            replace(self, quarter_turns=opposite),
            replace(self, mirrored=not self.mirrored),
            Side(opposite, not self.mirrored),
        )

    def __str__(self) -> str:
        turned = f"turned by {90 * self.quarter_turns} degrees clockwise" if self.quarter_turns else ""
        return " and ".join(part for part in (turned, "mirrored" if self.mirrored else "") if part)


UPRIGHT = Side(0, mirrored=False)


def read_side_up(shape: tuple[int, int], read: Callable[[Side], PageSignals]) -> PageSignals:
    """What `read` makes of a page of this shape on that of its eight sides which is up, as the page lies.

    Upright where that convinces, or where no other side does: then a warning says that it does not. Raises what
    `read` raises of the upright page where it can read no side.
    """
    found: dict[Side, PageSignals] = {}
    errors: dict[Side, InputError] = {}

    def look(side: Side) -> None:
        try:
            found[side] = read(side)
        except InputError as error:
            errors[side] = error

    look(UPRIGHT)
    if UPRIGHT in found and is_upright(found[UPRIGHT]):
        return found[UPRIGHT]
    if UPRIGHT not in found:
        look(Side(1, mirrored=False))
    for first in (UPRIGHT, Side(1, mirrored=False)):
        if first in found or isinstance(errors.get(first), DoubtfulPage):  # else no rows run along it
            for side in first.turned_over():
                look(side)
    convincing = [side for side, signals in found.items() if is_upright(signals)]
    if convincing:
        side = max(convincing, key=lambda each: _value(found[each]))
        warning = f"this page is {side}, as its waves show, and was read so"
    elif UPRIGHT in found:
        side, warning = UPRIGHT, "which side of this page is up could not be told from its waves"
    else:
        raise errors[UPRIGHT]
    signals = replace(found[side], warnings=(*found[side].warnings, warning))
    return signals if side == UPRIGHT else side.laid_back(signals, shape)


def runs_downwards(ink: NDArray[np.uint8]) -> bool:
    """Whether traces of a page's ink, uint8, 255 where black, run from top to bottom: it lies on its side.

    Pieces of traces are longer than they are tall, even where rows touch.
    """
    black = (without_frames(ink)[0] > 127).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(black, np.ones((3, 3), np.uint8)))
    width, height, area = (
        stats[1:, part].astype(float) for part in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
    )
    longer = np.maximum(width, height)
    large = longer > _PIECE_MM * PX_PER_MM
    lying = area[large] @ ((width - height) / longer)[large]
    return bool(lying < -_DOWNWARDS * area[large].sum())


def is_upright(signals: PageSignals) -> bool:
    """Whether names of leads can be read, or waves point where they do on an upright page.

    Then T waves follow QRS complexes as well, and leads obey physics.
    """
    return is_named(signals.quality) or (
        _upwards(signals.leads) > _UPWARDS
        and _later(signals.leads) > _LATER
        and _lawful(signals.quality) > _LAWFUL
    )


def is_named(quality: ReadQuality) -> bool:
    """Whether enough leads have their names beside them to tell which is which."""
    return (quality.named or 0.0) > _NAMED


def _value(signals: PageSignals) -> float:
    by_waves = _upwards(signals.leads) + 0.5 * _later(signals.leads)
    return _lawful(signals.quality) + by_waves + (signals.quality.named or 0.0)


def _lawful(quality: ReadQuality) -> float:
    laws = (quality.einthoven, quality.goldberger, quality.strip_alike)
    return physics.agreement(*laws if any(law is not None for law in laws) else [quality.together])


def _upwards(leads: Mapping[str, Trace]) -> float:
    """How much further leads reach to the side to which their R waves usually point, -1 to 1."""
    found = []
    for name, sign in _POINTS.items():
        known = leads[name].signal_mv[np.isfinite(leads[name].signal_mv)] if name in leads else np.zeros(0)
        if len(known) > RATE_HZ // 2 and float(np.ptp(known)) > 0:
            middle = np.median(known)
            found.append(sign * float(known.max() + known.min() - 2 * middle) / float(np.ptp(known)))
    return float(np.mean(found)) if found else 0.0


def _later(leads: Mapping[str, Trace]) -> float:
    """How much larger waves after QRS complexes are than those before, -1 to 1."""
    first, last = (round(after_s * RATE_HZ) for after_s in _AFTER_S)
    before = after = 0.0
    for trace in leads.values():
        signal = trace.signal_mv.astype(float)
        centred = np.nan_to_num(signal - np.nanmedian(signal)) if np.isfinite(signal).any() else signal
        for peak in r_peaks(signal, RATE_HZ):
            if last <= peak < len(signal) - last:
                before += float(np.linalg.norm(centred[peak - last : peak - first]))
                after += float(np.linalg.norm(centred[peak + first : peak + last]))
    return (after - before) / (after + before) if after + before else 0.0
