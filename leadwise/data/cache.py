"""Crops on disk: opened as memory maps, shrunk in pieces, never all in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import MissingInput, SettingsError, TableError, nearest
from leadwise.files import written_whole
from leadwise.pages.leads import LEAD_PX, LEADS, ROW_PX, STRIP_PX

SHRINKING = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}
"""Ways to shrink. Only `area` looks at every pixel: the others skip some, and with them thin strokes."""

_SHAPES: dict[str, tuple[int, ...]] = {
    "leads.npy": (len(LEADS), ROW_PX, LEAD_PX),
    "strip.npy": (ROW_PX, STRIP_PX),
}


def open_crops(path: Path) -> NDArray[np.uint8]:
    """Open ``leads.npy`` (pages, 12, 300, 500) or ``strip.npy`` (pages, 300, 2000) as a read-only map.

    Raises `MissingInput` where there is no such file, `TableError` for another shape or type.
    """
    if not path.is_file():
        raise MissingInput(f"{path}: no such array. Run 12_image_leads first.")
    try:
        crops = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise TableError(
            f"{path}: not an array that can be read ({error}). Run 12_image_leads again."
        ) from error
    shape = _SHAPES[path.name]
    if crops.dtype != np.uint8 or crops.shape[1:] != shape:
        raise TableError(f"{path}: {crops.dtype} of shape {crops.shape}; uint8 (pages, {shape}) is needed.")
    return np.asanyarray(crops)


def create(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A new uint8 array on disk, zeros, to be filled in pieces."""
    return np.asanyarray(np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape))


def shrink(crop: NDArray[np.uint8], size: tuple[int, int], method: str = "area") -> NDArray[np.uint8]:
    """One crop ``(height, width)`` at another size, also ``(height, width)``."""
    if method not in SHRINKING:
        raise SettingsError(f"no way of shrinking is called {method!r}; {nearest(method, SHRINKING)}")
    small: Any = cv2.resize(np.ascontiguousarray(crop), size[::-1], interpolation=SHRINKING[method])
    return np.asarray(small, dtype=np.uint8)


def shrink_leads(crops: NDArray[np.uint8], target: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """All crops ``(pages, 12, height, width)`` shrunk by area, as a memory map written page by page."""
    pages, leads = crops.shape[:2]
    with written_whole(target) as aside:
        small = create(aside, (pages, leads, *size))
        for page in range(pages):
            for lead in range(leads):
                small[page, lead] = shrink(crops[page, lead], size)
        del small  # flushes
    return np.asanyarray(np.load(target, mmap_mode="r", allow_pickle=False))
