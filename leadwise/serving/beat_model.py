"""The model that names heartbeats: one ONNX file, sealed and told as that of pages is (`leadwise.serving.model`)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import WeightsError
from leadwise.serving.model import ModelInfo, opened
from leadwise.signals.annotations import AAMI
from leadwise.signals.beat_views import CUT, INTERVALS, LEADS
from leadwise.signals.filters import BAND_HZ

SHIPPED = "beat_rhythm.onnx"

FORMAT = "beats 1"
"""Changes whenever a file's inputs, outputs or metadata do; this leadwise reads no other."""

VIEWS = ("beat", "usual_beat", "intervals")

PREPROCESSING = {
    "views": ",".join(VIEWS),
    "rate_hz": f"{CUT.rate_hz:g}",
    "samples": str(CUT.samples),
    "peak": str(CUT.peak),
    "leads": str(LEADS),
    "band_hz": ",".join(f"{end:g}" for end in BAND_HZ),
    "intervals": ",".join(INTERVALS),
}
"""How beats are cut for a model (`leadwise.signals.beat_views`); a file made for any other is refused."""

NEEDED = ("format", "model", "classes", "protocol", "data_fingerprint", "leadwise", *PREPROCESSING)
"""What a file's metadata must say."""

_AT_ONCE = 512


class BeatModel:
    """A loaded model; `info` says what it is, `learned_from` names the records of those whom it was shown."""

    def __init__(self, session: Any, told: dict[str, str]) -> None:
        self._session = session
        self.info = ModelInfo.of(told)
        self.learned_from = frozenset(filter(None, told.get("records", "").split(",")))

    def answer(self, views: dict[str, NDArray[np.floating]]) -> NDArray[np.float32]:
        """Probabilities ``(N, classes)`` of beats as `beat_views` gives them."""
        fed = {name: np.asarray(views[name], np.float32) for name in VIEWS}
        parts = [
            self._session.run(
                ["probabilities"], {name: view[start : start + _AT_ONCE] for name, view in fed.items()}
            )[0]
            for start in range(0, len(fed["beat"]), _AT_ONCE)
        ]
        return np.concatenate([np.zeros((0, len(self.info.classes)), np.float32), *parts])


def load_beat_model(path: Path | None = None) -> BeatModel:
    """Load an ONNX file that `leadwise.learning.export_beats` wrote; without a path the one that comes with leadwise.

    Raises `WeightsError` for a file that is missing, damaged or changed, no such model, or one of another format.
    """
    return _loaded(None if path is None else path.absolute())


@functools.lru_cache(maxsize=4)
def _loaded(path: Path | None) -> BeatModel:
    name = SHIPPED if path is None else str(path)
    session, told = opened(path, SHIPPED, "--beat-model")
    if told.get("format") != FORMAT or any(key not in told for key in NEEDED):
        raise WeightsError(
            f"{name}: no model of beats, or one of another format ({told.get('format', 'unknown')}; this leadwise "
            f"reads {FORMAT!r}). Models of pages are named with --model."
        )
    wrong = {key: told[key] for key, ours in PREPROCESSING.items() if told[key] != ours}
    if wrong:
        raise WeightsError(
            f"{name}: was made for beats that are cut otherwise ({wrong}; here {PREPROCESSING}). Export it again."
        )
    if set(told["classes"].split(",")) - set(AAMI):
        raise WeightsError(f"{name}: names classes other than {', '.join(AAMI)}. Export it again.")
    return BeatModel(session, told)
