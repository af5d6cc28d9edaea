"""Runs: where something holds without a break."""

import numpy as np
from numpy.typing import NDArray


def runs_of(holds: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Where each run of True in ``(n,)`` begins and where it has ended, ``(runs, 2)``."""
    return np.flatnonzero(np.diff(holds, prepend=False, append=False)).reshape(-1, 2)
