"""The model that answers: one ONNX file that says itself what goes in, what comes out, and what it was trained on."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import WeightsError
from leadwise.models.onnx_file import PAGES, ModelInfo, opened
from leadwise.sets.views import Views


class Model:
    """A loaded model; `info` says what it is, `far` from which distance on a page is unlike its training pages."""

    def __init__(self, session: Any, told: dict[str, str]) -> None:
        self._session = session
        self._views = told["views"].split(",")
        unknown = set(self._views) - {"signals", "rhythm"}
        if unknown:
            raise ValueError(f"views {sorted(unknown)} are not known")
        self.far = float(told["far"])
        self.info = ModelInfo.of(told)

    def answer(self, views: Views) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Calibrated probabilities ``(N, classes)``, and how far ``(N,)`` each page is from the training pages."""
        fed = {name: np.asarray(views[name], np.float32) for name in self._views}
        probabilities, distance = self._session.run(["probabilities", "distance"], fed)
        return probabilities, distance


def load_model(path: Path | None = None) -> Model:
    """Load an ONNX file that 43_student_export wrote; without a path the one that comes with leadwise.

    Raises `WeightsError` for a file that is missing, damaged or changed (its checksum tells), no such model, or one
    of another format.
    """
    return _loaded(None if path is None else path.absolute())


@functools.lru_cache(maxsize=4)
def _loaded(path: Path | None) -> Model:
    name = "student12.onnx" if path is None else str(path)
    session, told = opened(path, "student12.onnx", "--model")
    if told.get("format") != PAGES.name or any(key not in told for key in PAGES.needed):
        raise WeightsError(
            f"{name}: a model of format {told.get('format', 'unknown')}; this leadwise reads format {PAGES.name}. "
            "Export it again with this version, or install the version that wrote it."
        )
    wrong = {key: told[key] for key, ours in PAGES.preprocessing.items() if told[key] != ours}
    if wrong:
        raise WeightsError(
            f"{name}: was made for pages that are read otherwise ({wrong}; here {PAGES.preprocessing}). "
            "Export it again."
        )
    try:
        return Model(session, told)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{name}: its metadata cannot be read ({error}). Export it again.") from error
