"""Pages of any form, as other devices print and scanners see them, with the truth: what each trace shows, and where.

Flat pages alone: paper with or without a grid, ink, and what a scanner or a screenshot adds. Nothing here is used to
read a page. `leadwise.drawing.render` draws the one known form as its device does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from leadwise.drawing import drawn_ink as ink
from leadwise.names import LEADS
from leadwise.pages.forms import Form, forms, lead_of
from leadwise.pages.ink_maps import KINDS
from leadwise.pages.read import Page

Map = NDArray[np.float64]


FORMS: Mapping[str, Form] = MappingProxyType({form.name: form for form in forms() if form.printout is None})
"""Forms that are drawn, by name."""

GRIDS: Mapping[str, tuple[int, int, int] | None] = MappingProxyType(
    {
        "red": (110, 110, 240),
        "pink": (190, 170, 255),
        "blue": (235, 180, 130),
        "green": (140, 205, 130),
        "grey": (190, 190, 190),
        "none": None,
    }
)
"""Colours of the 5 mm lines, BGR; those of 1 mm are lighter."""


_OF_MANY_MM, _NEAREST_MM = 16.5, 13.0  # twelve rows on A4 held sideways, and no printout has nearer ones

_Trace = tuple[float, NDArray[np.float64], Map]  # start_s, signal, line in mm


@dataclass(frozen=True)
class Look:
    """How a page is printed and seen; lengths on paper in mm, pens in px, colours BGR 0 to 255.

    `x_px_per_mm` and `y_px_per_mm` may differ. `separators`: "line" through all rows, "tick" at each, or "none";
    `separator_px` their pen, 0 for that of the traces. `pulse`: "left", "right" "none"; at 25 mm/s `pulse_mm` wide.
    `simultaneous`: every column begins at the recording's start, else it goes on where the one before ends. `dots`:
    1 mm points in the place of lines. `margin_mm` of paper around all, negative where the page is cut into the chart.
    `filter_hz`: devices print nothing faster, and the truth is what they print. `shade`: how much darker the darker
    end of the page is, 0 to 1. `turn_degrees` clockwise, after it `quarter_turns` clockwise, after them `mirrored`
    left to right.
    """

    grid: str = "red"
    dots: bool = False
    grid_on_all: bool = False
    x_px_per_mm: float = 7.87
    y_px_per_mm: float = 7.87
    pitch_mm: float = 30.0
    pen_px: int = 2
    smooth: bool = True
    pen_colour: tuple[int, int, int] = (0, 0, 0)
    font: str = "outlines"
    name_mm: float = 3.0
    name_above_mm: float = 6.0
    pulse: str = "left"
    pulse_mm: float = 5.0
    separators: str = "tick"
    separator_px: int = 0
    simultaneous: bool = False
    header: bool = True
    footer: bool = True
    frame: bool = False
    margin_mm: float = 8.0
    paper: tuple[int, int, int] = (255, 255, 255)
    shade: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0
    jpeg_quality: int | None = None
    filter_hz: float = 250.0
    turn_degrees: float = 0.0
    quarter_turns: int = 0
    mirrored: bool = False
    seed: int = 0

    @classmethod
    def at_random(cls, rng: np.random.Generator, *, rows: int = 4, grid: str | None = None) -> Look:
        """Any look that a flat page of so many rows may have; `grid` one of GRIDS where it is not left to chance."""
        grid = grid or str(rng.choice(list(GRIDS)))
        x_px_per_mm = float(np.exp(rng.uniform(np.log(4), np.log(12))))
        apart = float(rng.choice([0, 0, rng.uniform(-0.04, 0.04)]))
        pitch_mm = max(
            _NEAREST_MM, min(40.0, max(165.0, _OF_MANY_MM * rows) / rows) * float(rng.uniform(0.75, 1))
        )
        scanned = bool(rng.random() < 0.5)
        blue, green, red = (255 - int(darker) * scanned for darker in rng.integers(0, 25, 3))
        return cls(
            grid=grid,
            dots=bool(rng.random() < 0.15),
            grid_on_all=bool(rng.random() < 0.4),
            x_px_per_mm=x_px_per_mm,
            y_px_per_mm=x_px_per_mm * (1 + apart),
            pitch_mm=pitch_mm,
            pen_px=int(np.clip(round(x_px_per_mm * rng.uniform(0.18, 0.45)), 1, 4)),
            smooth=bool(rng.random() < 0.7),
            pen_colour=((0, 0, 0), (40, 40, 40), (90, 30, 20))[rng.choice(3, p=(0.6, 0.25, 0.15))],
            font=str(rng.choice(ink.FONTS)),
            name_mm=float(rng.uniform(2, 4)),
            name_above_mm=float(rng.uniform(2, 0.35 * pitch_mm)),
            pulse=str(rng.choice(["left", "right", "none"], p=(0.5, 0.2, 0.3))),
            separators=str(rng.choice(["line", "tick", "none"])),
            simultaneous=bool(rng.random() < 0.3),
            header=bool(rng.random() < 0.7),
            footer=bool(rng.random() < 0.7),
            frame=bool(rng.random() < 0.3),
            margin_mm=float(rng.choice([0, rng.uniform(0, 20)])),
            paper=(blue, green, red),
            shade=float(rng.uniform(0, 0.2)) * scanned,
            blur_px=float(rng.uniform(0, 0.8)) * scanned,
            noise=float(rng.uniform(0, 6)) * scanned,
            jpeg_quality=int(rng.integers(60, 96)) if rng.random() < 0.6 else None,
            filter_hz=float(rng.choice([25, 40, 100, 150], p=(0.2, 0.4, 0.2, 0.2))),
            turn_degrees=float(rng.uniform(-3, 3)) * scanned,
            quarter_turns=int(rng.choice(4, p=(0.85, 0.05, 0.05, 0.05))),
            mirrored=bool(rng.random() < 0.03),
            seed=int(rng.integers(2**31)),
        )


@dataclass(frozen=True)
class Shown:
    """What a trace shows: `signal_mv` float64 ``(samples,)`` from `start_s` after the start of the first column.

    `line_px` float64 ``(samples, 2)``: where its points lie on the page.
    """

    start_s: float
    rate_hz: float
    signal_mv: NDArray[np.float64] = field(repr=False)
    line_px: NDArray[np.float64] = field(repr=False)

    @property
    def length_s(self) -> float:
        """How long it is."""
        return len(self.signal_mv) / self.rate_hz


@dataclass(frozen=True)
class DrawnPage:
    """A page and its truth: leads and strips by name; `to_page` ``(2, 3)`` takes mm on paper to px on the page."""

    page: Page = field(repr=False)
    form: Form
    look: Look
    leads: dict[str, Shown]
    strips: dict[str, Shown]
    to_page: Map = field(repr=False)


def draw(signals_mv: NDArray[np.floating], rate_hz: float, form: Form, look: Look) -> DrawnPage:
    """A page of a form with twelve leads ``(12, samples)`` in mV in the order of LEADS.

    Each trace lies with its median on its row's baseline, and its truth has it there. Columns follow one another in
    time, or begin together, as the look says. Raises `ValueError` where the shape or the length does not fit.
    """
    _check(signals_mv, rate_hz, form)
    return _Sheet(form, look).printed(np.asarray(signals_mv, np.float64), rate_hz)


WriteName = Callable[[ink.Mask, str, Map, float], None]
"""Writes a lead's name into a mask, its lower left corner at a place, in px, and so many px high."""


def draw_kinds(
    signals_mv: NDArray[np.floating],
    rate_hz: float,
    form: Form,
    look: Look,
    write_name: WriteName | None = None,
) -> dict[str, ink.Mask]:
    """What covers each pixel of the page that `draw` draws, before it is seen: uint8 0 to 255 for each of KINDS.

    Where a trace runs through a letter both cover the pixel. Names are written by `write_name`, if there is one.
    Raises as `draw` does.
    """
    _check(signals_mv, rate_hz, form)
    sheet = _Sheet(form, look, apart=True, write_name=write_name)
    sheet.draw(np.asarray(signals_mv, np.float64), rate_hz)
    return sheet.kinds | sheet.grid_kinds()


def with_any_strips(form: Form, rng: np.random.Generator) -> Form:
    """The form with strips of other leads than most printers choose, of those that some do: II, V1, V5."""
    strips = rng.choice(["II", "V1", "V5"], len(form.strips), replace=False)
    return replace(form, strips=tuple(str(name) for name in strips))


def _check(signals_mv: NDArray[np.floating], rate_hz: float, form: Form) -> None:
    if signals_mv.ndim != 2 or len(signals_mv) != len(LEADS) or signals_mv.shape[1] < form.length_s * rate_hz:
        raise ValueError(
            f"signals {signals_mv.shape}: 12 leads of at least 10 s at {rate_hz:g} Hz are needed"
        )


class _Sheet:
    """The places of a page in mm from its upper left corner, and its canvas of ink, `apart` one a kind as well."""

    def __init__(
        self, form: Form, look: Look, *, apart: bool = False, write_name: WriteName | None = None
    ) -> None:
        self.form, self.look, self.write_name = form, look, write_name
        self.rng = np.random.default_rng(look.seed)
        self.pulse_mm = look.pulse_mm * form.speed_mm_per_s / 25
        pulse_mm = 0.0 if look.pulse == "none" else self.pulse_mm + 5.0
        rows = len(form.rows) + len(form.strips)
        self.left = look.margin_mm
        self.top = look.margin_mm + (16.0 if look.header else 0.0)
        self.first_mm = self.left + 4.0 + (pulse_mm if look.pulse == "left" else 0.0)
        self.last_mm = self.first_mm + form.length_s * form.speed_mm_per_s
        self.right = self.last_mm + 4.0 + (pulse_mm if look.pulse == "right" else 0.0)
        self.baselines_mm = self.top + look.pitch_mm * (np.arange(rows) + 0.6)
        self.bottom = self.top + look.pitch_mm * (rows + 0.1)
        self.width = self.right + look.margin_mm
        self.height = self.bottom + look.margin_mm + (7.0 if look.footer else 0.0)
        self.scale = np.array([look.x_px_per_mm, look.y_px_per_mm])
        width_px, height_px = (
            round(side * scale) for side, scale in zip((self.width, self.height), self.scale, strict=True)
        )
        self.ink = np.zeros((height_px, width_px), np.uint8)
        self.kinds = {kind: np.zeros_like(self.ink) for kind in KINDS[:4]} if apart else {}

    def printed(self, signals_mv: NDArray[np.float64], rate_hz: float) -> DrawnPage:
        leads, strips = self.draw(signals_mv, rate_hz)
        page, to_page = ink.seen(self._composed(), self.look, self.rng)
        to_page = to_page @ np.array([[self.scale[0], 0, 0], [0, self.scale[1], 0], [0, 0, 1]])

        def shown(trace: _Trace) -> Shown:
            start_s, signal, line_mm = trace
            return Shown(start_s, rate_hz, signal, line_mm @ to_page[:, :2].T + to_page[:, 2])

        return DrawnPage(
            page,
            self.form,
            self.look,
            {name: shown(leads[name]) for name in LEADS if name in leads},
            {name: shown(trace) for name, trace in strips.items()},
            to_page,
        )

    def draw(
        self, signals_mv: NDArray[np.float64], rate_hz: float
    ) -> tuple[dict[str, _Trace], dict[str, _Trace]]:
        """Ink of leads and strips, marks and words; the traces by name."""
        signals_mv = _filtered(signals_mv, rate_hz, self.look.filter_hz)
        leads: dict[str, _Trace] = {}
        strips: dict[str, _Trace] = {}
        for row, names in enumerate(self.form.rows):
            for column, name in enumerate(names):
                start_s = column * self.form.column_s
                from_s = 0.0 if self.look.simultaneous else start_s
                lead, sign = lead_of(name)
                signal = _cut(signals_mv[LEADS.index(lead)], rate_hz, from_s, self.form.column_s)
                leads[lead] = (start_s, signal, self._trace(name, sign * signal, rate_hz, start_s, row))
        for number, name in enumerate(self.form.strips):
            signal = _cut(signals_mv[LEADS.index(name)], rate_hz, 0.0, self.form.length_s)
            row = len(self.form.rows) + number
            strips[name] = (0.0, signal, self._trace(name, signal, rate_hz, 0.0, row))
        self._marks()
        self._words()
        return leads, strips

    def _trace(self, name: str, signal: NDArray[np.float64], rate_hz: float, start_s: float, row: int) -> Map:
        """Draw a trace and its name; its line ``(samples, 2)`` in mm."""
        x = self.first_mm + self.form.speed_mm_per_s * (start_s + np.arange(len(signal)) / rate_hz)
        line = np.stack([x, self.baselines_mm[row] - self.form.gain_mm_per_mv * signal], axis=1)
        self._line("trace", line)
        below_mm = self.baselines_mm[row] - self.look.name_above_mm
        if self.write_name is None:
            self._text(name, (x[0] + 1.0, below_mm), self.look.name_mm)
        else:
            where = np.array([x[0] + 1.0, below_mm]) * self.scale
            self.write_name(self.kinds["text"], name, where, self.look.name_mm * self.scale[1])
        return line

    def _marks(self) -> None:
        """Pulses, separators and the frame."""
        look = self.look
        if look.pulse != "none":
            x = self.last_mm + 2.0 if look.pulse == "right" else self.first_mm - self.pulse_mm - 4.0
            for y in self.baselines_mm:
                top, left, right = y - self.form.gain_mm_per_mv, x + 1.5, x + 1.5 + self.pulse_mm
                foot = right + 1.5
                self._line("pulse", [(x, y), (left, y), (left, top), (right, top), (right, y), (foot, y)])
        rows = self.baselines_mm[: len(self.form.rows)]
        for column in range(1, len(self.form.rows[0])):
            x = self.first_mm + column * self.form.column_s * self.form.speed_mm_per_s
            if look.separators == "line":
                self._line(
                    "separator", [(x, rows[0] - 0.5 * look.pitch_mm), (x, rows[-1] + 0.4 * look.pitch_mm)]
                )
            if look.separators == "tick":
                for y in rows:
                    self._line("separator", [(x, y - 4), (x, y + 4)])
        if look.frame:
            corners = [(self.left, self.top), (self.right, self.top), (self.right, self.bottom)]
            self._line("separator", [*corners, (self.left, self.bottom), corners[0]])

    def _words(self) -> None:
        if self.look.header:
            number, age, rate = self.rng.integers((10**6, 20, 45), (10**7, 95, 130))
            sex = self.rng.choice(["Male", "Female"])
            lines = (f"ID {number}   {age} yr   {sex}", f"Vent. rate {rate} bpm   PR 160 ms   QRS 92 ms")
            for number, text in enumerate(lines):
                self._text(text, (self.left + 5, self.look.margin_mm + 5.5 + 5.5 * number), 2.6)
            self._text("Sinus rhythm", (self.left + 150, self.look.margin_mm + 5.5), 2.6)
        if self.look.footer:
            self._text(
                f"{self.form.speed_mm_per_s:g} mm/s   {self.form.gain_mm_per_mv:g} mm/mV   "
                f"0.05-{self.look.filter_hz:.0f} Hz",
                (self.left + 10, self.bottom + 5),
                2.6,
            )

    def _line(self, kind: str, points_mm: Map | list[tuple[float, float]]) -> None:
        pen_px = self.look.separator_px if kind == "separator" else 0
        for canvas in self._canvases(kind):
            ink.line(canvas, np.asarray(points_mm) * self.scale, pen_px or self.look.pen_px, self.look.smooth)

    def _text(self, text: str, where_mm: tuple[float, float], height_mm: float) -> None:
        font = self.look.font if lead_of(text)[0] in LEADS else "outlines"
        where, height = np.array(where_mm) * self.scale, height_mm * self.scale[1]
        for canvas in self._canvases("text"):
            ink.write(canvas, text, where, height, font, self.look.smooth)

    def _canvases(self, kind: str) -> list[ink.Mask]:
        return [self.ink, self.kinds[kind]] if self.kinds else [self.ink]

    def grid_kinds(self) -> dict[str, ink.Mask]:
        """Lines of 5 mm and of 1 mm, each a kind."""
        coarse, fine = np.zeros_like(self.ink), np.zeros_like(self.ink)
        if GRIDS[self.look.grid] is not None:
            box = self._chart()
            fine[box], coarse[box] = ink.grid_lines(
                fine[box].shape, self.scale, dots=self.look.dots, smooth=self.look.smooth
            )
        return {"coarse": coarse, "fine": fine}

    def _chart(self) -> tuple[slice, slice]:
        """Rows and columns of pixels that have a grid."""
        whole = self.look.grid_on_all
        x, y = (0.0, 0.0) if whole else (self.left, self.top)
        right, bottom = (self.width, self.height) if whole else (self.right, self.bottom)
        down, across = self.scale[1], self.scale[0]
        return slice(round(y * down), round(bottom * down)), slice(round(x * across), round(right * across))

    def _composed(self) -> Page:
        """Paper, grid and ink."""
        look, colour = self.look, GRIDS[self.look.grid]
        page = np.empty((*self.ink.shape, 3), np.uint8)
        page[:] = look.paper
        if colour is not None:
            box = self._chart()
            page[box] = ink.grid(page[box], colour, self.scale, dots=look.dots, smooth=look.smooth)
        return ink.laid_over(page, self.ink, look.pen_colour)


def _filtered(signals_mv: NDArray[np.float64], rate_hz: float, below_hz: float) -> NDArray[np.float64]:
    if below_hz >= rate_hz / 2:
        return signals_mv
    low_pass = butter(2, below_hz, fs=rate_hz, output="sos")
    return np.asarray(sosfiltfilt(low_pass, signals_mv, axis=1))


def _cut(signal: NDArray[np.float64], rate_hz: float, from_s: float, length_s: float) -> NDArray[np.float64]:
    part = signal[round(from_s * rate_hz) : round((from_s + length_s) * rate_hz)]
    return part - float(np.median(part))
