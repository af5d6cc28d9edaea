"""What leads of one page must be to each other, whatever device printed them.

I + III = II (Einthoven 1913); aVR + aVL + aVF = 0, and each of these follows from two limb leads (Goldberger 1942);
a strip repeats a lead. A printer or a warped page may put leads some milliseconds apart, which spoils a sum of steep
waves first, so leads are shifted against each other by at most MOST_SHIFT_S before they are judged. Nothing is
enforced, only looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.forms import lead_of
from leadwise.pages.page_signals import RATE_HZ, Trace

MOST_SHIFT_S = 0.04
"""On rectified photographs leads were found up to 18 ms from where their columns put them."""

_SHIFTS = round(MOST_SHIFT_S * RATE_HZ)
_LEAST = RATE_HZ // 2
"""Samples, half a second: it mostly holds a beat; less says nothing."""

_LIMBS = {
    "I": (1.0, 0.0), "II": (0.0, 1.0), "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0),
}  # fmt: skip
"""What each limb lead has of I and of II."""

_AUGMENTED = {
    "aVR": (("I", -0.5), ("II", -0.5)),
    "aVL": (("I", 1.0), ("II", -0.5)),
    "aVF": (("II", 1.0), ("I", -0.5)),
}


def einthoven(leads: Mapping[str, Trace]) -> float | None:
    """Correlation of I + III with II, -1 to 1, at the shifts where it is largest; None where they share no time."""
    return _largest_correlation(leads, "II", (("I", 1.0), ("III", 1.0)))


def goldberger(leads: Mapping[str, Trace]) -> float | None:
    """1 minus the size of aVR + aVL + aVF over that of these leads (root of the sum of squares, means removed).

    1 where they cancel, about 0 where they have nothing to do with each other, at the shifts where it is largest.
    Where they share no time, as in Cabrera's order, the least of the sums that cancel of any three limb leads; None
    where no three do.
    """
    if len({leads[name].start_s for name in _AUGMENTED if name in leads}) < 2:
        return _cancelled(leads, "aVF", (("aVR", 1.0), ("aVL", 1.0)))
    found = []
    for one, two, three in itertools.combinations([name for name in _LIMBS if name in leads], 3):
        shares = -np.linalg.solve(np.array([_LIMBS[one], _LIMBS[two]]).T, _LIMBS[three])
        found.append(_cancelled(leads, three, ((one, shares[0]), (two, shares[1]))))
    return min((value for value in found if value is not None), default=None)


def _cancelled(leads: Mapping[str, Trace], name: str, parts: Sequence[tuple[str, float]]) -> float | None:
    """How much of a lead and of two others, each by its factor, is gone in their sum."""
    factors = [factor for _, factor in parts]
    if (found := _moments(leads, name, [part for part, _ in parts], factors)) is None:
        return None
    size, (first, second), both, to_first, to_second = found
    squares = size + first[:, None] + second[None, :]
    of_sum = squares + 2 * (both + to_first[:, None] + to_second[None, :])
    return float(1 - np.sqrt(np.maximum(of_sum, 0) / squares).min())


def law_of(names: Sequence[str]) -> NDArray[np.float64] | None:
    """What no heart shows in limb leads of one time, ``(leads, leads)``: times their traces it is 0.

    Times traces that have nothing to do with each other, it is as large as they are. None of fewer than three leads.
    """
    if len(names) < 3:
        return None
    parts = np.array([np.multiply(sign, _LIMBS[lead]) for lead, sign in map(lead_of, names)])
    without = np.eye(len(names)) - parts @ np.linalg.pinv(parts)
    return np.asarray(without * np.sqrt(len(names) / (len(names) - 2)))


def is_limb(name: str) -> bool:
    """Whether a printed name is that of a limb lead."""
    return lead_of(name)[0] in _LIMBS


def augmented(leads: Mapping[str, Trace]) -> float | None:
    """Least correlation of aVR, aVL and aVF with what I and II make of them; None where none shares their time.

    On forms of two columns these six are printed at one time, on forms of four they are not.
    """
    found = [_largest_correlation(leads, name, parts) for name, parts in _AUGMENTED.items()]
    known = [value for value in found if value is not None]
    return min(known) if known else None


def strip_alike(leads: Mapping[str, Trace], strips: Mapping[str, Trace]) -> dict[str, float]:
    """Correlation of each strip with the lead of its name, where both are printed at one time."""
    pairs = {name: alike(leads[name], strip) for name, strip in strips.items() if name in leads}
    return {name: value for name, value in pairs.items() if value is not None}


def alike(first: Trace, second: Trace) -> float | None:
    """Correlation of two traces over the time that both show, at the shift where it is largest; None without one."""
    return _largest_correlation({"first": first, "second": second}, "first", (("second", 1.0),))


def agreement(*laws: float | None) -> float:
    """The mean of what laws say of a page, of those that it shows; -1 where it shows none."""
    known = [law for law in laws if law is not None]
    return float(np.mean(known)) if known else -1.0


def _largest_correlation(
    leads: Mapping[str, Trace], name: str, parts: Sequence[tuple[str, float]]
) -> float | None:
    """Of a lead with a sum of one or two others, each by its factor, over all their shifts."""
    factors = [factor for _, factor in parts]
    if (found := _moments(leads, name, [part for part, _ in parts], factors)) is None:
        return None
    size, (first, second), both, to_first, to_second = found
    with_sum = to_first[:, None] + to_second[None, :]
    of_sum = first[:, None] + second[None, :] + 2 * both
    # what is left of two parts that cancel is rounding, with which nothing correlates
    real = of_sum > 1e-6 * size
    return float((with_sum[real] / np.sqrt(size * of_sum[real])).max()) if real.any() else None


_Moments = tuple[
    float,
    tuple[NDArray[np.float64], NDArray[np.float64]],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
]


def _moments(
    leads: Mapping[str, Trace], name: str, parts: Sequence[str], factors: Sequence[float] = (1.0, 1.0)
) -> _Moments | None:
    """Squares and products of a lead and of two others at all shifts of these, over the time that all show.

    The lead's square; the others' ``(shifts,)`` each; their product ``(shifts, shifts)``; the lead's product with
    each. A second part that is not asked for is 0. None where a lead is missing, flat, or shares no time.
    """
    if name not in leads or any(part not in leads for part in parts):
        return None
    used = [leads[name], *(leads[part] for part in parts)]
    first_s = max(trace.start_s for trace in used)
    samples = round((min(trace.start_s + trace.length_s for trace in used) - first_s) * RATE_HZ)
    length = samples - 2 * _SHIFTS
    if length < _LEAST:
        return None
    cut = []
    for trace in used:
        first = round((first_s - trace.start_s) * RATE_HZ)
        cut.append(trace.signal_mv[first : first + samples].astype(np.float64))
    samples = min(map(len, cut))
    shifted = [
        np.lib.stride_tricks.sliding_window_view(signal[:samples], samples - 2 * _SHIFTS) for signal in cut
    ]
    known = np.isfinite(shifted[0][_SHIFTS])
    for windows in shifted[1:]:
        known = known & np.isfinite(windows).all(axis=0)
    if known.sum() < _LEAST:
        return None
    lead = _centred(shifted[0][_SHIFTS : _SHIFTS + 1, known])[0]
    others = [
        factor * _centred(windows[:, known]) for windows, factor in zip(shifted[1:], factors, strict=False)
    ]
    if len(others) == 1:
        others.append(np.zeros((1, len(lead))))
    size = float(lead @ lead)
    one, two = others
    if size == 0 or not one.any():
        return None
    squares = (np.einsum("ij,ij->i", one, one), np.einsum("ij,ij->i", two, two))
    return size, squares, one @ two.T, one @ lead, two @ lead


def _centred(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(signals - signals.mean(axis=-1, keepdims=True))
