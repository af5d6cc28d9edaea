"""Heartbeats of a recording of any length: where its QRS complexes are.

A QRS complex is where the slopes are. After Pan and Tompkins (IEEE Trans. Biomed. Eng. 32:230, 1985) the leads are
band-passed and their energy is looked at; since a recording lies here whole, its thresholds follow the beats on both
sides, not those before alone. Leads are put together by how quiet they are between beats, the first above all.
``tests/benchmarks/bench_qrs.py`` measures it beside the detectors of wfdb, by part of MIT-BIH. The numbers below were
chosen by DS1 among some twenty settings, whose scores on the other records stood beside: on DS1 it is tested on what
it was chosen by, and the other records are not wholly unseen. Nothing is learned from a recording, so its first five
minutes are no others; EC57 leaves them out, and that is told apart. Waves of ventricular flutter are not told from
beats.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.checks import without_t_waves
from leadwise.recordings.filters import band_passed, unknown_or_flat

BAND_HZ = (5.0, 22.0)
"""Where a QRS complex differs most from P and T waves, and from muscles and mains."""

_LOOK_HZ = 120.0  # of the energy; nothing above 22 Hz is left that could fold
_SMOOTH_S = 0.04
_OTHERS = 0.15  # what all other leads weigh together beside the first, where they are as quiet
_LOUD = 0.35  # the level between beats, over that of beats, from which on a lead is no help
_PIECE_S, _PIECES = 2.0, 15
_LEAST_LEVEL = 0.1  # of the record's usual level: where a lead is off, its noise is not blown up
_NEVER_CLOSER_S, _T_WAVE_S, _WEAKER = 0.20, 0.36, 0.55
_NEIGHBOURS, _ROUNDS, _LEAST_HEIGHT = 17, 4, 0.35
_GAP, _GAP_HEIGHT, _GAP_END_S = 1.7, 0.18, 0.30
_TOP_S = 0.08


def find_beats(leads_mv: NDArray[np.floating], rate_hz: float) -> NDArray[np.int64]:
    """R peaks as sample numbers, in order; of `leads_mv` ``(leads, samples)`` the first counts most.

    nan is bridged, and no beat is found where all leads are unknown or flat, nor one that the record's end cuts in
    two. Empty where nothing moves, or for less than two seconds.
    """
    samples = leads_mv.shape[1]
    if samples < _PIECE_S * rate_hz:
        return np.zeros(0, np.int64)
    lost = np.stack([np.logical_or(*unknown_or_flat(lead, rate_hz)) for lead in leads_mv])
    alive = [number for number in range(len(leads_mv)) if not lost[number].all()]
    if not alive:
        return np.zeros(0, np.int64)
    fast = band_passed(leads_mv[alive], rate_hz, BAND_HZ)
    step = max(1, int(rate_hz // _LOOK_HZ))
    height = _together(energy(fast[:, ::step], rate_hz / step), lost[alive, ::step], rate_hz / step)
    r_samples = _picked(height, rate_hz / step) * step
    r_samples = r_samples[~lost[:, r_samples].all(axis=0)]
    return _on_their_tops(fast, lost[alive], r_samples, rate_hz)


def energy(fast: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """How much moves at each sample of leads ``(leads, samples)`` within BAND_HZ, smoothed a little."""
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(fast**2, _SMOOTH_S * rate_hz, axis=1)
    return np.asarray(np.sqrt(np.maximum(smooth, 0)), np.float64)


def _together(energy: NDArray[np.float64], lost: NDArray[np.bool_], rate_hz: float) -> NDArray[np.float64]:
    """All leads as one, beats being some 1 high; where a lead is lost, the others stand for it."""
    height, quiet = _levelled(energy, rate_hz)
    weights = np.clip(_LOUD - quiet, 0.02, None) ** 2
    weights[1:] *= _OTHERS / max(len(energy) - 1, 1)
    weights[lost] = 1e-9
    combined = np.sqrt((weights / weights.sum(axis=0) * height**2).sum(axis=0))
    return np.asarray(_levelled(combined[None], rate_hz)[0][0])


def _levelled(energy: NDArray[np.float64], rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energy over that of the beats around, and the usual energy between beats over the same; both like `energy`."""
    from scipy.ndimage import median_filter

    size = round(_PIECE_S * rate_hz)
    pieces = energy[:, : energy.shape[1] // size * size].reshape(len(energy), -1, size)
    levels = [np.asarray(f(pieces, axis=2)) for f in (np.max, np.median)]
    tops, betweens = (median_filter(level, (1, _PIECES), mode="nearest") for level in levels)
    tops = np.maximum(tops, _LEAST_LEVEL * np.median(tops, axis=1, keepdims=True)) + 1e-6
    at, middles = np.arange(energy.shape[1]), (np.arange(pieces.shape[1]) + 0.5) * size
    top, between = (
        np.stack([np.interp(at, middles, lead) for lead in levels]) for levels in (tops, betweens)
    )
    return energy / top, between / top


def _picked(height: NDArray[np.float64], rate_hz: float) -> NDArray[np.int64]:
    """Samples at which `height` ``(samples,)`` has the peaks of beats."""
    from scipy.ndimage import median_filter
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(height, distance=round(_NEVER_CLOSER_S * rate_hz))
    high = height[peaks]
    usual, kept = np.ones(len(peaks)), high > _LEAST_HEIGHT
    for _ in range(_ROUNDS):
        if kept.sum() < 2:
            return np.asarray(peaks[kept], np.int64)
        near = median_filter(high[kept], _NEIGHBOURS, mode="nearest")
        usual = np.interp(peaks, peaks[kept], near)
        kept = high > _LEAST_HEIGHT * usual
    beats = np.flatnonzero(kept)
    beats = beats[without_t_waves(peaks[beats], high[beats], _T_WAVE_S * rate_hz, _WEAKER)]
    return np.asarray(peaks[_searched_back(beats, peaks, high / usual, rate_hz)], np.int64)


def _searched_back(
    beats: NDArray[np.intp], peaks: NDArray[np.intp], ratio: NDArray[np.float64], rate_hz: float
) -> NDArray[np.intp]:
    """In gaps of many times the usual interval the highest peak is a beat, too, unless it is a mere ripple."""
    from scipy.ndimage import median_filter

    if len(beats) < 2:
        return beats
    between = np.diff(peaks[beats])
    more = []
    for gap in np.flatnonzero(between > _GAP * median_filter(between, _NEIGHBOURS, mode="nearest")).tolist():
        inside = np.arange(beats[gap] + 1, beats[gap + 1])
        after, before = peaks[inside] - peaks[beats[gap]], peaks[beats[gap + 1]] - peaks[inside]
        inside = inside[(after > _T_WAVE_S * rate_hz) & (before > _GAP_END_S * rate_hz)]
        inside = inside[ratio[inside] > _GAP_HEIGHT]
        if len(inside):
            more.append(int(inside[ratio[inside].argmax()]))
    return np.sort(np.concatenate([beats, np.array(more, np.intp)]))


def _on_their_tops(
    fast: NDArray[np.float64], lost: NDArray[np.bool_], r_samples: NDArray[np.int64], rate_hz: float
) -> NDArray[np.int64]:
    """Each beat moved to where the first lead that is known there swings furthest; annotations lie there, too."""
    if not len(r_samples):
        return r_samples
    half = round(_TOP_S * rate_hz)
    padded = np.pad(np.abs(fast), ((0, 0), (half, half)))
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=1)
    lead = (~lost[:, r_samples]).argmax(axis=0)
    tops = r_samples - half + views[lead, r_samples].argmax(axis=1)
    return np.unique(np.clip(tops, 0, fast.shape[1] - 1)).astype(np.int64)
