"""Pictures of how a photograph of a bent sheet is read: its field, and the sheet laid flat."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from leadwise.drawing.drawn import DrawnPage
from leadwise.figures.any_page import draw_over_truth, draw_traces
from leadwise.figures.signals import BLUE, ORANGE
from leadwise.figures.style import Picture, bare, heading, legend_above, picture, rgb
from leadwise.pages.page_signals import PageSignals
from leadwise.pages.sheet import LaidFlat, bent_sheet

_WIDE_PX = 1100
_EVERY = 4  # nodes: every 10 mm


def sheet_laid_flat(laid: LaidFlat) -> Picture:
    """A photograph with its field, the sheet laid flat by it, and the strokes and letters that are seen on it."""
    page, field, sheet = laid.page, laid.found, bent_sheet(laid)
    figure = picture(13, 10)
    places = figure.subplot_mosaic("AA;BC", height_ratios=[1.5, 1])
    left, middle, right = (places[name] for name in "ABC")
    left.imshow(rgb(page, _WIDE_PX))
    shrink = min(1.0, _WIDE_PX / max(page.shape[:2]))
    nodes = np.where(field.clear[..., None], field.nodes_px * shrink, np.nan)[::_EVERY, ::_EVERY]
    for lines in (nodes, nodes.transpose(1, 0, 2)):
        for line in lines:
            left.plot(line[:, 0], line[:, 1], color=BLUE, linewidth=0.8)
    left.set_title("The photograph: a line every 10 mm of paper")
    middle.imshow(rgb(np.where(laid.paper[..., None], laid.picture, 255).astype(np.uint8), _WIDE_PX))
    middle.set_title("The sheet laid flat")
    ink = np.full((*sheet.strokes.shape, 3), 255, np.uint8)
    ink[cv2.dilate(sheet.letters, np.ones((3, 3), np.uint8)) > 127] = _bgr(ORANGE)
    ink[cv2.dilate(sheet.strokes, np.ones((3, 3), np.uint8)) > 127] = 0
    right.imshow(rgb(ink, _WIDE_PX))
    right.set_title("Its ink: strokes black, letters orange")
    for ax in (left, middle, right):
        bare(ax)
    caption = (
        f"n = 1 photograph; the paper lies up to {field.bent_mm:.1f} mm beside a flat sheet (95th percentile)"
    )
    return heading(figure, "", caption)


def read_from_photograph(read: PageSignals, drawn: DrawnPage, snr_db: Mapping[str, float]) -> Picture:
    """A photograph with the lines that were followed, and beneath it the leads over the true signal."""
    height = 12 * read.page.shape[0] / read.page.shape[1]
    figure = picture(12, height + 7)
    above, below = figure.subplots(2, 1, height_ratios=[height, 6])
    draw_traces(above, read)
    draw_over_truth(below, read, drawn, snr_db)
    legend_above(figure, below, 2)
    caption = (
        "n = 1 photograph, drawn and bent by a program; dB: signal to noise, raw; 25 mm/s, 10 mm/mV; "
        "PTB-XL, Wagner et al. 2022, CC BY 4.0"
    )
    return heading(figure, "", caption)


def _bgr(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[place : place + 2], 16) for place in (5, 3, 1))
