"""Networks that see the page as one small picture, header, footer, paper and all."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.study import Results, Study
from leadwise.models.page_vit import PICTURE_PX
from leadwise.pages.layout import find_layout
from leadwise.pages.read import read_page

VARIANTS = ("plain", "no_decay", "masked")
"""As published; without its weight decay; on pages whose header and footer are white."""


def page_pictures(pages: pd.DataFrame, folder: Path, *, masked: bool) -> NDArray[np.uint8]:
    """All pages as pictures, RGB uint8 ``(pages, 182, 256, 3)``, shrunk by area.

    `pages` keeps the contract ``pages.csv``, its paths are relative to `folder`. Where `masked`, all that is printed
    outside the frame (id, sex, heart rate, date, settings) is white. Raises what `read_page` and `find_layout` raise.
    """
    from tqdm import tqdm

    pictures = np.empty((len(pages), *PICTURE_PX, 3), np.uint8)
    for number, path in enumerate(tqdm(pages["path"], "pictures", mininterval=1, file=sys.stdout)):
        page = read_page(folder / path)
        if masked:
            inside = np.zeros(page.shape[:2], np.uint8)
            cv2.fillConvexPoly(inside, find_layout(page).frame.round().astype(np.int32), 1)
            page = np.where(inside[:, :, None] == 1, page, np.uint8(255))
        pictures[number] = cv2.resize(page, PICTURE_PX[::-1], interpolation=cv2.INTER_AREA)[:, :, ::-1]
    return pictures


def train_picture_model(
    parameters: Any,
    pictures: Mapping[str, NDArray[np.uint8]],
    pages: pd.DataFrame,
    folds: pd.DataFrame,
    folder: Path,
    data_fingerprint: str,
) -> Results:
    """Train the network of 25_image_vit_scratch for each variant over the folds of every task.

    `pictures` are those of each variant, by its name; the tables call a variant ``page_vit_masked``. Raises what
    `Study.of` and `cross_fit` raise.
    """
    results = []
    for task in parameters.TASKS:
        for variant, seen in pictures.items():
            name = parameters.MODEL if variant == "plain" else f"{parameters.MODEL}_{variant}"
            study = Study.of(parameters, task, parameters.MODEL, data_fingerprint, name=name, prefix=name)
            if variant == "no_decay":
                study = replace(study, recipe=replace(study.recipe, weight_decay=0.0))
            results.append(cross_fit(study, {"page": seen}, pages, folds, folder))
    return Results.joined(results)
