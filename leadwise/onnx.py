"""ONNX files, ready to answer."""

from __future__ import annotations

from typing import Any


def session_of(model: bytes | str, *, keeps_memory: bool = True) -> Any:
    """An ONNX model, its bytes or path, ready to run on one thread of the CPU; raises onnxruntime's errors.

    One that keeps its memory from answer to answer is a little faster, and takes a quarter more of it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = keeps_memory
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
