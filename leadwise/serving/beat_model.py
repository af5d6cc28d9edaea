"""The model that names heartbeats: one ONNX file, sealed and told as that of pages is (`leadwise.serving.model`)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import WeightsError
from leadwise.models.onnx_file import BEATS, ModelInfo, opened
from leadwise.names import AAMI

SHIPPED = "beat_rhythm.onnx"

VIEWS = tuple(BEATS.preprocessing["views"].split(","))

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
    if told.get("format") != BEATS.name or any(key not in told for key in BEATS.needed):
        raise WeightsError(
            f"{name}: no model of beats, or one of another format ({told.get('format', 'unknown')}; this leadwise "
            f"reads {BEATS.name!r}). Models of pages are named with --model."
        )
    wrong = {key: told[key] for key, ours in BEATS.preprocessing.items() if told[key] != ours}
    if wrong:
        raise WeightsError(
            f"{name}: was made for beats that are cut otherwise ({wrong}; here {BEATS.preprocessing}). "
            "Export it again."
        )
    if set(told["classes"].split(",")) - set(AAMI):
        raise WeightsError(f"{name}: names classes other than {', '.join(AAMI)}. Export it again.")
    return BeatModel(session, told)
