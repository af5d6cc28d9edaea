"""Made answers, for tests that need no real model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadwise.data.contracts import CLASSES


def made_answers(
    n: int = 120,
    classes: tuple[str, ...] = CLASSES,
    seeds: tuple[int, ...] = (1,),
    skill: float = 1.5,
    rng_seed: int = 0,
) -> pd.DataFrame:
    """Answers of a made model for `n` pages in groups of two; more `skill`, better answers."""
    rng = np.random.default_rng(rng_seed)
    labels = rng.integers(0, len(classes), n)
    frames = []
    for seed in seeds:
        logits = rng.normal(size=(n, len(classes)))
        logits[np.arange(n), labels] += skill
        prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        frame = pd.DataFrame(
            {
                "unit": "page",
                "unit_id": [f"p{i}" for i in range(n)],
                "group_id": [f"g{i // 2}" for i in range(n)],
                "model": "made",
                "profile": "tests",
                "task": "four" if len(classes) == 4 else "binary",
                "protocol": "grouped",
                "seed": seed,
                "fold": np.arange(n) % 5 + 1,
                "role": "test",
                "held_out": None,
                "label": [classes[i] for i in labels],
            }
        )
        frame[[f"prob_{name}" for name in classes]] = prob
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
