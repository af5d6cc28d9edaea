"""Beats that were found beside those that experts marked: matched as EC57 matches them, and then scored.

A found beat is that of one annotated beat at most 150 ms away. An annotated beat that has none was missed, a false
negative of its class whatever is asked; a found beat that is nobody's was made up, a false positive of the class that
it is called. So `leadwise predict` is scored as it works: by its own detector, from the signal on.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.names import AAMI
from leadwise.recordings.annotations import Annotations
from leadwise.scores.beats import NOTHING

TOLERANCE_S = 0.15

CLASSES = (*AAMI, NOTHING)
"""The classes of what `beside` gives: `leadwise.scores.beats.counted` and `averaged` take them."""


def beside(
    known: Annotations, found: NDArray[np.int64], probabilities: NDArray[np.floating], rate_hz: float
) -> pd.DataFrame:
    """A row an annotated beat, in order, then a row a beat that was made up: ``sample, symbol, label, prob_...``.

    `known` are beats alone and `found` ``(beats,)`` the samples of those that were found, both in order of time;
    `probabilities` ``(beats, 5)`` in the order of AAMI. What a missed beat is called, and what a made up one is, is
    NOTHING. `sample` is the annotators' where there is one.
    """
    finder = matched(known.samples, found, rate_hz)
    was_found, nobodys = finder >= 0, np.setdiff1d(np.arange(len(found)), finder)
    prob = np.zeros((len(known.samples) + len(nobodys), len(CLASSES)))
    prob[: len(finder), -1] = ~was_found
    prob[: len(finder)][was_found, :-1] = probabilities[finder[was_found]]
    prob[len(finder) :, :-1] = probabilities[nobodys]
    table = pd.DataFrame(prob, columns=[f"prob_{name}" for name in CLASSES])
    return table.assign(
        sample=np.r_[known.samples, found[nobodys]],
        symbol=[*known.symbols.tolist(), *[""] * len(nobodys)],
        label=[*known.classes.tolist(), *[NOTHING] * len(nobodys)],
    )


def matched(known: NDArray[np.int64], found: NDArray[np.int64], rate_hz: float) -> NDArray[np.int64]:
    """For each known beat which of the found ones is its own, -1 where none is within 150 ms; each is one's alone."""
    from wfdb.processing import compare_annotations

    if not len(known) or not len(found):
        return np.full(len(known), -1, np.int64)
    pairs = compare_annotations(known, found, round(TOLERANCE_S * rate_hz) + 1)  # nearer than that
    return np.asarray(pairs.matching_sample_nums, np.int64)
