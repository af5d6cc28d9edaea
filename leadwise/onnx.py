"""ONNX files, ready to answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from leadwise.errors import WeightsError
from leadwise.files import RESOURCES


def session_of(model: bytes | str, *, keeps_memory: bool = True) -> Any:
    """An ONNX model, its bytes or path, ready to run on one thread of the CPU; raises onnxruntime's errors.

    One that keeps its memory from answer to answer is a little faster, and takes a quarter more of it. Running it
    raises `MemoryError` where there is not enough.
    """
    import onnxruntime

    class Session(onnxruntime.InferenceSession):  # type: ignore[misc]  # it has no types
        def run(self, *asked: Any, **more: Any) -> Any:
            try:
                return super().run(*asked, **more)
            except Exception as error:  # onnxruntime's own, whatever the reason
                if "bad_alloc" in str(error):
                    raise MemoryError("a network needs more memory than there is") from error
                raise

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = keeps_memory
    return Session(model, options, providers=["CPUExecutionProvider"])


def shipped(name: str, otherwise: str = "") -> bytes:
    """A file among leadwise's resources; raises `WeightsError` where it is missing, with what to do `otherwise`."""
    resource = RESOURCES / name
    if not resource.is_file():
        raise WeightsError(f"{name} is not among leadwise's resources: install leadwise again{otherwise}.")
    return resource.read_bytes()


@cache
def session_of_shipped(name: str, *, keeps_memory: bool = True) -> Any:
    """The one session of a shipped model; raises `WeightsError` where it is missing or no ONNX model."""
    return loaded(shipped(name), name, keeps_memory=keeps_memory)


def loaded(model: bytes | str, name: str, *, keeps_memory: bool = True) -> Any:
    """As `session_of`; raises `WeightsError`, with the file's name, for what is no ONNX model."""
    try:
        return session_of(model, keeps_memory=keeps_memory)
    except Exception as error:  # onnxruntime's own errors have no common type
        raise WeightsError(f"{name}: onnxruntime cannot load it ({str(error).splitlines()[0]}).") from error
