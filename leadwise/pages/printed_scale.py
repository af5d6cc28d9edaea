"""Speed and gain as a page's words say them, "25 mm/s" and "10 mm/mV": for pages without calibration pulses.

Lines of letters are found among the marks of a page and recognised one by one, those below the traces first, where
most devices print it. Detection of text over a whole page would take some seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import DoubtfulPage, MissingInput
from leadwise.pages.header import recognised
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.lead_words import gain_mm_per_mv, speed_mm_per_s
from leadwise.pages.pace import SPEEDS_MM_PER_S
from leadwise.pages.quality import GAINS_MM_PER_MV

_WORD_GAP_MM, _MARGIN_MM = 4.0, 1.0
_TALL_MM, _LONG_MM = (1.2, 7.0), 8.0  # of a line of letters
_MOST_LINES = 12


def printed_scale(marks: NDArray[np.uint8], baselines_px: NDArray[np.float64]) -> tuple[float, float] | None:
    """Speed, mm/s, and gain, mm/mV, by the letters on an upright page, uint8, 255 where black.

    None where they do not say both, or say two of one; and where rapidocr is not installed.
    """
    texts: list[str] = []
    with suppress(MissingInput):
        for line in _lines(marks, float(baselines_px[-1])):
            texts.append(recognised(line))
            with suppress(DoubtfulPage):
                speed, gain = speed_mm_per_s(texts), gain_mm_per_mv(texts)
                # another number than these is a digit that was misread
                if speed in SPEEDS_MM_PER_S and gain in GAINS_MM_PER_MV:
                    return speed, gain
    return None


def _lines(marks: NDArray[np.uint8], last_baseline_px: float) -> Iterator[NDArray[np.uint8]]:
    """Pictures of lines of letters, BGR, black on white: those below the last row, then all others from below."""
    black = (marks > 127).astype(np.uint8)
    joined = cv2.morphologyEx(black, cv2.MORPH_CLOSE, np.ones((3, round(_WORD_GAP_MM * PX_PER_MM)), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    least, most = (round(side * PX_PER_MM) for side in _TALL_MM)
    boxes = [
        (left, top, width, height)
        for left, top, width, height, _ in stats[1:].tolist()
        if least <= height <= most and width >= _LONG_MM * PX_PER_MM
    ]
    boxes.sort(key=lambda box: (box[1] < last_baseline_px, -box[1]))
    margin = round(_MARGIN_MM * PX_PER_MM)
    for left, top, width, height in boxes[:_MOST_LINES]:
        part = marks[
            max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin
        ]
        yield np.repeat(255 - part[..., None], 3, axis=2)
