"""Crops on disk: opened as memory maps, shrunk in pieces, never all in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import MissingInput, SettingsError, TableError, nearest
from leadwise.files import written_whole
from leadwise.names import LEADS
from leadwise.pages.digitize import N_LEAD, N_STRIP
from leadwise.pages.leads import LEAD_PX, ROW_PX, STRIP_PX
from leadwise.recordings.heartbeats import LENGTH as HEARTBEAT
from leadwise.recordings.windows import LENGTH

SHRINKING = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}
"""Ways to shrink. Only `area` looks at every pixel: the others skip some, and with them thin strokes."""

ARRAYS: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "leads.npy": ((len(LEADS), ROW_PX, LEAD_PX), np.uint8),
    "strip.npy": ((ROW_PX, STRIP_PX), np.uint8),
    "signals.npy": ((len(LEADS), N_LEAD), np.float32),
    "rhythm.npy": ((N_STRIP,), np.float32),
}
"""What 12_image_leads writes: shape of one page, and type."""

SIGNAL_ARRAYS: dict[str, tuple[tuple[int | None, ...], type[np.generic]]] = {
    "windows.npy": ((LENGTH,), np.float16),
    "heartbeats.npy": ((HEARTBEAT,), np.float16),
    "beats.npy": ((None, None), np.float16),
}
"""What 14_signal_records and 15_signal_beats write: shape of one window or beat, and type.

A size that is None is what the notebook's parameters say.
"""

_MADE_BY = {
    "windows.npy": "14_signal_records",
    "heartbeats.npy": "15_signal_beats",
    "beats.npy": "15_signal_beats",
}


def open_array(path: Path) -> NDArray[Any]:
    """Open one of ARRAYS or SIGNAL_ARRAYS, ``(pages, ...)`` (or windows, or beats), as a read-only map.

    Raises `MissingInput` where there is no such file, `TableError` for another shape or type.
    """
    maker = _MADE_BY.get(path.name, "12_image_leads")
    if not path.is_file():
        raise MissingInput(f"{path}: no such array. Run {maker} first.")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise TableError(f"{path}: not an array that can be read ({error}). Run {maker} again.") from error
    shape, dtype = {**ARRAYS, **SIGNAL_ARRAYS}[path.name]
    row_shape = array.shape[1:]
    fits = len(row_shape) == len(shape) and all(
        want in (size, None) for want, size in zip(shape, row_shape, strict=True)
    )
    if array.dtype != dtype or not fits:
        raise TableError(
            f"{path}: {array.dtype} of shape {array.shape}; {dtype.__name__} (rows, {shape}) is needed."
        )
    return np.asanyarray(array)


def create(path: Path, shape: tuple[int, ...], dtype: type[np.generic] = np.uint8) -> NDArray[Any]:
    """A new array on disk, zeros, to be filled in pieces."""
    return np.asanyarray(np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape))


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
