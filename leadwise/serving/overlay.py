"""The page with what was found on it: leads boxed and named, the answer written beneath."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from leadwise.names import LEADS, as_html
from leadwise.pages.read import Page

_BOX, _TEXT, _WARNING = (0, 114, 178), (20, 20, 20), (160, 60, 0)  # RGB, told apart by every eye
_SHOWN_PX, _JPEG_QUALITY = 1000, 85


def data_uri(picture: Page, most_px: int, suffix: str) -> str:
    """A picture, BGR uint8, at most so wide, in a line of text; `suffix` is ``.png`` or ``.jpg``."""
    if (scale := most_px / picture.shape[1]) < 1:
        size = (most_px, max(1, round(picture.shape[0] * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    how = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
    data = base64.b64encode(cv2.imencode(suffix, picture, how)[1].tobytes()).decode()
    return f"data:image/{'jpeg' if suffix == '.jpg' else 'png'};base64,{data}"


def as_table(
    picture: Page, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], lines: Sequence[str]
) -> str:
    """An answer as HTML: its picture shrunk to a notebook's width, a table of texts, lines of text."""
    head = "".join(f"<th>{as_html(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{as_html(cell)}</td>' for cell in row)}</tr>" for row in rows)
    beneath = "".join(f"<p>{as_html(line)}</p>" for line in lines)
    image = f'<img alt="{as_html(title)}" src="{data_uri(picture, _SHOWN_PX, ".png")}"/>'
    return f"{image}<table><tr>{head}</tr>{body}</table>{beneath}"


def overlay(page: Page, boxes: NDArray[np.float64], lines: Sequence[str]) -> Page:
    """The page, BGR uint8, with thirteen boxes ``(13, 4, 2)`` and lines of text on a white band beneath it."""
    width = page.shape[1]
    size = max(14, width // 62)
    picture = Image.fromarray(cv2.cvtColor(page, cv2.COLOR_BGR2RGB))
    draw = ImageDraw.Draw(picture, "RGBA")
    name_font = ImageFont.load_default(size * 0.8)
    for name, box in zip((*LEADS, "rhythm strip"), boxes, strict=True):
        # rows of 300 px overlap a little: drawn smaller, so that each box stands alone
        corners = box.mean(axis=0) + (box - box.mean(axis=0)) * (0.985, 0.94)
        outline = [(float(x), float(y)) for x, y in corners]
        draw.polygon(outline, outline=(*_BOX, 255), width=max(2, width // 700))
        x, y = outline[0]
        left, top, right, bottom = draw.textbbox((x, y), name, font=name_font)
        draw.rectangle((left, top, right + size // 2, bottom + size // 4), fill=(*_BOX, 255))
        draw.text((x + size // 4, y), name, font=name_font, fill="white")
    return with_lines(np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8), lines)


def with_lines(shown: Page, lines: Sequence[str]) -> Page:
    """A picture, BGR uint8, with lines of text on a white band beneath it."""
    width = shown.shape[1]
    size = max(14, width // 62)
    text_font = ImageFont.load_default(size)
    wrapped = [(line, part) for line in lines for part in _wrapped(line, text_font, width - 2 * size)]
    step = round(1.5 * size)
    band = Image.new("RGB", (width, step * len(wrapped) + size), "white")
    write = ImageDraw.Draw(band)
    for number, (line, part) in enumerate(wrapped):
        colour = _WARNING if line.startswith("warning") else _TEXT
        write.text((size, size // 2 + number * step), part, font=text_font, fill=colour)
    # large pages are not copied more
    return np.vstack([shown, cv2.cvtColor(np.asarray(band), cv2.COLOR_RGB2BGR)])


def _wrapped(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    parts = [""]
    for word in line.split():
        longer = f"{parts[-1]} {word}".strip()
        if font.getlength(longer) > width and parts[-1]:
            parts.append(word)
        else:
            parts[-1] = longer
    return parts
