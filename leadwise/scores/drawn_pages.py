"""How well drawn pages are read: made at random from recordings, read by any reader, a row of a table each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from leadwise.drawing.drawn import FORMS, DrawnPage, Look, Shown, draw, with_any_strips
from leadwise.errors import InputError
from leadwise.names import LEADS
from leadwise.pages.page_signals import RATE_HZ, PageSignals
from leadwise.pages.read import Page
from leadwise.recordings.records import Record
from leadwise.scores.snr import aligned_snr_db, page_snr_db

WRONG_DB = 6.0
"""An answer below it is wrong: a quarter of the signal's power and more is noise."""

_OF_WHAT_WAS_READ = (
    "read_form", "layout_right", "raw_db", "aligned_db", "read_share", "einthoven", "goldberger", "strip_alike",
    "warnings",
)  # fmt: skip

Reader = Callable[[Page], PageSignals]


def drawn_at_random(recordings: Mapping[str, Record], each: int) -> Iterator[tuple[str, DrawnPage]]:
    """`each` pages of every form of ``forms.yaml``, with the name of the recording that each shows.

    Recordings of at least 10 s with all twelve leads are taken in turn; looks are those of a flat page, at random.
    The same call draws the same pages.
    """
    names = list(recordings)
    for number, form in enumerate(FORMS.values()):
        rng = np.random.default_rng(number)
        for page in range(each):
            name = names[(number * each + page) % len(names)]
            look = Look.at_random(rng, rows=len(form.rows) + len(form.strips))
            record = recordings[name]
            signals_mv = np.nan_to_num(np.stack([record.lead(lead) for lead in LEADS]))
            yield name, draw(signals_mv, record.rate_hz, with_any_strips(form, rng), look)


def read_drawn(drawn: DrawnPage, reader: Reader) -> dict[str, Any]:
    """How a reader reads a drawn page, as a row of ``read_pages.csv`` but for `page` and `record`.

    `seconds` are those of the processor. A page that is refused has the reader's sentence under `why`, and None for
    all that would have been read.
    """
    look = drawn.look
    turn_degrees = look.turn_degrees + 90 * look.quarter_turns
    row = {"form": drawn.form.name, "grid": look.grid, "turn_degrees": turn_degrees, "why": None}
    begun = time.process_time()
    try:
        read = reader(drawn.page)
    except InputError as error:
        refused = {"read": False, "why": str(error), "seconds": time.process_time() - begun}
        return row | refused | dict.fromkeys(_OF_WHAT_WAS_READ)
    seconds = time.process_time() - begun
    right = read.form == drawn.form.name and set(read.strips) == set(drawn.strips)
    snrs_db = (page_snr_db(drawn.leads, read), aligned_snr_db(drawn.leads, read))
    quality = read.quality
    laws = (quality.read, quality.einthoven, quality.goldberger, quality.strip_alike)
    told = (read.form, right, *snrs_db, *laws, " ".join(read.warnings))
    return row | {"read": True, "seconds": seconds} | dict(zip(_OF_WHAT_WAS_READ, told, strict=True))


def taken_for_truth(read: PageSignals) -> dict[str, Shown]:
    """The leads that one reader read, as if the page had shown just these: for another reader to be held against."""
    return {
        name: Shown(
            trace.start_s, RATE_HZ, trace.signal_mv.astype(np.float64), trace.line_px.astype(np.float64)
        )
        for name, trace in read.leads.items()
    }
