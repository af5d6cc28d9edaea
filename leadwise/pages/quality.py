"""How far the traces of a page can be trusted: what is measured of them, what is refused, what is warned of.

What each number was worth was measured on drawn pages alone, against the truth (`leadwise.scores.snr`); a page below
6 dB counts as wrong. Nothing wrong should be answered without a word, so a limit stands where wrong pages begin and
not where right ones end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from leadwise.errors import DoubtfulPage, ForeignPage, OtherScale
from leadwise.pages import physics
from leadwise.pages.columns import Columns, bridged
from leadwise.pages.digitize import correlation
from leadwise.pages.forms import Form, lead_of
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.page_signals import RATE_HZ, PageSignals, ReadQuality, Trace
from leadwise.pages.pulse import Pulse
from leadwise.pages.rows import Rows

_AT_EDGE_MM = 2.0  # a pulse that reaches so far into the outer columns still stands before or behind them
_MOST_LINES = 1.6  # a row
_ONE_LEAD = 0.99  # correlation of all leads of a column; chest leads of one heart differ
LEAST_CONTRAST = 0.40
"""Of a flat page's grid: 21 photographs of bent pages have 0.24 to 0.45."""

GAINS_MM_PER_MV = (5.0, 10.0, 20.0)
"""Gains at which pages are printed; a calibration pulse of 1 mV tells which."""

_FIRST_S, _LAST_S = 0.15, 0.05  # names stand at a lead's beginning
_SLOPE_S, _BEAT_S = 0.02, 0.04  # over which a slope is taken, and over which slopes are averaged
_LATE_S, _LATE_STEP_S = 0.04, 0.01  # leads of one column may be printed so far apart


# --- before anything is followed -----------------------------------------------------------


def refuse_clutter(rows: Rows) -> None:
    """Raise `ForeignPage` where much more ink lies one above another than rows have traces.

    Black grids, folds and shadows are meant, which would be followed for minutes. Lines of ink a row were 0.8 to 1.1
    on 80 flat drawn pages and scans, 1.4 where two rows had been taken for one, 10 to 27 on scans in black and white.
    """
    black = rows.traces > 127
    lines = int(np.count_nonzero(black[1:] & ~black[:-1])) / black.shape[1] / max(1, len(rows.baselines_px))
    if lines > _MOST_LINES:
        raise ForeignPage(
            f"{lines:.1f} lines of ink lie one above another in each row of this page, where one trace should: "
            "the grid is as black as the traces, or the page is no ECG, or it is folded. Scan it in colour, flat."
        )


def refuse_one_lead(leads: Mapping[str, Trace]) -> None:
    """Raise `DoubtfulPage` where all leads that are printed at one time are one: laws of some forms let it pass."""
    firsts: dict[float, Trace] = {}
    alike = []
    for trace in leads.values():
        first = firsts.setdefault(trace.start_s, trace)
        if first is not trace:
            alike.append(abs(correlation(first.signal_mv, trace.signal_mv)))
    if alike and min(np.nan_to_num(alike)) > _ONE_LEAD:
        raise DoubtfulPage("one lead stands in all places of this page, which is no printed 12-lead ECG.")


# --- what is measured ----------------------------------------------------------------------


def measured(
    leads: Mapping[str, Trace],
    strips: Mapping[str, Trace],
    form: Form,
    rows: Rows,
    columns: Columns,
    pulses: Sequence[Pulse],
    contrast: float | None,
) -> ReadQuality:
    """All that can be said of the traces of one page, and its calibration pulses, without its truth."""
    every = [*leads.values(), *strips.values()]
    alike = physics.strip_alike(leads, strips)
    row_mv = _row_mv(rows, form)
    inner = {name: _inner(trace, row_mv) for name, trace in leads.items()}
    strays = [_strays(trace, row_mv) for trace in every]
    outside, within = _parted(pulses, columns)
    return ReadQuality(
        read=float(np.mean(np.concatenate([np.isfinite(trace.signal_mv) for trace in every]))),
        einthoven=physics.einthoven(inner),
        goldberger=physics.goldberger(inner),
        strip_alike=min(alike.values()) if alike else None,
        pulse_mm=float(np.median([pulse.height_mm for pulse in outside])) if outside else None,
        grid=contrast,
        augmented=physics.augmented(inner),
        together=together(leads, form),
        columns=float(np.clip(max(columns.bars, columns.jumps), 0, 1)),
        strays=max(float(each.mean()) for each in strays),
        strays_at_ends=max(
            float(each[_ends(trace)].mean()) for each, trace in zip(strays, every, strict=True)
        ),
        pulses_within=len(within),
    )


def _parted(pulses: Sequence[Pulse], columns: Columns) -> tuple[list[Pulse], list[Pulse]]:
    """Pulses before and behind the traces, and those that stand between."""
    edge = _AT_EDGE_MM * PX_PER_MM
    first, last = columns.start(0) + edge, columns.start(columns.count) - edge
    outside = [pulse for pulse in pulses if pulse.right_px < first or pulse.left_px > last]
    return outside, [pulse for pulse in pulses if pulse not in outside]


def together(leads: Mapping[str, Trace], form: Form) -> float | None:
    """How well the beats of leads that are printed at one time fall together: a correlation, -1 to 1.

    Of each lead's steepness with the mean of the others' in its column, at the shift of at most 40 ms where it is
    largest; the median over all leads. Strips are left out: where columns begin together in time, a strip beats with
    the first one alone. None where no column has two leads to compare.
    """
    found: list[float] = []
    for column in range(form.columns):
        names = (lead_of(row[column])[0] for row in form.rows)
        steep = [_steepness(leads[name]) for name in names if name in leads]
        found += _fit_of_each([each for each in steep if each is not None])
    return float(np.median(found)) if found else None


def _fit_of_each(steep: list[NDArray[np.float64]]) -> Iterator[float]:
    """Correlation of each one's steepness with the mean of all others'."""
    if len(steep) < 2:
        return
    most, step = round(_LATE_S * RATE_HZ), round(_LATE_STEP_S * RATE_HZ)
    total = np.sum(steep, axis=0)
    for one in steep:
        others = (total - one)[most:-most]
        alike = [
            correlation(np.roll(one, shift)[most:-most], others) for shift in range(-most, most + 1, step)
        ]
        yield float(np.nan_to_num(alike).max())  # 0 where one does not move


def _steepness(trace: Trace) -> NDArray[np.float64] | None:
    """How steep a trace is, in deviations; None where it is flat or mostly not read."""
    signal = trace.signal_mv.astype(np.float64)
    if np.isfinite(signal).sum() < len(signal) / 2:
        return None
    signal = bridged(signal)
    apart = round(_SLOPE_S * RATE_HZ / 2)
    slope = np.zeros_like(signal)
    slope[apart:-apart] = np.abs(signal[2 * apart :] - signal[: -2 * apart])
    steep = uniform_filter1d(slope, round(_BEAT_S * RATE_HZ))
    spread = float(steep.std())
    return np.asarray((steep - steep.mean()) / spread) if spread > 0 else None


def _row_mv(rows: Rows, form: Form) -> float:
    """How many mV lie between the baselines of neighbouring rows; infinitely many where there is one row."""
    if len(rows.baselines_px) < 2:
        return np.inf
    return float(np.median(np.diff(rows.baselines_px))) / PX_PER_MM / form.gain_mm_per_mv


def _strays(trace: Trace, row_mv: float) -> NDArray[np.bool_]:
    """Samples that lie further from their baseline than the next row's."""
    return np.asarray(np.abs(np.nan_to_num(trace.signal_mv)) > row_mv)


def _ends(trace: Trace) -> NDArray[np.bool_]:
    """Samples near a trace's beginning and end."""
    number = np.arange(len(trace.signal_mv))
    return np.asarray(
        (number < round(_FIRST_S * RATE_HZ)) | (number >= len(number) - round(_LAST_S * RATE_HZ))
    )


def _inner(trace: Trace, row_mv: float) -> Trace:
    """A trace without its strays and its ends, where letters and bars are sometimes taken for it.

    A few such samples spoil a sum of squares: of right pages of devices the least `goldberger` was 0.11 with them and
    0.57 without, that of wrong ones stayed below 0.35.
    """
    signal = np.where(_strays(trace, row_mv) | _ends(trace), np.nan, trace.signal_mv)
    return replace(trace, signal_mv=np.asarray(signal, np.float32))


# --- what is refused, and what is warned of ------------------------------------------------


@dataclass(frozen=True)
class _Limit:
    """Below `refused` a page is refused, below `warned` answered with a warning; `says` what that means."""

    value: Callable[[ReadQuality], float | None]
    refused: float
    warned: float
    says: str
    of_ink: bool = True


_CABRERA = 0.75  # `goldberger` of 14 drawn pages in it: 0.86 at least; of 2 taken for it: 0.41, 0.64
_NEVER = -2.0  # below all values: reason enough to warn, but not to refuse

# Right (above 8 dB) and wrong (below 6 dB) are 109 drawn pages of PTB-XL and MIT-BIH in looks at random;
# wrong ones are mostly turned or mirrored, of other forms, speeds and gains, or their rows were not found.
_LIMITS = (
    _Limit(
        # warned: 4 of 60 right pages, 23 of 49 wrong ones; refused: 1, 15
        lambda told: told.einthoven, 0.75, 0.88,
        "I + III and II agree by {value:.2f} only (a correlation): leads may stand elsewhere than in {form}, or "
        "letters were taken for a trace",
    ),
    _Limit(
        # warned: 1 of 59, 29 of 49; refused: 1, 23
        lambda told: told.goldberger, 0.40, 0.55,
        "the sum of aVR, aVL and aVF is not 0, or another that should be ({value:.0%} of their size cancels): leads "
        "may stand elsewhere than in {form}, or letters were taken for a trace",
    ),
    _Limit(
        lambda told: told.named, -0.25, 0.0,
        "the names that are printed beside leads are mostly those of others: leads stand elsewhere than in {form}",
    ),
    _Limit(
        # forms of two columns alone; warned: 3 of 11, 7 of 9; refused: 0, 4
        lambda told: told.augmented, 0.60, 0.85,
        "leads aVR, aVL and aVF do not follow from I and II (agreement {value:.2f}): leads may stand elsewhere "
        "than in {form}",
    ),
    _Limit(
        # some devices print every column from one moment on, and then only the first ones repeat the strip
        lambda told: told.strip_alike, _NEVER, 0.85,
        "a rhythm strip does not repeat the lead that it is named after (agreement {value:.2f}): it may be of "
        "another lead, or columns may begin together in time and not one after the other",
    ),
    _Limit(
        # right drawn pages have 0.87 at least; 20 of 21 photographs of warped pages 0.15 to 0.67
        lambda told: told.together, 0.60, 0.80,
        "beats of leads that are printed at one time do not fall together (agreement {value:.2f}): the page may be "
        "warped, or rows were mixed up",
    ),
    _Limit(
        # right pages differ by 1.1 % at most; warned: 0 of 43, 14 of 22; refused: 0, 12
        lambda told: _pulse_fits(told.pulse_mm), 0.80, 0.93,
        "the calibration pulse is {pulse_mm:.1f} mm high, where 5, 10 or 20 mm were expected: all voltages may be "
        "wrong by that much",
        of_ink=False,
    ),
    _Limit(
        # warned and refused: 0 of 60, 5 of 49
        lambda told: -float(told.pulses_within), -1.5, -0.5,
        "a calibration pulse stands where a lead should: columns may begin elsewhere",
    ),
    _Limit(
        # warned: 1 of 60, 0 of 49; 8 of 9 phone photographs, 7 of them by over 0.1
        lambda told: 1 - told.strays, _NEVER, 0.98,
        "a trace reaches into the next row for {strays:.1%} of its length: ink of another row may have been "
        "taken for it",
    ),
    _Limit(
        # warned: 6 of 60, each with such a jump; 4 of 49
        lambda told: 1 - told.strays_at_ends, _NEVER, 0.995,
        "a trace jumps into another row where a lead begins or ends: a letter, a bar or that row's ink may have been "
        "taken for it there",
    ),
    _Limit(
        # warned: 0 of 60, 6 of 49
        lambda told: told.read, 0.70, 0.97,
        "{value:.0%} of the traces was found: the page may be cut, or too faint",
    ),
    _Limit(
        # warned: 7 of 60, 14 of 49
        lambda told: told.columns, _NEVER, 0.10,
        "nothing that is printed marks where columns begin: leads may be late or early by some 0.05 s",
        of_ink=False,
    ),
    _Limit(
        # warned: 0 of 60, 6 of 49
        lambda told: told.grid, _NEVER, LEAST_CONTRAST,
        "the grid is faint or bent: times and voltages may be stretched. Scan the page flat, in colour",
    ),
)  # fmt: skip


def judged(signals: PageSignals) -> PageSignals:
    """The same page with what its quality warns of; raises `DoubtfulPage` where it is no page of twelve leads."""
    told = signals.quality
    warnings = []
    for limit, value in _missed(told):
        says = limit.says.format(value=value, form=signals.form, pulse_mm=told.pulse_mm, strays=told.strays)
        if value < limit.refused:
            error = DoubtfulPage if limit.of_ink else OtherScale
            raise error(
                f"read as {signals.form}, {says}. Nothing is answered for such a page. 'leadwise layouts' lists "
                "the forms that are read; scan the page whole, upright and flat."
            )
        warnings.append(f"{says[0].upper()}{says[1:]}. Compare the overlay with the page.")
    return replace(signals, warnings=(*signals.warnings, *warnings))


def refuse_doubtful_laws(signals: PageSignals) -> None:
    """Raise `DoubtfulPage` where the laws of limb leads are broken by less than is elsewhere warned of.

    For the order of Cabrera, whose laws chest leads nearly obey: each is much like the mean of its neighbours.
    """
    broken = any(limit in _LIMITS[:3] for limit, _ in _missed(signals.quality))
    if broken or (signals.quality.goldberger or 0.0) < _CABRERA:
        raise DoubtfulPage(
            f"by its laws {signals.form} is the likeliest form of this page, and it does not obey them well enough. "
            "'leadwise layouts' lists the forms that are read; scan the page whole, upright and flat."
        )


def ink_is_doubtful(signals: PageSignals) -> bool:
    """Whether something is to be said of a page that another look at its ink might mend."""
    return any(limit.of_ink for limit, _ in _missed(signals.quality))


def _missed(told: ReadQuality) -> Iterator[tuple[_Limit, float]]:
    """Limits below which a page lies, and its values."""
    for limit in _LIMITS:
        value = limit.value(told)
        if value is not None and value < limit.warned:
            yield limit, value


def printed_gain(pulse_mm: float) -> float:
    """The gain, mm/mV, whose calibration pulse is nearest to this height."""
    return min(GAINS_MM_PER_MV, key=lambda gain: abs(np.log(max(pulse_mm, 1e-9) / gain)))


def _pulse_fits(pulse_mm: float | None) -> float | None:
    """The smaller of pulse over that of the nearest gain, and of that over pulse."""
    if pulse_mm is None:
        return None
    gain = printed_gain(pulse_mm)
    return min(pulse_mm / gain, gain / max(pulse_mm, 1e-9))
