"""Is the rhythm atrial fibrillation or flutter, and from when to when? By the beats that were found, and one lead."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadwise.names import probability_in_words
from leadwise.pages.page_signals import RATE_HZ as PAGE_HZ
from leadwise.pages.page_signals import PageSignals
from leadwise.recordings.episodes import LIKELY, NOTE, Episode, episodes_of
from leadwise.recordings.filters import band_passed
from leadwise.recordings.qrs import find_beats
from leadwise.recordings.stretches import described
from leadwise.recordings.summary import clock
from leadwise.serving.model import load_rhythm_model
from leadwise.serving.recordings import Reading

LEAST_S = 9.0
"""Shortest recording of those that the model learned from."""

_NAMED = 5  # episodes that the lines of an answer name; all of them are in its JSON


def episodes_in(reading: Reading) -> tuple[Episode, ...] | None:
    """Episodes of atrial fibrillation or flutter in order; None where it is too short, or has too few beats, to tell.

    Raises `WeightsError` for the model.
    """
    if reading.duration_s < LEAST_S:
        return None
    starts, features = described(reading.filtered[0], reading.record.rate_hz, reading.beats / reading.rate_hz)
    probabilities = load_rhythm_model().answer(features)
    if np.isnan(probabilities).all():
        return None
    return tuple(episodes_of(starts, probabilities, reading.duration_s))


def strip_probability(strip_mv: NDArray[np.floating], rate_hz: float) -> float | None:
    """How likely one lead ``(samples,)`` of a page shows fibrillation or flutter; None of too few beats."""
    signal = np.nan_to_num(np.asarray(strip_mv, np.float64))
    if len(signal) < LEAST_S * rate_hz or not signal.any():
        return None
    beats = find_beats(signal[None], rate_hz)
    _, features = described(band_passed(signal[None], rate_hz)[0], rate_hz, beats / rate_hz)
    probability = float(np.mean(load_rhythm_model().answer(features)))
    return None if math.isnan(probability) else probability


def page_probability(signals: PageSignals) -> float | None:
    """The same of a page of any form: of its strip of II, else of another strip, else of its lead II."""
    traces = [signals.strips.get("II"), *signals.strips.values(), signals.leads.get("II")]
    strip = next((trace for trace in traces if trace is not None), None)
    return None if strip is None else strip_probability(strip.signal_mv, PAGE_HZ)


def strip_words(probability: float | None) -> list[str]:
    """What is said of a page's strip: nothing where nothing is likely, or known."""
    if probability is None or probability <= LIKELY:
        return []
    return [
        f"strip irregular, atrial fibrillation or flutter likely ({probability_in_words(probability)}, by a model "
        "of recordings)"
    ]


def as_noted(episodes: Sequence[Episode] | None) -> list[dict[str, str | float]] | None:
    """Episodes as JSON has them."""
    if episodes is None:
        return None
    return [
        {
            "rhythm": NOTE[1:],
            "start_s": round(one.start_s, 3),
            "end_s": round(one.end_s, 3),
            "probability": round(one.probability, 3),
        }
        for one in episodes
    ]


def episode_words(episodes: Sequence[Episode] | None, duration_s: float) -> list[str]:
    """What is said of a recording's episodes, a line or none."""
    if episodes is None:
        return ["too short, or too few beats, to look for atrial fibrillation"]
    if not episodes:
        return []
    total = sum(one.end_s - one.start_s for one in episodes)
    named = ", ".join(f"{clock(one.start_s)} to {clock(one.end_s)}" for one in episodes[:_NAMED])
    more = f" and {len(episodes) - _NAMED} more" if len(episodes) > _NAMED else ""
    how_long = f"{clock(total)} ({total / duration_s:.0%})"
    return [f"irregular, atrial fibrillation or flutter likely for {how_long}: {named}{more}"]
