"""Pictures of what an ink network sees and says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from drawn import ecg
from pictures import check

from leadwise.drawing.drawn import FORMS
from leadwise.drawing.ink_crops import crops
from leadwise.figures import ink
from leadwise.pages.ink_maps import KINDS

CROPS = list(crops(ecg(rate_hz=250), 250, FORMS["3x4"], np.random.default_rng(0), each=1, side_px=96))
SAID = [crop.kinds / 255 for crop in CROPS]
HISTORY = pd.DataFrame({"step": range(1, 60), "loss": np.linspace(1, 0.3, 59)})
TOLD = pd.DataFrame({"pages": ["red", "black, photo"], "trace": [0.9, 0.8], "colours": [0.6, np.nan]})
PAGE = CROPS[0].picture
MAPS = {kind: each.astype(np.float32) / 255 for kind, each in zip(KINDS, CROPS[0].kinds, strict=True)}

FIGURES = {
    "crops": lambda: ink.crops_and_maps(CROPS, "n = 4 crops"),
    "crops_said": lambda: ink.crops_and_maps(CROPS, "n = 4 crops", SAID),
    "loss": lambda: ink.losses(HISTORY, "It learns", "n = 59 steps"),
    "told": lambda: ink.told_by_kind(TOLD, "Told apart", "n = 2 pieces"),
    "page": lambda: ink.page_and_maps(PAGE, MAPS, "n = 1 page"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_whole_and_says_how_many(name, tmp_path):
    check(FIGURES[name](), tmp_path)


def test_each_kind_has_its_colour_and_paper_is_white():
    maps = np.zeros((6, 1, 7))
    for number in range(6):
        maps[number, 0, number] = 1
    painted = ink.painted(maps)[0]
    assert [tuple(int(level) for level in pixel) for pixel in painted[:6]] == list(ink.COLOURS.values())
    assert (painted[6] == 255).all()
