"""What things are called, in which order and in which colour: leads, classes, beats, tasks, units. Imports nothing.

The five classes of beats are those of ANSI/AAMI EC57: N from the sinus node or its neighbourhood (bundle branch
blocks and escape beats with it), S supraventricular ectopic, V ventricular ectopic, F fusion of V and N, Q paced or
unknown. Waves of ventricular flutter (``!``) are no beats, nor are marks of rhythm, noise or quality.
"""

from collections.abc import Mapping
from types import MappingProxyType

CAUTION = "Research use only, not a medical device."
"""Stands beside every answer."""

# --- pages ---------------------------------------------------------------------------------

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The order of all arrays and tables."""

CLASSES = ("normal", "abnormal_heartbeat", "history_of_mi", "mi")
"""The four classes of the Mendeley set, in the one order that every table and figure uses."""

CLASS_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "normal": "Normal",
        "abnormal_heartbeat": "Abnormal heartbeat",
        "history_of_mi": "History of MI",
        "mi": "MI",
    }
)
"""The classes as people read them."""

CLASS_COLOURS: Mapping[str, str] = MappingProxyType(
    {"normal": "#009E73", "abnormal_heartbeat": "#E69F00", "history_of_mi": "#0072B2", "mi": "#D55E00"}
)
"""Okabe and Ito's palette: told apart under the three common colour blindnesses, also by lightness."""

# --- beats and windows ---------------------------------------------------------------------

AAMI = ("N", "S", "V", "F", "Q")
"""The five classes of beats in the one order of all tables and figures."""

SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys("NLRej", "N"),
        **dict.fromkeys("AaJS", "S"),
        **dict.fromkeys("VE", "V"),
        "F": "F",
        **dict.fromkeys("/fQ", "Q"),
    }
)
"""WFDB's symbols of beats, with the class of each."""

FLUTTER = "!"
"""A wave of ventricular flutter or fibrillation; no beat."""

BEAT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "N": "N, normal",
        "S": "S, supraventricular",
        "V": "V, ventricular",
        "F": "F, fusion",
        "Q": "Q, paced or unknown",
    }
)
BEAT_COLOURS: Mapping[str, str] = MappingProxyType(
    {"N": "#009E73", "S": "#E69F00", "V": "#D55E00", "F": "#CC79A7", "Q": "#56B4E9"}
)
"""One colour a class in every picture, of Okabe and Ito's palette."""

RATIOS = ("rr_before_ratio", "rr_after_ratio", "rr_local_ratio", "rr_before_local_ratio")
"""A beat's place in the rhythm, as `leadwise.recordings.context.rhythm_ratios` gives it."""

WINDOW_LABELS = ("normal", "abnormal")
DECIDED = ("majority", "tie", "no_beat")
"""How a window came to its label; the last two are called normal."""

# --- tasks ---------------------------------------------------------------------------------

TASKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "four": CLASSES,
        "binary": CLASSES[:2],
        "window": WINDOW_LABELS,
        "aami5": AAMI,
        "normal": ("normal", "other"),
        "healthy": ("healthy", "other"),
    }
)
"""The tasks and their classes; of two the last is the positive one. `normal` is PTB-XL's, `healthy` PTB's."""

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "four": "page",
        "binary": "page",
        "window": "window",
        "aami5": "beat",
        "normal": "beat",
        "healthy": "beat",
    }
)
"""What one answer of a task is about."""
