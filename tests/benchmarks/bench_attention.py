"""How much processor time exact attention over 900 steps takes, ours against torch's, forwards and backwards.

    python tests/benchmarks/bench_attention.py

One thread, the network of notebook 31: heads of 8 channels. Claimed: at most 0.6 of torch's time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from leadwise.files import write_json
from leadwise.models.long_attention import attend
from leadwise.project.paths import runs_folder

WINDOWS, TIMES, CLAIMED = 8, 5, 0.6


def main() -> int:
    """Measure both in turn, print the least of each and their ratio."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    mix = nn.MultiheadAttention(64, 8, batch_first=True)
    steps = torch.randn(WINDOWS, 900, 64)
    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "torch": lambda given: torch.as_tensor(mix(given, given, given, need_weights=False)[0]),
        "leadwise": lambda given: attend(mix, given),
    }
    taken = {name: min(_seconds(way, steps) for _ in range(TIMES)) for name, way in ways.items()}
    for name, seconds in taken.items():
        print(f"{name:9} {1000 * seconds / WINDOWS:6.1f} ms of one core a window")
    target = runs_folder() / "sample" / "bench_attention" / "results.json"
    write_json({name: 1000 * seconds / WINDOWS for name, seconds in taken.items()}, target)
    ratio = taken["leadwise"] / taken["torch"]
    print(f"ratio {ratio:.2f}; at most {CLAIMED:g} is claimed. Written to {target}")
    return 0 if ratio <= CLAIMED else 1


def _seconds(way: Callable[[Tensor], Tensor], steps: Tensor) -> float:
    given = steps.clone().requires_grad_()
    begun = time.process_time()
    way(given).sum().backward()  # type: ignore[no-untyped-call]
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
