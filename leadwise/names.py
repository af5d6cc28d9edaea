"""What things are called, in which order and in which colour: leads, classes, beats, tasks, metrics.

And how names that others gave, and probabilities, are written for people. Imports nothing of leadwise.

The five classes of beats are those of ANSI/AAMI EC57: N from the sinus node or its neighbourhood (bundle branch
blocks and escape beats with it), S supraventricular ectopic, V ventricular ectopic, F fusion of V and N, Q paced or
unknown. Waves of ventricular flutter (``!``) are no beats, nor are marks of rhythm, noise or quality.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

VERSION = "0.2.0"
"""Of the package."""

CAUTION = "Research use only, not a medical device."
"""Stands beside every answer."""

# --- pages ---------------------------------------------------------------------------------

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The order of all arrays and tables."""

CLASSES = ("normal", "abnormal_heartbeat", "history_of_mi", "mi")
"""The four classes of the Mendeley set, in the one order that every table and figure uses."""

CLASS_NAMES: Mapping[str, str] = {
    "normal": "Normal",
    "abnormal_heartbeat": "Abnormal heartbeat",
    "history_of_mi": "History of MI",
    "mi": "MI",
}
"""The classes as people read them."""

CLASS_COLOURS: Mapping[str, str] = {
    "normal": "#009E73",
    "abnormal_heartbeat": "#E69F00",
    "history_of_mi": "#0072B2",
    "mi": "#D55E00",
}
"""Okabe and Ito's palette: told apart under the three common colour blindnesses, also by lightness."""

# --- beats and windows ---------------------------------------------------------------------

AAMI = ("N", "S", "V", "F", "Q")
"""The five classes of beats in the one order of all tables and figures."""

SYMBOLS: Mapping[str, str] = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
"""WFDB's symbols of beats, with the class of each."""

FLUTTER = "!"
"""A wave of ventricular flutter or fibrillation; no beat."""

BEAT_NAMES: Mapping[str, str] = {
    "N": "N, normal",
    "S": "S, supraventricular",
    "V": "V, ventricular",
    "F": "F, fusion",
    "Q": "Q, paced or unknown",
}
BEAT_COLOURS: Mapping[str, str] = {
    "N": "#009E73",
    "S": "#E69F00",
    "V": "#D55E00",
    "F": "#CC79A7",
    "Q": "#56B4E9",
}
"""One colour a class in every picture, of Okabe and Ito's palette."""

RATIOS = ("rr_before_ratio", "rr_after_ratio", "rr_local_ratio", "rr_before_local_ratio")
"""A beat's place in the rhythm, as `leadwise.recordings.context.rhythm_ratios` gives it."""

WINDOW_LABELS = ("normal", "abnormal")
DECIDED = ("majority", "tie", "no_beat")
"""How a window came to its label; the last two are called normal."""

# --- what PTB-XL states --------------------------------------------------------------------

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
"""PTB-XL's: normal, infarction old or fresh, changes of ST and T, of conduction, hypertrophy. Several may hold."""

SUPERCLASS_NAMES: Mapping[str, str] = {
    "NORM": "normal",
    "MI": "infarction, old or fresh",
    "STTC": "ST-T changes",
    "CD": "conduction disturbance",
    "HYP": "hypertrophy",
}
"""The same as people read them."""

# --- tasks ---------------------------------------------------------------------------------

TASKS: Mapping[str, tuple[str, ...]] = {
    "four": CLASSES,
    "binary": CLASSES[:2],
    "window": WINDOW_LABELS,
    "aami5": AAMI,
    "normal": ("normal", "other"),
    "healthy": ("healthy", "other"),
    "af": ("other", "af"),
}
"""The tasks and their classes; of two the last is the positive one. `normal` is PTB-XL's, `healthy` PTB's, `af`
atrial fibrillation or flutter, of stretches and seconds of recordings."""

UNITS: Mapping[str, str] = {
    "four": "page",
    "binary": "page",
    "window": "window",
    "aami5": "beat",
    "normal": "beat",
    "healthy": "beat",
    "external": "record",
    "af": "record",
    "hearts": "record",
}
"""What one answer of a task is about."""

TEST_SET_OF: Mapping[str, str] = {
    "four": "mendeley",
    "binary": "mendeley",
    "window": "mitdb",
    "aami5": "mitdb",
    "normal": "ptbxl",
    "healthy": "ptb",
    "external": "ptbxl",
    "af": "cinc2017",
    "hearts": "ptbxl",
}
"""The set of which the answers to a task are; of MIT-BIH it is DS2 alone where persons are divided."""

TEST_SETS: Mapping[str, str] = {
    "mendeley": "pages of the Mendeley set",
    "mitdb": "all records of MIT-BIH",
    "ds2": "the 22 records of MIT-BIH's DS2",
    "svdb": "the 78 records of the supraventricular database",
    "cinc2017": "recordings of CinC 2017",
    "ptbxl": "recordings of PTB-XL",
    "ptb": "recordings of PTB",
}
"""Where answers were scored."""

# --- metrics -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Metric:
    """A metric's name for people, how its value is written, and what a row of it must say.

    `protocol`, `n`, `interval`: whether it says nothing without how folds were made, without the number of units that
    were counted, without an interval.
    """

    words: str
    shown: str = ".3f"
    protocol: bool = True
    n: bool = True
    interval: bool = True
    lower_is_better: bool = False


def _of_reading(words: str, shown: str, *, interval: bool = True) -> Metric:
    return Metric(words, shown, protocol=False, interval=interval)


def _measured(words: str, shown: str = ".3g", *, lower_is_better: bool = True) -> Metric:
    """What a clock or a scale shows: of a machine, not of a test set."""
    return Metric(words, shown, protocol=False, n=False, interval=False, lower_is_better=lower_is_better)


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric("accuracy"),
    "balanced_accuracy": Metric("balanced accuracy"),
    "macro_f1": Metric("macro-F1"),
    "macro_auroc": Metric("macro AUROC"),
    "auroc": Metric("AUROC"),
    "auprc": Metric("AUPRC"),
    "log_loss": Metric("log-loss", lower_is_better=True),
    "inner_log_loss": Metric("log-loss on inner folds, which chooses", interval=False, lower_is_better=True),
    "brier": Metric("Brier score", lower_is_better=True),
    "ece": Metric("calibration error", interval=False, lower_is_better=True),
    "ece_floor": Metric("calibration error of a perfect model", lower_is_better=True),
    "recall": Metric("sensitivity"),
    "specificity": Metric("specificity"),
    "ppv": Metric("PPV"),
    "npv": Metric("NPV"),
    "f1": Metric("F1"),
    "found": Metric("found", ".0f", interval=False),
    "doubtful": Metric("labels that all networks contradict", ".0f", interval=False),
    "always": Metric("folds in which it always says", ".0f", interval=False),
    "units": Metric("units that are", ",.0f", interval=False),
    "false": Metric("wrongly called", ",.0f", interval=False),
    "training_pages_wrong": Metric(
        "errors on the pages that it was trained on, which are no score",
        ",.0f",
        protocol=False,
        interval=False,
    ),
    "agreement": Metric("same answer as its teacher", ".1%"),
    "net_benefit": Metric("net benefit"),
    "attention_on": Metric("attention on beats, 1 by chance"),
    # what a reader of pages gives
    "pages_found": _of_reading("pages whose twelve leads were found", ".0f", interval=False),
    "pages_refused": _of_reading("pages that were refused", ".0f", interval=False),
    "header_read": _of_reading("pages whose id, time and heart rate were read", ".1%"),
    "header_right": _of_reading("headers compared by eye that were read right", ".1%"),
    "heart_rate_right": _of_reading("measured heart rate within 3 bpm or 4 % of the printed one", ".1%"),
    "einthoven_corr_median": _of_reading("correlation of I + III with II, median", ".4f"),
    "einthoven_corr_p05": _of_reading("correlation of I + III with II, 5th percentile", ".4f"),
    "einthoven_rms_mv_median": _of_reading("I + III against II, root mean square, median, mV", ".4f"),
    "einthoven_within_one_pixel": _of_reading("pages on which that is within one pixel, 0.0127 mV", ".1%"),
    "goldberger_rms_mv_median": _of_reading("aVR + aVL + aVF, root mean square, median, mV", ".4f"),
    "roundtrip_snr_db_median": _of_reading("printed and read again, signal to noise, median, dB", ".1f"),
    "leads_found": _of_reading("leads still found", ".0%"),
    "refused": _of_reading("refused", ".1%"),
    "warned": _of_reading("called unlike the training pages", ".1%"),
    "quality_min": _of_reading("lowest quality of a page", ".3f", interval=False),
    "strip_named": _of_reading("pages whose strip names its lead", ".0f", interval=False),
    # what a reader of any page gives
    "read": _of_reading("pages read", ".1%"),
    "layout_right": _of_reading("pages with every lead and strip in its place", ".1%"),
    "snr_db_median": _of_reading("signal to noise of a page, median, dB", ".1f"),
    "snr_db_p5": _of_reading("signal to noise of a page, 5th percentile, dB", ".1f"),
    "unwarned": _of_reading("pages answered without a warning", ".1%"),
    "silently_wrong": _of_reading("below 6 dB among pages answered without a warning", ".1%"),
    "warnings_auroc": _of_reading(
        "AUROC of the number of warnings, pages below 6 dB against others", ".3f", interval=False
    ),
    "class_kept": _of_reading("pages with the class of the flat page", ".1%"),
    "read_right": _of_reading("pages read as eyes read them, I + III within 15 % of II", ".1%"),
    "silently_misread": _of_reading("not read so among pages answered without a warning", ".1%"),
    "s_per_page": _measured("one page, one core, loaded, s", ".2f"),
    "pages_per_s": _measured(
        "pages a second a core, from picture to millivolts", ".0f", lower_is_better=False
    ),
    # what finds beats
    "sensitivity": Metric("sensitivity", ".4f"),
    "positive_predictivity": Metric("PPV", ".4f"),
    "slowest_record_s": _measured("slowest record, s", ".1f"),
    # what a network and its file cost
    "parameters": _measured("parameters", ",.0f"),
    "epochs": _measured("epochs"),
    "train_s": _measured("training of one network, s", ".0f"),
    "weights_mb": _measured("weights, MB", ".2f"),
    "s_per_epoch": _measured("seconds an epoch", ".0f"),
    "ms_per_beat": _measured("ms a beat", ".2f"),
    "ms_per_page": _measured("one page, from bytes to answer, one core, model loaded, ms", ".0f"),
    "ms_network": _measured("the network alone, ms a page", ".2f"),
    "size_mb": _measured("size of the file, MB", ".2f"),
    "cold_start_s": _measured("cold start of the command to its end, s", ".1f"),
    "peak_memory_mb": _measured("most memory of the command, MB", ".0f"),
    "times_as_fast": _measured("times as fast", ",.0f", lower_is_better=False),
    "parity_largest_difference": _measured("largest difference of a probability to torch, from bytes", ".0e"),
    "parity_same_decision": _of_reading("same decision as torch", ".0%"),
    "decisions_changed": Metric("decisions that int8 would change", ".1%", n=False),
    # what a server takes
    "pages_a_second": _measured("pages a second, many clients at once", ".1f", lower_is_better=False),
    "processor_ms_a_page": _measured("a page, processor time of the server, ms", ".0f"),
    "median_ms": _measured("a page, median, ms", ".0f"),
    "p95_ms": _measured("a page, 95th percentile, ms", ".0f"),
    "failed": _measured("of these requests failed", ".0f"),
    "refused_by_4xx": _measured("hostile uploads refused by 4xx", ".0f"),
    "not_refused": _measured("hostile uploads not refused", ".0f"),
    "median_s": _measured("a hostile upload, median, s", ".2f"),
    "slowest_s": _measured("the slowest hostile upload, s", ".1f"),
    "slowest_processor_s": _measured("the slowest of them in time of the processor, s", ".1f"),
    "alive": _measured("alive afterwards", ".0f"),
    "first_reply_s": _measured("first reply to a page beside six of the worst of them, s", ".1f"),
    "answered_s": _measured("its answer, asked again where it was told to, s", ".1f"),
    "tries": _measured("so many times it was asked for", ".0f"),
    "bytes_left": _measured("bytes left of recordings whose reading ended badly", ".0f"),
    "memory_mb": _measured("memory of the server, MB", ".0f"),
}
"""Every metric there is. One of a class is called by both, as ``recall_mi`` or ``f1_S``."""

_OF_A_CLASS = ("recall", "ppv", "f1", "auroc", "auprc", "found", "false", "always", "units", "attention_on")
_KINDS = {"asked", "other", "abnormal_minus_normal"}.union(SUPERCLASSES, *TASKS.values())


def metric_of(name: str) -> tuple[Metric, str]:
    """What is declared of a metric, and the class that it is of, or nothing: ``recall_mi`` is `recall` of ``mi``.

    Raises KeyError for what is no metric.
    """
    if name in METRICS:
        return METRICS[name], ""
    for kind in _OF_A_CLASS:
        if name.startswith(f"{kind}_") and (of := name.removeprefix(f"{kind}_")) in _KINDS:
            return METRICS[kind], of
    raise KeyError(name)


def metric_words(name: str) -> str:
    """A metric's name for people: ``recall_mi`` is ``sensitivity, MI``."""
    metric, of = metric_of(name)
    return f"{metric.words}, {CLASS_NAMES.get(of, of.replace('_', ' '))}" if of else metric.words


# --- names that others gave, and probabilities ---------------------------------------------

_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, ESC and newlines among them
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # what turns the direction of writing, and ends lines
    "\ud800-\udfff]"  # bytes of a file's name that are no UTF-8
)


def printable(text: str) -> str:
    r"""A text in one line in which nothing commands a terminal: ESC is seen as ``\x1b``, a newline as ``\n``."""
    return _UNPRINTABLE.sub(_written_out, text)


def as_html(text: str) -> str:
    """The same as text of a page of HTML, in which nothing acts."""
    return html.escape(printable(text))


def shortened(text: str, most: int = 120) -> str:
    """What a client or a made file may have made long or unprintable, in `most` letters; its end is kept."""
    plain = "".join(letter for letter in text if letter.isprintable())
    return plain if len(plain) <= most else f"{plain[: most - 13]}…{plain[-12:]}"


def _written_out(sign: re.Match[str]) -> str:
    code = ord(sign[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is no UTF-8
        code -= 0xDC00
    return {9: r"\t", 10: r"\n", 13: r"\r"}.get(code) or (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    )


def probability_in_words(probability: float) -> str:
    """A probability in per cent. None is nought or certain, so what rounds to that is ``< 0.1%`` or ``> 99.9%``."""
    return {"0.0%": "< 0.1%", "100.0%": "> 99.9%"}.get(text := f"{probability:.1%}", text)
