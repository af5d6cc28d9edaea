"""A trained network as one ONNX file that says itself what goes in, what comes out, and what it was trained on.

Written by `leadwise.learning.export`, read by `leadwise.serving`; opened without torch. A checksum inside the file,
sha256 over all with its own digits as zeros, cannot be lost and tells of any change.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadwise import onnx
from leadwise.errors import WeightsError
from leadwise.names import LEADS
from leadwise.recordings import beat_views, stretches
from leadwise.recordings.filters import BAND_HZ
from leadwise.sets.views import LARGEST_MV, LEAD_SAMPLES, SIGNAL_HZ, STRIP_SAMPLES

_SAID_BY_ALL = ("format", "model", "classes", "protocol", "data_fingerprint", "leadwise")
_MAX_BYTES = 500_000_000


@dataclass(frozen=True)
class FileFormat:
    """One kind of file: its name changes whenever inputs, outputs or metadata do, and no other is read.

    `preprocessing` tells how what goes in is made; a file of any other is refused. `said` is what else its metadata
    must hold.
    """

    name: str
    preprocessing: dict[str, str]
    said: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """All that a file's metadata must say."""
        return (*_SAID_BY_ALL, *self.said, *self.preprocessing)


PAGES = FileFormat(
    "1",
    {
        "signal_hz": str(SIGNAL_HZ),
        "leads": ",".join(LEADS),
        "samples": f"{LEAD_SAMPLES},{STRIP_SAMPLES}",
        "largest_mv": f"{LARGEST_MV:g}",
    },
    ("views", "far", "calibration"),
)
"""Models of pages: rate, order of leads, samples of a lead and of the strip, where voltages are cut off."""

HEARTS = FileFormat("hearts 1", {**PAGES.preprocessing, "level": "the median of each trace is 0 mV"})
"""Models of pages of any form, five superclasses each by itself: as PAGES, but each trace around its own median."""

BEATS = FileFormat(
    "beats 1",
    {
        "views": "beat,usual_beat,intervals",
        "rate_hz": f"{beat_views.CUT.rate_hz:g}",
        "samples": str(beat_views.CUT.samples),
        "peak": str(beat_views.CUT.peak),
        "leads": str(beat_views.LEADS),
        "band_hz": ",".join(f"{end:g}" for end in BAND_HZ),
        "intervals": ",".join(beat_views.INTERVALS),
    },
)
"""Models of heartbeats: how beats are cut (`leadwise.recordings.beat_views`)."""

RHYTHM = FileFormat(
    "rhythm 1",
    {
        "features": ",".join(stretches.FEATURES),
        "length_s": f"{stretches.LENGTH_S:g}",
        "band_hz": ",".join(f"{end:g}" for end in BAND_HZ),
    },
)
"""Models of rhythm: what a stretch of a recording is described by (`leadwise.recordings.stretches`)."""


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


def opened(path: Path | None, shipped: str, option: str) -> tuple[Any, dict[str, str]]:
    """A session of a sealed ONNX file, or of the `shipped` one, and what it says of itself.

    `option` is how the command line names another file. Raises `WeightsError` for a file that is missing, damaged or
    changed, or that onnxruntime cannot load.
    """
    if path is None:
        name, data = shipped, onnx.shipped(shipped, f", or name a file with {option}")
    else:
        name, data = str(path), _read(path)
    if not is_sealed(data):
        raise WeightsError(
            f"{name}: its checksum is missing or wrong, so the file is damaged, was changed, or is no model of "
            f"leadwise. Export it again, or leave {option} out."
        )
    session = onnx.loaded(data, name)
    return session, dict(session.get_modelmeta().custom_metadata_map)


_MARK = b"leadwise-sha256:"
_EMPTY = b"0" * 64
_SEAL = re.compile(re.escape(_MARK) + b"([0-9a-f]{64})")

EMPTY_SEAL = (_MARK + _EMPTY).decode()
"""What a file holds where its checksum will stand."""


def sealed(data: bytes) -> bytes:
    """The same bytes with their checksum in place of EMPTY_SEAL. Raises `ValueError` where there is no such place."""
    if data.count(_MARK + _EMPTY) != 1:
        raise ValueError("no single place for a checksum")
    return data.replace(_MARK + _EMPTY, _MARK + _digest(data))


def is_sealed(data: bytes) -> bool:
    """Whether a file holds one checksum, and it is right."""
    found = _SEAL.findall(data)
    return len(found) == 1 and _digest(_SEAL.sub(_MARK + _EMPTY, data)) == found[0]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise WeightsError(f"{path}: {path.stat().st_size / 1e6:.0f} MB is no model of leadwise.")
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: {os.strerror(error.errno) if error.errno else error}.") from error
