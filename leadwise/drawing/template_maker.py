"""What all pages of one device have in common, found in many of them: the template's ink and its paper."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leadwise.pages.read import Page
from leadwise.pages.template import Template

_INK_SHARE, _PAPER_PERCENTILE, _COLOURS = 0.8, 80, 12


def find_template(template: Template, pages: Iterable[Page]) -> tuple[NDArray[np.bool_], Page]:
    """Ink and paper that `pages` (one file variant of this template, untouched) have in common.

    At most 100 pages whose grid is dotted as the first one's are used. The paper is reduced to a dozen
    colours, so that it compresses.
    """
    stack = _pages_of_one_grid(pages)
    common = (stack.max(axis=3) < 60).mean(axis=0) > _INK_SHARE
    fixed = np.zeros_like(common)
    for left, top, right, bottom in template.fixed_text:
        fixed[top:bottom, left:right] = True
    for left, top, width, height in template.pulse_boxes():
        fixed[top - 3 : top + height + 3, left : left + width] = True
    for row, column in template.named():
        fixed[template.label_box(row, column)] = True
    for x in template.separators_x:
        fixed[slice(*template.separator_rows), round(x - 2) : round(x + 3)] = True
    ink_ = common & fixed
    bright = np.percentile(stack, _PAPER_PERCENTILE, axis=0, overwrite_input=True).astype(np.uint8)
    bright[ink_] = 255
    inside = np.zeros_like(common)
    left, top, right, bottom = (round(edge) for edge in template.frame)
    inside[top - 3 : bottom + 3, left - 3 : right + 3] = True
    bright[~inside] = 255
    return ink_, _in_few_colours(bright)


def write_template(template: Template, pages: Iterable[Page], folder: Path) -> None:
    """Write what `find_template` finds as two PNG files."""
    common, bright = find_template(template, pages)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(common).save(folder / template.ink_png, optimize=True)
    colours, index = np.unique(bright.reshape(-1, 3), axis=0, return_inverse=True)
    picture = Image.fromarray(index.reshape(bright.shape[:2]).astype(np.uint8), "P")
    picture.putpalette(colours[:, ::-1].ravel().tolist())
    picture.save(folder / template.paper_png, optimize=True)


def _pages_of_one_grid(pages: Iterable[Page]) -> NDArray[np.uint8]:
    first, alike = None, []
    for page in pages:
        between_rows = 255.0 - page[1130:1230, 200:2100].max(axis=2)
        first = between_rows if first is None else first
        if np.corrcoef(first.ravel(), between_rows.ravel())[0, 1] > 0.9:
            alike.append(page)
        if len(alike) == 100:
            break
    return np.stack(alike)


def _in_few_colours(picture: Page) -> Page:
    import cv2
    from sklearn.metrics import pairwise_distances_argmin

    pixels = picture.reshape(-1, 3).astype(np.float32)
    rng = np.random.default_rng(0)
    dark = pixels[pixels.max(axis=1) < 160]  # the grid's dots: few, and all that matters
    some = np.concatenate([rng.choice(part, 50_000) for part in (pixels, dark)])
    cv2.setRNGSeed(0)
    _, _, centres = cv2.kmeans(some, _COLOURS, np.empty(0), (3, 30, 0.5), 2, cv2.KMEANS_PP_CENTERS)
    colours = np.concatenate([np.round(centres), [[255.0] * 3]]).astype(np.float32)
    nearest = pairwise_distances_argmin(pixels, colours)
    return np.asarray(colours[nearest].reshape(picture.shape).astype(np.uint8))
