"""A trained student as one ONNX file that anyone can run: calibration and distance inside, all else in its notes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leadwise.files import written_whole
from leadwise.models.joined_leads import JoinedLeads
from leadwise.models.onnx_file import EMPTY_SEAL, PAGES, sealed
from leadwise.names import VERSION
from leadwise.onnx import session_of
from leadwise.scores.costs import ms_per_call
from leadwise.sets.views import Views

OPSET = 18


@dataclass(frozen=True)
class Neighbourhood:
    """Where training pages lie among a student's features ``(pages, 64)``: `centre`, and `whitening` ``(64, 64)``.

    The distance of a page is Mahalanobis', with a covariance shrunk towards a ball (Ledoit and Wolf 2004); 99 in 100
    training pages lie below `far`. After Lee et al., "A simple unified framework for detecting out-of-distribution
    samples", arXiv 1807.03888, with one Gaussian for all classes.
    """

    centre: NDArray[np.float32]
    whitening: NDArray[np.float32]
    far: float

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> Neighbourhood:
        """Fitted on training pages."""
        from sklearn.covariance import LedoitWolf

        fitted = LedoitWolf().fit(features)
        whitening = np.linalg.cholesky(fitted.precision_)
        found = cls(fitted.location_.astype(np.float32), whitening.astype(np.float32), 0.0)
        return cls(found.centre, found.whitening, float(np.quantile(found.distances(features), 0.99)))

    def distances(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """How far pages ``(pages, 64)`` are."""
        return np.asarray(np.linalg.norm((features - self.centre) @ self.whitening, axis=1))


class Answering(nn.Module):
    """A student with its calibration: signals in mV to calibrated probabilities and a distance.

    `calibration` is a row of ``calibration.csv``: `temperature`, and `bias_<class>` where there are any.
    """

    temperature: Tensor
    biases: Tensor
    centre: Tensor
    whitening: Tensor

    def __init__(
        self,
        student: JoinedLeads,
        classes: tuple[str, ...],
        calibration: Mapping[str, Any],
        near: Neighbourhood,
    ) -> None:
        super().__init__()
        self.student = student.eval()
        biases = [float(calibration.get(f"bias_{name}", 0.0)) for name in classes]
        self.register_buffer("temperature", torch.tensor(float(calibration["temperature"])))
        self.register_buffer("biases", torch.tensor(biases))
        self.register_buffer("centre", torch.from_numpy(near.centre))
        self.register_buffer("whitening", torch.from_numpy(near.whitening))

    def forward(self, signals: Tensor, rhythm: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities ``(N, classes)`` and distances ``(N,)``."""
        features = self.student.features(signals, rhythm)
        logits = self.student.head(features).log_softmax(dim=1) / self.temperature + self.biases
        return logits.softmax(dim=1), ((features - self.centre) @ self.whitening).norm(dim=1)


@torch.no_grad()
def features_of(student: JoinedLeads, views: Views) -> NDArray[np.float32]:
    """What a student makes of pages before it answers: ``(pages, 64)``."""
    student.eval()
    return np.asarray(student.features(*(torch.from_numpy(views[name]) for name in student.views)).numpy())


def export(
    model: nn.Module, inputs: Views, outputs: tuple[str, ...], path: Path, *, any_batch: bool = True
) -> None:
    """Write a network as ONNX; `inputs` are pages by the names of its arguments, at least two for `any_batch`.

    Without `any_batch` the file takes as many pages as `inputs` has, no others.
    """
    names = list(inputs)
    example = tuple(torch.from_numpy(np.asarray(inputs[name])) for name in names)
    batch = torch.export.Dim("pages")
    sizes = (tuple({0: batch} for _ in names),) if any_batch else None
    write_onnx(_InOrder(model, names), example, names, outputs, sizes, path)


def write_onnx(
    model: nn.Module,
    example: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    sizes: Any,
    path: Path,
) -> None:
    """Write a network as ONNX, whole or not at all; `sizes` are torch's dynamic shapes, None where none change."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            model.eval(), example, dynamo=True, opset_version=OPSET, verbose=False,
            input_names=list(inputs), output_names=list(outputs), dynamic_shapes=sizes,
        )  # fmt: skip
    if program is None:  # pragma: no cover - only without dynamo
        raise RuntimeError("torch.onnx.export gave nothing")
    with written_whole(path) as aside:
        program.save(str(aside))


class _InOrder(nn.Module):
    """A network whose inputs come in a fixed order: the exporter knows no names."""

    def __init__(self, model: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *views: Tensor) -> Any:
        return self.model(**dict(zip(self.names, views, strict=True)))


def describe(path: Path, metadata: Mapping[str, str]) -> None:
    """Write metadata into an ONNX file, and last its checksum. Raises `ValueError` for a second time."""
    import onnx

    model = onnx.load(path)
    if model.metadata_props:
        raise ValueError(f"{path}: it says already what it is")
    for node in model.graph.node:
        del node.metadata_props[:]  # the exporter's stack, with the paths of this machine
    for key, value in {**metadata, "seal": EMPTY_SEAL}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    with written_whole(path) as aside:
        aside.write_bytes(sealed(model.SerializeToString()))


def metadata(
    student: JoinedLeads,
    classes: tuple[str, ...],
    far: float,
    calibration: Mapping[str, Any],
    **more: str,
) -> dict[str, str]:
    """What the file of a student says of itself; `more` are protocol, data_fingerprint, trained_on and note.

    `calibration` is the row that `Answering` was given.
    """
    return {
        "format": PAGES.name,
        "model": student.name,
        "classes": ",".join(classes),
        **student.preprocessing,
        **PAGES.preprocessing,
        "far": repr(far),
        "calibration": ",".join(
            f"{key}={value:.4f}"
            for key, value in calibration.items()
            if key.startswith(("temperature", "bias_"))
        ),
        "leadwise": VERSION,
        **more,
    }


def costs_of(networks: Mapping[str, tuple[nn.Module, Views]], folder: Path) -> pd.DataFrame:
    """`model, runtime, parameters, size_mb, ms_per_page` of networks on one page and one core, in torch and as ONNX.

    `networks` by name with one page's inputs; `folder` may be written to. Torch takes the threads that it is set to.
    """
    rows = []
    for name, (network, page) in networks.items():
        path = folder / ".timed.onnx"
        export(network, page, ("out",), path, any_batch=False)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        fed = {view: torch.from_numpy(one) for view, one in page.items()}
        session = session_of(str(path))
        with torch.inference_mode():
            in_torch = ms_per_call(partial(network, **fed))
        in_onnx = ms_per_call(partial(session.run, None, page))
        size_mb = path.stat().st_size / 1e6
        path.unlink()
        rows += [
            (name, "torch", parameters, size_mb, in_torch),
            (name, "onnx", parameters, size_mb, in_onnx),
        ]
    return pd.DataFrame(rows, columns=["model", "runtime", "parameters", "size_mb", "ms_per_page"])


def changed_by_int8(
    answering: Answering, views: Views, known: NDArray[np.int64], asked: NDArray[np.int64], folder: Path
) -> NDArray[np.bool_]:
    """Whether int8 changes a network's decision, for each page of `asked`; calibrated on its training pages `known`.

    `folder` may be written to.
    """
    full, small = folder / ".full.onnx", folder / ".int8.onnx"
    export(answering, {name: view[:2] for name, view in views.items()}, ("probabilities", "distance"), full)
    quantize(full, small, batches_of(views, known))
    page = {name: view[asked] for name, view in views.items()}
    decisions = [
        session_of(str(path)).run(["probabilities"], page)[0].argmax(axis=1) for path in (full, small)
    ]
    for path in (full, small):
        path.unlink()
    return np.asarray(decisions[0] != decisions[1])


def batches_of(views: Views, rows: NDArray[np.int64]) -> list[Views]:
    """Pages on which int8 is calibrated: the first 320 of `rows`, 32 at a time."""
    batches = np.split(rows[:320], range(32, min(len(rows), 320), 32))
    return [{name: view[batch] for name, view in views.items()} for batch in batches]


def quantize(path: Path, target: Path, batches: list[Views]) -> None:
    """Write a static int8 twin of an ONNX file: weights by channel, activations calibrated on pages of `batches`."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(batches)

        def get_next(self) -> Views | None:
            return next(self.left, None)

    logging.getLogger().setLevel(logging.ERROR)
    with written_whole(target) as aside:
        quantize_static(
            path, aside, Reader(), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Conv", "MatMul", "Gemm"],
        )  # fmt: skip
