"""Which pages show the same trace, whatever file, size or header it came with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leadwise.pages.digitize import N_LEAD, RATE_HZ, Signals

ALIKE = 0.7
"""Correlation of two descriptors from which two pages count as one trace.

Measured on the 491 distinct pages of the Mendeley set: of all 120,295 pairs of different pages none is above
0.50. A page and the same page changed (every fourth page: JPEG of quality 30, header and footer blanked, 98 %,
50 % and 150 % of its size, turned by 1 degree, greyed with noise) correlate by 0.86 at least.
"""

STEP = RATE_HZ // 50
"""Samples averaged to one; nothing faster than 25 Hz is printed."""

SIZE = 16 * (N_LEAD // STEP)
_FLAT_MV = 0.02  # a lead that moves less says nothing, and its noise must not be blown up
_BLOCK = 1024  # rows of the matrix of all pairs that are in memory at a time


def descriptor(signals: Signals) -> NDArray[np.float32]:
    """A page's trace, float32 ``(SIZE,)``: the product of two is their correlation.

    The twelve leads and the four quarters of the strip count alike, each around its own mean and against its own
    size. All nan where every lead is flat or unread.
    """
    parts = np.concatenate([signals.leads, signals.strip.reshape(4, N_LEAD)]).astype(np.float64)
    known = np.isfinite(parts)
    middle = np.where(known, parts, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    parts = np.where(known, parts - middle[:, None], 0)
    parts = parts[:, : N_LEAD // STEP * STEP].reshape(len(parts), -1, STEP).mean(axis=2)
    size = np.sqrt((parts**2).mean(axis=1))
    parts = np.where(size[:, None] > _FLAT_MV, parts / np.maximum(size, _FLAT_MV)[:, None], 0).ravel()
    length = float(np.linalg.norm(parts))
    return np.asarray(parts / length if length else np.full(SIZE, np.nan), np.float32)


def group_same_trace(descriptors: NDArray[np.float32]) -> NDArray[np.intp]:
    """Group numbers ``(n,)`` of pages by their descriptors ``(n, SIZE)``: pages of one trace share a number.

    A page whose descriptor is nan (another layout, flat) is a group of its own. Pages are joined from neighbour
    to neighbour: if b is like a and c is like b, all three are one.
    """
    known = np.flatnonzero(np.isfinite(descriptors).all(axis=1))
    traces = descriptors[known]
    pairs = [np.zeros((2, 0), np.intp)]
    for start in range(0, len(known), _BLOCK):
        first, second = np.nonzero(traces[start : start + _BLOCK] @ traces.T > ALIKE)
        pairs.append(known[np.array([first + start, second])])
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(descriptors),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)


def joined(*keys: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Numbers of the groups that rows form when any shared key joins two of them; an empty key joins nothing."""
    groups = np.arange(len(keys[0]))
    while True:
        before = groups
        for key in keys:
            table = pd.Series(groups)
            first = table.groupby(key.to_numpy()).transform("min")  # nan where the key is empty
            groups = first.fillna(table).astype(int).to_numpy()
            groups = pd.Series(groups).groupby(before).transform("min").to_numpy()
        if (groups == before).all():
            return np.asarray(pd.factorize(groups)[0])
