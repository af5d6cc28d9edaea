"""Made pages and answers, for tests that need no real ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from leadwise.names import CLASSES
from leadwise.pages.digitize import N_LEAD, N_STRIP
from leadwise.recordings.beat_views import CUT, INTERVALS, LEADS
from leadwise.sets.views import INK_PX, STRIP_PX


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


def made_views(n: int) -> dict[str, np.ndarray]:
    """Pages in every view; the class of page i is i % 4: how tall the signal is, and how much ink there is."""
    rng = np.random.default_rng(0)
    size = np.array([0.2, 0.6, 1.2, 2.4])[np.arange(n) % 4]
    wave = np.sin(np.linspace(0, 60, N_STRIP))
    return {
        "ink": (rng.random((n, 12, *INK_PX)) < size[:, None, None, None] / 3).astype(np.uint8) * 255,
        "ink_strip": (rng.random((n, *STRIP_PX)) < size[:, None, None] / 3).astype(np.uint8) * 255,
        "signals": (size[:, None, None] * wave[:N_LEAD:2] + np.zeros((n, 12, 1)))[..., :312].astype(
            np.float32
        ),
        "rhythm": (size[:, None] * wave[::2]).astype(np.float32),
        "beats": (size[:, None, None] * wave[:81] + np.zeros((n, 12, 1))).astype(np.float32),
    }


def made_beats(n: int, rng_seed: int = 0) -> dict[str, torch.Tensor]:
    """Views of beats that look like noise about a usual beat, as networks take them."""
    rng = np.random.default_rng(rng_seed)
    usual = np.exp(-(((np.arange(CUT.samples) - CUT.peak) / 4) ** 2)) * np.ones((n, LEADS, 1))
    views = {
        "beat": usual + rng.normal(0, 0.1, usual.shape),
        "usual_beat": usual,
        "intervals": rng.normal(0, 0.3, (n, len(INTERVALS))),
    }
    return {name: torch.from_numpy(view.astype(np.float32)) for name, view in views.items()}


def made_pages(n: int) -> pd.DataFrame:
    """The columns of pages.csv that training needs."""
    return pd.DataFrame(
        {"page_id": [f"{i:012x}" for i in range(n)], "label": [CLASSES[i % 4] for i in range(n)]}
    )


def made_folds(pages: pd.DataFrame) -> pd.DataFrame:
    """Five folds of such pages in groups of four."""
    groups = np.arange(len(pages)) // 4
    columns = {"protocol": "grouped", "unit": "page", "seed": 1, "part": "test", "inner": None}
    table = pages.rename(columns={"page_id": "unit_id"}).assign(path=pages["page_id"], **columns)
    return table.assign(group_id=[f"g{g}" for g in groups], fold=1 + groups % 5)
