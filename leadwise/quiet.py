"""What leadwise is built on reports to nobody: its reporting is switched off before any of it is imported.

`import leadwise` does it, in every process, and what that starts inherits it: workers, Snakemake, its jobs, kernels.
docs/privacy.md says what was found in which package.
"""

from __future__ import annotations

import os
import sys
import warnings

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime, on by default: a lasting device id, events to its maker (Privacy.md)
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, hf-xet, transformers: who fetches weights, and how it goes
    "DISABLE_SAFETENSORS_CONVERSION": "1",  # transformers: asks a service of the hub to convert what was just fetched
}
"""The variables, read by these packages alone."""


def switch_off() -> None:
    """Set all `SWITCHES`, whatever stood there. Warns where onnxruntime was faster: it reads its own but once."""
    too_late = "onnxruntime" in sys.modules and os.environ.get("ORT_DISABLE_TELEMETRY") not in {"1", "true"}
    os.environ.update(SWITCHES)
    if too_late:
        warnings.warn(
            "onnxruntime was imported before leadwise, so it reports to its maker until this process ends: import "
            "leadwise first, or set ORT_DISABLE_TELEMETRY=1 in the environment.",
            RuntimeWarning,
            stacklevel=3,
        )
