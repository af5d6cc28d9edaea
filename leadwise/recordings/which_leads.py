"""Which signals of a recording are ECG: by their names first, then by their units. Others beside it are set aside.

Names as they stand in PhysioNet's records (MLII, ECG1, V5, CM5, D3, vx), in EDF ("ECG II") and in DICOM ("Lead aVR").
A name that tells nothing ("signal 1") leaves it open; whoever answers then looks at the signal itself
(`leadwise.recordings.heart`).
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["ecg", "open", "other"]

MOST_SIGNALS = 256
"""Of one recording, whatever its file's format."""

MV_OF = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
"""Millivolts of each unit of voltage that is known."""

_WORDS = {
    "volt": "v",
    "volts": "v",
    "millivolt": "mv",
    "millivolts": "mv",
    "microvolt": "uv",
    "microvolts": "uv",
    "mvolt": "mv",
    "mvolts": "mv",
    "uvolt": "uv",
    "uvolts": "uv",
    "в": "v",
    "мв": "mv",
    "мкв": "uv",
    "伏": "v",
    "毫伏": "mv",
    "微伏": "uv",
}
_NONE = {
    "",
    "nu",
    "nd",
    "na",
    "n/a",
    "none",
    "-",
    "?",
    "adu",
    "unit",
    "units",
    "au",
    "a.u.",
    "digital",
    "lsb",
}

_ECG_WORDS = re.compile(r"(?<![a-z])(ecg|ekg|holter)")
_LEAD = re.compile(
    r"(mod\.?|modified)?i{1,3}|d(i{1,3}|[123])|a(vr|vl|vf)|-?avr|m?v[1-9]r?|v[1-9]-?v?[1-9]?|v|(mod|modified)\.?v[1-9]|"
    r"mli{0,3}|ml[1-6]|mlv[1-6]|mcl[1-6]?|c[cmsb]\d?r?|cr[1-9]|v?[xyz]|[ae]-?[si]|es|as|ai|lead[123]"
)
_OTHER_WORDS = (
    "resp", "respirat[a-z]*", "breath[a-z]*", "rsp", "abp", "abpmean", "art", "arterial", "bp", "nbp", "ibp",
    "cvp", "pap", "icp", "uap", "uvp", "press", "pressure", "(photo)?pleth[a-z]*", "ppg", "bvp", "pulse",
    "pulseox[a-z]*", "spo2", "sao2", "o2sat", "osat", "so2", "sat", "co2", "etco2", "capno[a-z]*", "eeg",
    "eog", "emg", "chin", "egg", "ehg", "erg", "pcg", "phono[a-z]*", "heartsound", "eda", "gsr", "scl", "scr",
    "temp",
    "acc", "accel", "accx", "accy", "accz", "gyro", "flow", "airflow", "nasal", "thermistor", "thor", "thorax",
    "thoracic", "abdo", "abdomen", "abdominal", "chestmov", "effort", "impedance", "imp", "sound", "snore",
    "mic", "position", "pos", "light", "marker", "event", "events", "trigger", "status", "stage", "hypnogram",
    "annotations", "battery", "hr", "rr", "pr", "pulserate", "heartrate", "leg", "legs", "tib", "plm", "sv",
    "co", "roc", "loc", "gas", "air", "vol", "volume", "scg", "bcg", "fetal", "foetal",
)  # fmt: skip
_OTHER = re.compile(rf"(?<![a-z])({'|'.join(sorted(_OTHER_WORDS, key=len, reverse=True))})(?![a-z])")
_ELECTRODE = re.compile(r"(fp|af|fc|ft|cp|tp|po|f|c|t|p|o|a|m|e|nz|iz)(\d{1,2}|z)([-/. ].*|[am]\d)?")
"""Of the 10-20 system, and of eyes in a sleep laboratory (E1-M2): an EEG or an EOG."""


def kind_of(name: str, unit: str) -> Kind:
    """Whether a signal is an ECG by its name and unit, is none, or whether they leave it open.

    `unit` is as the file has it; where it is one of something else than voltage, the signal is no ECG whatever it is
    called.
    """
    plain = re.sub(r"\s+", " ", name.strip().lower())
    if normal_unit(unit) not in MV_OF and not has_no_unit(unit):
        return "other"
    if _ECG_WORDS.search(plain) and not re.search(r"(?<![a-z])f(o?e)tal", plain):
        return "ecg"
    if _OTHER.search(plain.replace("_", " ").replace("-", " ")):
        return "other"
    bare = re.sub(r"^(lead|channel lead|abl\.?)?[ _-]*|[ _]*(\(.*\))?$", "", plain).replace(" ", "")
    if _LEAD.fullmatch(bare):
        return "ecg"
    return "other" if _ELECTRODE.fullmatch(plain) else "open"


def has_no_unit(unit: str) -> bool:
    """Whether a file leaves the unit open."""
    return unit.strip().lower() in _NONE


def normal_unit(unit: str) -> str:
    """A unit in small letters, `uv` for microvolts however their sign is written; `mv` where none is told."""
    plain = unit.strip().lower().replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
    return "mv" if has_no_unit(unit) else _WORDS.get(plain, plain)
