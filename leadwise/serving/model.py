"""The models that answer: ONNX files that say what goes in, what comes out, and what they were trained on."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import WeightsError
from leadwise.files import RESOURCES
from leadwise.models.onnx_file import BEATS, HEARTS, PAGES, RHYTHM, ModelInfo, opened
from leadwise.names import AAMI, SUPERCLASSES
from leadwise.sets.views import Views, levelled

BEAT_VIEWS = tuple(BEATS.preprocessing["views"].split(","))

_AT_ONCE = 512


class Model:
    """A model of pages; `info` says what it is, `far` from which distance on a page is unlike its training pages."""

    form, shipped, option, input_words = PAGES, "student12.onnx", "--model", "pages that are read otherwise"

    def __init__(self, session: Any, metadata: dict[str, str]) -> None:
        self._session = session
        self._views = metadata["views"].split(",")
        unknown = set(self._views) - {"signals", "rhythm"}
        if unknown:
            raise ValueError(f"views {sorted(unknown)} are not known")
        self.far = float(metadata["far"])
        self.info = ModelInfo.of(metadata)

    def answer(self, views: Views) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Calibrated probabilities ``(N, classes)``, and how far ``(N,)`` each page is from the training pages."""
        inputs = {name: np.asarray(views[name], np.float32) for name in self._views}
        probabilities, distance = self._session.run(["probabilities", "distance"], inputs)
        return probabilities, distance


class BeatModel:
    """A model of beats; `info` says what it is, `learned_from` names the records of those whom it was shown."""

    form, shipped, option, input_words = (
        BEATS,
        "beat_rhythm.onnx",
        "--beat-model",
        "beats that are cut otherwise",
    )

    def __init__(self, session: Any, metadata: dict[str, str]) -> None:
        self._session = session
        self.info = ModelInfo.of(metadata)
        if unknown := set(self.info.classes) - set(AAMI):
            raise ValueError(f"classes {sorted(unknown)} are none of {', '.join(AAMI)}")
        self.learned_from = frozenset(filter(None, metadata.get("records", "").split(",")))

    def answer(self, views: dict[str, NDArray[np.floating]]) -> NDArray[np.float32]:
        """Probabilities ``(N, classes)`` of beats as `beat_views` gives them."""
        inputs = {name: np.asarray(views[name], np.float32) for name in BEAT_VIEWS}
        parts = [
            self._session.run(
                ["probabilities"], {name: view[start : start + _AT_ONCE] for name, view in inputs.items()}
            )[0]
            for start in range(0, len(inputs["beat"]), _AT_ONCE)
        ]
        return np.concatenate([np.zeros((0, len(self.info.classes)), np.float32), *parts])


class RhythmModel:
    """A model of stretches of a recording: how likely each is one of atrial fibrillation or flutter."""

    form, shipped, option, input_words = (
        RHYTHM,
        "af_stretch.onnx",
        "another file",
        "stretches that are described otherwise",
    )

    def __init__(self, session: Any, metadata: dict[str, str]) -> None:
        self._session = session
        self.info = ModelInfo.of(metadata)

    def answer(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities ``(stretches,)`` of what `leadwise.recordings.stretches.described` gave; nan where it is."""
        known = np.isfinite(features).all(axis=1)
        found = np.full(len(features), np.nan)
        if known.any():
            inputs = {"features": features[known].astype(np.float32)}
            found[known] = self._session.run(["probabilities"], inputs)[0][:, 1]
        return found


class HeartsModel:
    """A model of pages of any form that names superclasses, each by itself; `info` says what it is."""

    form, shipped, option, input_words = HEARTS, "hearts.onnx", "--model", "pages that are read otherwise"

    def __init__(self, session: Any, metadata: dict[str, str]) -> None:
        self._session = session
        self.info = ModelInfo.of(metadata)
        if self.info.classes != SUPERCLASSES:
            raise ValueError(f"classes {self.info.classes} are not {SUPERCLASSES}")

    def answer(self, views: Views) -> NDArray[np.float32]:
        """Calibrated probabilities ``(N, 5)`` of views in mV, whatever the level of their traces."""
        seen = levelled({name: views[name] for name in ("signals", "rhythm")})
        parts = [
            self._session.run(
                ["probabilities"], {name: view[start : start + _AT_ONCE] for name, view in seen.items()}
            )[0]
            for start in range(0, len(seen["signals"]), _AT_ONCE)
        ]
        return np.concatenate(parts)


def load_hearts(path: Path | None = None) -> HeartsModel:
    """Load an ONNX file that 30_image_hearts wrote; else, and in what it raises, as `load_model`."""
    return _loaded(HeartsModel, path)


def hearts_ship() -> bool:
    """Whether the file of the network for pages of any form comes with this leadwise."""
    return (RESOURCES / HeartsModel.shipped).is_file()


def load_model(path: Path | None = None) -> Model:
    """Load an ONNX file that 43_student_export wrote; without a path the one that comes with leadwise.

    Raises `WeightsError` for a file that is missing, damaged or changed (its checksum tells), no such model, or one
    of another format.
    """
    return _loaded(Model, path)


def load_beat_model(path: Path | None = None) -> BeatModel:
    """Load an ONNX file that `leadwise.learning.export_beats` wrote; else, and in what it raises, as `load_model`."""
    return _loaded(BeatModel, path)


def load_rhythm_model(path: Path | None = None) -> RhythmModel:
    """Load an ONNX file that 35_signal_rhythm wrote; else, and in what it raises, as `load_model`."""
    return _loaded(RhythmModel, path)


_Kind = TypeVar("_Kind", Model, BeatModel, RhythmModel, HeartsModel)
_opened = functools.lru_cache(maxsize=4)(opened)


def _loaded(kind: type[_Kind], path: Path | None) -> _Kind:
    name, form = path or kind.shipped, kind.form
    session, metadata = _opened(None if path is None else path.absolute(), kind.shipped, kind.option)
    if metadata.get("format") != form.name or any(key not in metadata for key in form.needed):
        raise WeightsError(
            f"{name}: a model of format {metadata.get('format', 'unknown')}; {kind.option} takes format {form.name} "
            "of this leadwise. Export it again with this version, or install the version that wrote it."
        )
    wrong = {key: metadata[key] for key, ours in form.preprocessing.items() if metadata[key] != ours}
    if wrong:
        raise WeightsError(
            f"{name}: was made for {kind.input_words} ({wrong}; here {form.preprocessing}). Export it again."
        )
    try:
        return kind(session, metadata)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{name}: its metadata cannot be read ({error}). Export it again.") from error
