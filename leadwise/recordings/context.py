"""A beat in its surroundings: the signal round its R peak, neighbours with it, and its place in the rhythm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.names import RATIOS
from leadwise.recordings.filters import resampled

_LONGEST_RR_S = 3.0  # a longer gap is flutter, noise or a pause between beats that do not follow each other
_LOCAL = 10


@dataclass(frozen=True)
class Cut:
    """How much of the signal stands for a beat: samples a second, seconds before and after its R peak."""

    rate_hz: float = 120.0
    before_s: float = 1.2
    after_s: float = 1.2

    @property
    def peak(self) -> int:
        """The sample at which the R peak stands."""
        return round(self.before_s * self.rate_hz)

    @property
    def samples(self) -> int:
        """Samples of a beat."""
        return self.peak + round(self.after_s * self.rate_hz)


def cut_beats(
    signal: NDArray[np.floating],
    rate_hz: float,
    r_samples: NDArray[np.integer] | NDArray[np.floating],
    cut: Cut,
) -> NDArray[np.float32]:
    """Each beat with its surroundings, ``(beats, leads, samples)`` in the signal's unit.

    `signal` ``(leads, samples)``, already filtered, is resampled to the rate of `cut`; `r_samples` are the R peaks at
    `rate_hz`. Beyond its ends the signal's first and last values go on.
    """
    other = resampled(signal, rate_hz, cut.rate_hz)
    padded = np.pad(other, ((0, 0), (cut.samples, cut.samples)), mode="edge").astype(np.float32)
    firsts = np.round(np.asarray(r_samples) * (cut.rate_hz / rate_hz)).astype(np.int64) - cut.peak
    at = np.clip(firsts + cut.samples, 0, padded.shape[1] - cut.samples)
    views = np.lib.stride_tricks.sliding_window_view(padded, cut.samples, axis=1)
    return np.ascontiguousarray(views[:, at].transpose(1, 0, 2))


def intervals_s(
    r_samples: NDArray[np.integer] | NDArray[np.floating], rate_hz: float
) -> tuple[NDArray[np.float64], ...]:
    """Seconds from the beat before and to the beat after, each ``(beats,)``; nan at the ends."""
    between = np.diff(r_samples) / rate_hz
    return np.r_[np.nan, between][: len(r_samples)], np.r_[between, np.nan][: len(r_samples)]


def rhythm_ratios(r_samples: NDArray[np.integer], rate_hz: float) -> NDArray[np.float32]:
    """How early a beat comes, measured by its own recording, ``(beats, 4)`` in the order of RATIOS.

    Interval before and after, and the mean of the ten intervals up to the beat, each over the record's mean; interval
    before over that mean of ten. A person's rate is thereby taken out, which is what carries from one person to
    another. Intervals longer than 3 s join no mean; what is unknown is 1, as in an even rhythm.
    """
    before, after = intervals_s(r_samples, rate_hz)
    joined = np.where(before <= _LONGEST_RR_S, before, np.nan)
    if not np.isfinite(joined).any():
        return np.ones((len(r_samples), len(RATIOS)), np.float32)
    usual = float(np.nanmean(joined))
    ends = np.arange(1, len(joined) + 1)
    starts = np.maximum(0, ends - _LOCAL)
    sums = np.r_[0, np.cumsum(np.nan_to_num(joined))]
    counts = np.r_[0, np.cumsum(np.isfinite(joined))]
    number = counts[ends] - counts[starts]
    local = np.where(number > 0, (sums[ends] - sums[starts]) / np.maximum(number, 1), usual)
    ratios = np.stack([before / usual, after / usual, local / usual, before / local], axis=1)
    return np.nan_to_num(ratios, nan=1.0).astype(np.float32)


def of_unit_length(shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows ``(n, samples)`` without their means, each of length one, so that a product is a correlation."""
    level = shapes - shapes.mean(axis=1, keepdims=True)
    return np.asarray(level / (np.sqrt((level**2).sum(axis=1, keepdims=True)) + 1e-9))
