"""How much of a lead could be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.template import LEAD_S, PIXELS_PER_S


def quality(crop: NDArray[np.uint8], seconds: float = LEAD_S) -> float:
    """Share of a crop's time columns that hold ink, 0 to 1; a trace without gaps has nearly 1.

    `crop` uint8 ``(height, width)``; only the columns of its `seconds` count, not the zeros after them.
    """
    used = crop[:, : int(seconds * PIXELS_PER_S)]
    return float((used.max(axis=0) > 127).mean())
