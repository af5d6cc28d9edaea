"""Which leads moved an answer: the answer again, each time with one lead blank."""

from __future__ import annotations

import numpy as np

from leadwise.names import LEADS
from leadwise.pages.digitize import Signals
from leadwise.recordings.records import STRIP
from leadwise.serving.model import Model
from leadwise.sets.views import signal_views, stacked


def without_each_lead(signals: Signals, model: Model) -> dict[str, dict[str, float]]:
    """Probabilities by class for a page without each of its leads, and without its rhythm strip, in one batch.

    A lead that is left out is 0 mV throughout, as one that was off. In training a lead was off at random
    (`leadwise.learning.augment`), so such a page is none that the network does not know. What is left out of the
    lead that the strip repeats can still be seen on the strip.
    """
    names = (*LEADS, STRIP)
    views = {
        name: np.repeat(view, len(names), axis=0) for name, view in stacked([signal_views(signals)]).items()
    }
    for number in range(len(LEADS)):
        views["signals"][number, number] = 0
    views["rhythm"][len(LEADS)] = 0
    probabilities, _ = model.answer(views)
    return {
        left_out: dict(zip(model.info.classes, map(float, row), strict=True))
        for left_out, row in zip(names, probabilities, strict=True)
    }
