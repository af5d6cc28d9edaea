"""Recordings printed by other devices, as drawn, and read again by the reader of any page: what networks then see.

Each page has the look that its recording and its layout draw by chance, always the same one. Reading takes seconds a
page, so what was read is kept beside it and taken up.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from other_pages import COLOURED
from tqdm import tqdm

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.drawing.photographed import as_printed, photographed
from leadwise.errors import InputError
from leadwise.files import written_whole
from leadwise.names import LEADS
from leadwise.pages.any_page import read_any_page
from leadwise.pages.read import Page
from leadwise.scores.external import rhythm_of_strip
from leadwise.serving.hearts import views_of_traces
from leadwise.serving.rhythm import strip_probability
from leadwise.sets.views import LEAD_SAMPLES, SIGNAL_HZ, STRIP_SAMPLES, Views, stacked, twelve_leads

LAYOUTS = ("6x2+1", "4x3+1", "3x4+3")
"""Of FORMS, those that are drawn; each shows lead II for 10 s."""


def read_from_paper(
    recordings: pd.DataFrame, folder: Path, *, by_phone: bool = False
) -> tuple[Views, NDArray[np.bool_]]:
    """Views of those recordings whose pages were read, and which these are ``(recordings,)``.

    The first is drawn on the first of LAYOUTS, the second on the second; `by_phone` also photographs them, bent. What
    was read of each is kept in `folder`, and nan where the page was refused. Raises `InputError` where none is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    whole = [*recordings[["ecg_id", "path"]].itertuples(index=False)]
    for number, (ecg_id, path) in enumerate(tqdm(whole, "pages", mininterval=2, file=sys.stdout)):
        layout = LAYOUTS[number % len(LAYOUTS)]
        kept = folder / f"{path.name}-{layout}{'-phone' if by_phone else ''}.npy"
        if not kept.is_file():
            rng = np.random.default_rng((ecg_id, LAYOUTS.index(layout), by_phone))
            values = _as_read(printed(path, layout, rng, by_phone=by_phone))
            with written_whole(kept) as aside, aside.open("wb") as file:
                np.save(file, values)
        found.append(np.load(kept))
    is_read = np.array([bool(np.isfinite(values).all()) for values in found])
    if not is_read.any():
        raise InputError("none of these drawn pages was read.")
    return stacked(_apart(values) for values in np.array(found)[is_read]), is_read


def strip_values(strips_mv: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
    """What ranks strips ``(pages, 1250)`` at SIGNAL_HZ by how likely they show fibrillation: arrays ``(pages,)``.

    `rate` and `spread_times_rate` as `leadwise.scores.external.rhythm_of_strip` measures them, `af_stretch` as
    `strip_probability` answers; nan where it is not known.
    """
    measured = np.array([rhythm_of_strip(strip) for strip in strips_mv], float).reshape(-1, 2)
    likely = [strip_probability(strip, SIGNAL_HZ) for strip in strips_mv]
    by_trees = np.array([np.nan if one is None else one for one in likely], float)
    return {"rate": measured[:, 0], "spread_times_rate": measured[:, 1], "af_stretch": by_trees}


def printed(path: Path, layout: str, rng: np.random.Generator, *, by_phone: bool = False) -> Page:
    """A recording on a page of one of FORMS, of a look at random; or a telephone's picture of that page."""
    form = FORMS[layout]
    signals, rate_hz = twelve_leads(path)
    signals = np.nan_to_num(signals)
    rows = len(form.rows) + len(form.strips)
    look = Look.at_random(rng, rows=rows, grid=str(rng.choice(COLOURED)))
    if not by_phone:
        return draw(signals, rate_hz, form, replace(look, quarter_turns=0, mirrored=False)).page
    return photographed(draw(signals, rate_hz, form, as_printed(look, rng)), rng).page


def _as_read(page: Page) -> NDArray[np.float32]:
    """Views of a page in one row, nan where it was refused."""
    try:
        views = views_of_traces(read_any_page(page))
    except InputError:
        return np.full(len(LEADS) * LEAD_SAMPLES + STRIP_SAMPLES, np.nan, np.float32)
    return np.concatenate([views["signals"].ravel(), views["rhythm"].ravel()])


def _apart(values: NDArray[np.float32]) -> Views:
    signals, rhythm = np.split(values, [len(LEADS) * LEAD_SAMPLES])
    return {"signals": signals.reshape(len(LEADS), LEAD_SAMPLES), "rhythm": rhythm}
