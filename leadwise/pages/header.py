"""What is printed around the frame: id, sex, date and time, heart rate, "Lead Off".

Recognition alone, on boxes of the template; detection of text would take thirty times as long. What is
not read beyond doubt is None, never a guess: each field has a pattern, and what does not match is dropped.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from leadwise.errors import MissingInput
from leadwise.pages.layout import Layout, resampled
from leadwise.pages.read import Page


@dataclass(frozen=True)
class Header:
    """Printed fields of one page; None where unreadable.

    `recording_id` is a running number of the device, not a person's; `recorded_at` is ISO 8601, local time.
    """

    recording_id: str | None
    sex: str | None
    recorded_at: str | None
    heart_rate_bpm: int | None
    lead_off: bool | None


#: Boxes in template pixels (left, top, right, bottom); the rate is read within the whole footer line, since a
#: narrow box around it loses digits.
_BOXES = {
    "id": (55, 68, 310, 102),
    "sex": (425, 68, 540, 102),
    "footer": (55, 1523, 860, 1553),
    "time": (1775, 1523, 2140, 1553),
}
_DATES = ("%Y-%m-%d %I:%M:%S %p", "%d-%m-%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S")
_RATE_BPM = (20, 350)


def read_header(page: Page, layout: Layout) -> Header:
    """Read the printed fields of a page, BGR uint8 ``(height, width, 3)``.

    Raises `MissingInput` where rapidocr is not installed.
    """
    text = {name: recognised(resampled(page, layout, box)) for name, box in _BOXES.items()}
    return parse(text["id"], text["sex"], text["footer"], text["time"])


def parse(id_text: str, sex_text: str, footer_text: str, time_text: str) -> Header:
    """Fields from the recognised lines.

    Plausible is: an id of five to seven digits; "Male" or "Female"; a footer that holds the template's
    "0.67~25Hz ... 4*2.5s+1r", after which a rate of 20 to 350 bpm stands and "Lead Off" may; a date of this
    century in one of the two formats that occur, with a time.
    """
    digits = re.search(r"(?<!\d)(\d{5,7})(?!\d)", id_text.replace(" ", ""))
    sex = re.search(r"(fe)?male", sex_text.replace(" ", ""), re.IGNORECASE)
    footer = re.sub(r"\s+", "", footer_text)
    known_footer = re.search(r"2\.?5s\+1r(.*)", footer, re.IGNORECASE)
    rate = (
        re.search(r"(?<![\d.])(\d{2,3})(?![\d.])", known_footer.group(1).split("SE-")[0])
        if known_footer
        else None
    )
    bpm = int(rate.group(1)) if rate else None
    return Header(
        digits.group(1) if digits else None,
        sex.group(0).lower() if sex else None,
        _time(time_text),
        bpm if bpm is not None and _RATE_BPM[0] <= bpm <= _RATE_BPM[1] else None,
        "leadoff" in footer.lower() if known_footer else None,
    )


def _time(text: str) -> str | None:
    match = re.search(
        r"(\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4})\s*(\d{1,2})[:.](\d\d)[:.](\d\d)\s*([AP]M)?", text, re.IGNORECASE
    )
    if not match:
        return None
    date, hour, minute, second, half = match.groups()
    stamp = f"{date} {hour}:{minute}:{second}" + (f" {half.upper()}" if half else "")
    for form in _DATES:
        try:
            moment = datetime.strptime(stamp, form)
        except ValueError:
            continue
        return moment.isoformat() if 2000 <= moment.year < 2100 else None
    return None


def recognised(picture: Page) -> str:
    """What a line of letters says, BGR uint8. Raises `MissingInput` where rapidocr is not installed."""
    if min(picture.shape[:2]) < 8:
        return ""
    answer = _engine()(np.ascontiguousarray(picture), use_det=False, use_cls=False, use_rec=True)
    return " ".join(answer.txts or ())


@functools.cache
def _engine() -> Any:
    try:
        from rapidocr import RapidOCR

        return RapidOCR(params={"Global.log_level": "error"})
    except ImportError as error:  # the second needs onnxruntime
        raise MissingInput(
            "reading printed headers needs rapidocr: 'pip install rapidocr onnxruntime' installs it."
        ) from error
