"""The model that answers: one ONNX file that says itself what goes in, what comes out, and what it was trained on."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.data.views import LARGEST_MV, LEAD_SAMPLES, SIGNAL_HZ, STRIP_SAMPLES, Views
from leadwise.errors import WeightsError
from leadwise.pages.template import LEADS
from leadwise.serving.seal import is_sealed

CAUTION = "Research use only, not a medical device."
"""Stands beside every answer."""

FORMAT = "1"
"""Changes whenever a file's inputs, outputs or metadata do; this leadwise reads no other."""

NEEDED = (
    "format",
    "model",
    "classes",
    "views",
    "signal_hz",
    "leads",
    "samples",
    "largest_mv",
    "far",
    "calibration",
    "protocol",
    "data_fingerprint",
    "leadwise",
)
"""What a file's metadata must say."""

PREPROCESSING = {
    "signal_hz": str(SIGNAL_HZ),
    "leads": ",".join(LEADS),
    "samples": f"{LEAD_SAMPLES},{STRIP_SAMPLES}",
    "largest_mv": f"{LARGEST_MV:g}",
}
"""How pages are read for a model: the rate, the order of leads, samples of a lead and of the strip, and where
voltages are cut off; a file of any other is refused."""

MAX_BYTES = 500_000_000


@dataclass(frozen=True)
class ModelInfo:
    """Where an answer comes from.

    `protocol` is that of the scores in its card; `data_fingerprint` that of the pages it was trained on; `note`
    what must be known beside every answer.
    """

    name: str
    classes: tuple[str, ...]
    version: str
    protocol: str
    data_fingerprint: str
    trained_on: str
    note: str

    @classmethod
    def of(cls, told: Mapping[str, str]) -> ModelInfo:
        """What the metadata of a model's file says; raises `KeyError` for what must be there and is not."""
        return cls(
            told["model"],
            tuple(told["classes"].split(",")),
            told["leadwise"],
            told["protocol"],
            told["data_fingerprint"],
            told.get("trained_on", "unknown"),
            told.get("note", ""),
        )


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
    if told.get("format") != FORMAT or any(key not in told for key in NEEDED):
        raise WeightsError(
            f"{name}: a model of format {told.get('format', 'unknown')}; this leadwise reads format {FORMAT}. "
            "Export it again with this version, or install the version that wrote it."
        )
    wrong = {key: told[key] for key, ours in PREPROCESSING.items() if told[key] != ours}
    if wrong:
        raise WeightsError(
            f"{name}: was made for pages that are read otherwise ({wrong}; here {PREPROCESSING}). Export it again."
        )
    try:
        return Model(session, told)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{name}: its metadata cannot be read ({error}). Export it again.") from error


def opened(path: Path | None, shipped: str, option: str) -> tuple[Any, dict[str, str]]:
    """A session of a sealed ONNX file, or of the `shipped` one, and what it says of itself.

    `option` is how the command line names another file. Raises `WeightsError` for a file that is missing, damaged or
    changed, or that onnxruntime cannot load.
    """
    name, data = (shipped, _shipped(shipped, option)) if path is None else (str(path), _read(path))
    if not is_sealed(data):
        raise WeightsError(
            f"{name}: its checksum is missing or wrong, so the file is damaged, was changed, or is no model of "
            f"leadwise. Export it again, or leave {option} out."
        )
    try:
        session = session_of(data)
    except Exception as error:  # onnxruntime's own errors have no common type
        raise WeightsError(f"{name}: onnxruntime cannot load it ({str(error).splitlines()[0]}).") from error
    return session, dict(session.get_modelmeta().custom_metadata_map)


def session_of(model: bytes | str) -> Any:
    """An ONNX model, its bytes or path, ready to run on one thread of the CPU; raises onnxruntime's errors."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _shipped(name: str, option: str) -> bytes:
    resource = package_files("leadwise") / "resources" / name
    if not resource.is_file():
        raise WeightsError(
            f"{name} is not among leadwise's resources: install leadwise again, or name a file with {option}."
        )
    return resource.read_bytes()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path}: {path.stat().st_size / 1e6:.0f} MB is no model of leadwise.")
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: {os.strerror(error.errno) if error.errno else error}.") from error
