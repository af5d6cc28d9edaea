"""What ink each pixel of an upright page has, by a small network: traces, letters, pulses, separators, grid.

Where a grid is as black as the trace, or a shadow darker than both, no rule on colours tells them apart; their shapes
do. The network is shipped as ``ink.onnx``; `leadwise.models.ink_net` is its form, ``INK_CARD.md`` tells how it was
trained. Pages are run whole by onnxruntime on one thread, large ones in bands that overlap by what a pixel sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise import onnx
from leadwise.pages.ink import beside_paper
from leadwise.pages.read import Page

KINDS = ("trace", "text", "pulse", "separator", "coarse", "fine")
"""What may be printed on a page: the last two are the grid's lines of 5 mm and of 1 mm; frames are separators."""

_SHIPPED = "ink.onnx"
_STRIDE = 32  # sides of what goes in are multiples of it
_SEEN_PX = (
    224  # so far from a pixel, at most, lies what its answer hangs on: seven cells of the coarsest level
)
_AT_ONCE_PX = 3_800_000  # a page of 2200 x 1700 is run whole; each million takes 0.1 GB of memory


def ink_net_maps(picture: Page, session: Any = None) -> dict[str, NDArray[np.float32]]:
    """How surely each pixel of an upright page, BGR uint8 ``(height, width, 3)``, has each of KINDS, 0 to 1.

    The page is at `leadwise.pages.ink.PX_PER_MM`. `session` is another network's than the shipped one. Raises
    `WeightsError` where that is missing or onnxruntime cannot load it.
    """
    return maps_beside(beside_paper(picture), session)


def maps_beside(
    beside: NDArray[np.float32], session: Any = None, kinds: Sequence[str] = KINDS
) -> dict[str, NDArray[np.float32]]:
    """As `ink_net_maps`, of a page whose `beside_paper` is known; of some `kinds` alone it takes less memory."""
    session = session or onnx.session_of_shipped(_SHIPPED, keeps_memory=False)
    height, width = beside.shape[1:]
    whole, wide = height + -height % _STRIDE, width + -width % _STRIDE
    maps = {kind: np.empty((height, width), np.float32) for kind in kinds}
    rows = whole
    if whole * wide > _AT_ONCE_PX:
        rows = max(_STRIDE, (_AT_ONCE_PX // wide - 2 * _SEEN_PX) // _STRIDE * _STRIDE)
    for top in range(0, whole, rows):
        first, last = max(0, top - _SEEN_PX), min(whole, top + rows + _SEEN_PX)
        band = np.ones((1, 3, last - first, wide), np.float32)  # paper beyond the page
        band[0, :, : height - first, :width] = beside[:, first:last]
        said = session.run(None, {"beside": band})[0][0]
        for kind, each in maps.items():
            part = each[top : top + rows]
            part[:] = said[KINDS.index(kind), top - first : top - first + len(part), :width]
    return maps


def session_of(model: bytes | str) -> Any:
    """Another network's session than the shipped one's; raises `WeightsError` for what is no ONNX model."""
    return onnx.loaded(model, _SHIPPED, keeps_memory=False)
