"""What page models answer about recordings of another country, a question at a time: a statement against another.

A question names two kinds of recordings by what PTB-XL states of them, and by which page classes they are to be told
apart. Answers are ranked, not called: the filter by which a page is printed moves the calls, and hardly the ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.names import SUPERCLASSES
from leadwise.pages.checks import heart_rate_bpm, r_peaks
from leadwise.scores.benefit import at_prevalence
from leadwise.scores.calibration import error_and_floor
from leadwise.scores.draws import auroc_alone, page_metrics
from leadwise.scores.metrics import probabilities
from leadwise.scores.table import PLACE, compared, scored, selected, stated, written
from leadwise.sets.views import SIGNAL_HZ

_SIDES = ("other", "asked")
"""What a recording is for a question; the last is the positive one."""

_SINUS = {"SR", "SARRH"}
_RHYTHMS = {
    "SR",
    "SARRH",
    "SBRAD",
    "STACH",
    "AFIB",
    "AFLT",
    "PACE",
    "SVARR",
    "BIGU",
    "TRIGU",
    "SVTAC",
    "PSVT",
}
"""PTB-XL's statements of rhythm, and those of a usual sinus rhythm among them."""

Kind = Callable[[pd.DataFrame], pd.Series]


def _only(*wanted: str) -> Kind:
    """Recordings whose superclasses are these and no other."""

    def chosen(recordings: pd.DataFrame) -> pd.Series:
        return (recordings[list(SUPERCLASSES)] == [name in wanted for name in SUPERCLASSES]).all(axis=1)

    return chosen


def _states(code: str) -> Kind:
    return lambda recordings: recordings["codes"].map(lambda codes: code in codes).astype(bool)


def _normal(recordings: pd.DataFrame) -> pd.Series:
    """NORM alone, and no rhythm but a usual sinus rhythm."""
    sinus = recordings["codes"].map(lambda codes: bool(codes & _SINUS) and codes & _RHYTHMS <= _SINUS)
    return _only("NORM")(recordings) & sinus.astype(bool)


def _sinus(recordings: pd.DataFrame) -> pd.Series:
    """Sinus rhythm, whatever else is stated, and neither fibrillation nor flutter."""
    return recordings["codes"].map(lambda codes: "SR" in codes and not codes & {"AFIB", "AFLT"}).astype(bool)


def _infarction(recordings: pd.DataFrame) -> pd.Series:
    return recordings["MI"] & ~recordings["NORM"]


def _sure_infarction(recordings: pd.DataFrame) -> pd.Series:
    return recordings["sure_mi"].fillna(False).astype(bool) & ~recordings["NORM"]


@dataclass(frozen=True)
class Question:
    """`asked` recordings against `other` ones, by the share of page classes `by` among these and normal.

    `baselines` may be asked the same; `sign` is that of their values, -1 where a slow heart is asked for.
    """

    words: str
    asked: Kind
    other: Kind = _normal
    by: tuple[str, ...] = ("history_of_mi", "mi")
    baselines: tuple[str, ...] = ("rate", "age_alone")
    sign: int = 1

    def sides(self, recordings: pd.DataFrame) -> pd.Series:
        """By ``record``: ``asked`` or ``other``; who is neither is left out."""
        asked, other = self.asked(recordings), self.other(recordings)
        side = pd.Series(np.where(asked, _SIDES[1], _SIDES[0]), recordings["record"])
        return side[(asked | other).to_numpy()]


_RHYTHM = ("abnormal_heartbeat",)

QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "mi": Question("infarction against normal", _infarction),
        "mi_alone": Question("infarction, nothing else stated", _only("MI")),
        "sure_mi": Question("infarction at 50 % and more", _sure_infarction),
        "sttc_alone": Question("ST-T changes alone, by the MI share", _only("STTC")),
        "cd_alone": Question("conduction alone, by the MI share", _only("CD")),
        "hyp_alone": Question("hypertrophy alone, by the MI share", _only("HYP")),
        "af": Question(
            "atrial fibrillation against sinus rhythm",
            _states("AFIB"),
            _sinus,
            _RHYTHM,
            baselines=("rate", "spread_times_rate"),
        ),
        "sinus_tachycardia": Question(
            "sinus tachycardia against normal", _states("STACH"), _normal, _RHYTHM, baselines=("rate",)
        ),
        "sinus_bradycardia": Question(
            "sinus bradycardia against normal",
            _states("SBRAD"),
            _normal,
            _RHYTHM,
            baselines=("rate",),
            sign=-1,
        ),
    }
)
"""Infarction old or fresh, stated at all and held likely; what is none, by the same share; rhythms."""


def rhythm_of_strip(rhythm_mv: NDArray[np.floating]) -> tuple[float, float]:
    """Heart rate in beats a minute, and interval spread times rate, of a printed strip ``(1250,)`` at SIGNAL_HZ.

    Both by `leadwise.pages.checks`, as of a page. Spread is the standard deviation of the intervals between beats
    over their mean; nan for fewer than three beats.
    """
    rate_bpm = heart_rate_bpm(rhythm_mv, SIGNAL_HZ)
    intervals_s = np.diff(r_peaks(rhythm_mv, SIGNAL_HZ)) / SIGNAL_HZ
    spread = np.std(intervals_s) / np.mean(intervals_s) if len(intervals_s) > 1 else np.nan
    return rate_bpm, rate_bpm * float(spread)


def strip_scores(
    read: Mapping[str, pd.Series],
    direct: Mapping[str, pd.Series],
    answers: pd.DataFrame,
    recordings: pd.DataFrame,
    draws: int = 2000,
    **place: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of ``scores.csv`` and ``differences.csv``: fibrillation by each value of strips, read and as they were.

    `read` and `direct` hold values by ``record``, by name; `answers` are any about these `recordings`, whose keys the
    rows take. Differences are paired, read minus direct.
    """
    question, measure = QUESTIONS["af"], auroc_alone(_SIDES)
    scores, differences = [], []
    for name in read:
        own = {
            signals: ranked(answers, recordings, question, values[name], name)
            for signals, values in (("read", read), ("direct", direct))
        }
        for signals, rows in own.items():
            at = place | {
                "condition": place["condition"] | {"question": "af", "signals": signals},
                "seeds": "",
            }
            scores.append(scored(rows, measure, ["auroc"], draws, **at))
            if signals == "read":
                differences.append(
                    compared(rows, own["direct"], measure, ["auroc"], draws, minus="signals=direct", **at)
                )
    return pd.concat(scores, ignore_index=True), pd.concat(differences, ignore_index=True)


def answered(answers: pd.DataFrame, recordings: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Answers in page classes as answers to one question, about the recordings that are of one of its sides."""
    side = question.sides(recordings)
    rows = answers[answers["unit_id"].isin(side.index)]
    by = rows[[f"prob_{name}" for name in question.by]].sum(axis=1)
    return _asked(rows, side, by / (by + rows["prob_normal"]))


def ranked(
    answers: pd.DataFrame, recordings: pd.DataFrame, question: Question, values: pd.Series, name: str
) -> pd.DataFrame:
    """What a value (by ``record``) that was measured without a network answers: it only ranks.

    One that is not known is the median of the others. Of these answers an AUROC alone means anything.
    """
    side = question.sides(recordings)
    once = answers[answers["seed"] == answers["seed"].iloc[0]]
    once = once[once["unit_id"].isin(side.index)]
    known = once["unit_id"].map(values)
    rank = known.fillna(known.median()).rank() / (len(known) + 1)
    return _asked(once.assign(model=name, seed=0), side, rank)


def _asked(rows: pd.DataFrame, side: pd.Series, share: pd.Series) -> pd.DataFrame:
    kept = [column for column in rows if not str(column).startswith("prob_")]
    return rows[kept].assign(label=rows["unit_id"].map(side), prob_other=1 - share, prob_asked=share)


def external_scores(
    answers: Mapping[tuple[str, str], pd.DataFrame],
    recordings: pd.DataFrame,
    baselines: Mapping[str, pd.Series],
    questions: Sequence[str],
    draws: int = 2000,
    *,
    places: Mapping[str, Mapping[str, Any]],
    **place: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of ``scores.csv`` and ``differences.csv``: `QUESTIONS` of these names, by model and filter, and baselines.

    `answers` by model and filter, the first filter first, in page classes; `baselines` by name, values by
    ``record``; `places` give columns of a model's rows. Models minus each baseline, each later filter minus the
    first, each later model minus the first, paired. A question of which one side has no recording has no row.
    """
    scores, differences = [], []
    measure = auroc_alone(_SIDES)
    for name in questions:
        question = QUESTIONS[name]
        if question.sides(recordings).nunique() < 2:
            continue
        of_each = {key: answered(rows, recordings, question) for key, rows in answers.items()}
        (model, first), *_ = of_each
        values = {
            base: ranked(answers[model, first], recordings, question, question.sign * each, base)
            for base, each in baselines.items()
            if base in question.baselines
        }
        counts = of_each[model, first].drop_duplicates("unit_id")["label"].value_counts()
        for rows in values.values():
            own = place | {"condition": {"question": name}, "seeds": ""}
            scores.append(scored(rows, measure, ["auroc"], draws, **own))
        for (who, filtered), rows in of_each.items():
            own = place | dict(places[who]) | {"condition": {"filter": filtered, "question": name}}
            scores.append(scored(rows, measure, ["auroc"], draws, **own))
            others = [*values.items()]
            others += [(f"filter={first}", of_each[who, first])] if filtered != first else []
            others += [(model, of_each[model, filtered])] if who != model else []
            for minus, other in others:
                differences.append(
                    compared(rows, other, measure, ["auroc"], draws, own_seeds=True, minus=minus, **own)
                )
        where = scores[-1].iloc[0][list(PLACE)].to_dict() | {"condition": {"question": name}, "seeds": ""}
        scores.append(
            stated({"units_asked": counts["asked"]}, **(where | {"model": "recordings", "weights": ""}))
        )
    return pd.concat(scores, ignore_index=True), pd.concat(differences, ignore_index=True)


def calibration_scores(
    answers: pd.DataFrame, recordings: pd.DataFrame, name: str, share: float, draws: int = 2000, **place: Any
) -> pd.DataFrame:
    """Rows of ``scores.csv``: log-loss and calibration error of the answers to a question, as they are and shifted.

    `share` is how frequent what is asked for was among the training pages; after the shift (``shift=prevalence``)
    the odds are those of its frequency here, which whoever asks about one recording does not know.
    """
    rows = answered(answers, recordings, QUESTIONS[name])
    here = float((rows["label"] == "asked").mean())
    moved = at_prevalence(rows["prob_asked"].to_numpy(), share, here)
    tables = []
    for shift, some in (
        ("none", rows),
        ("prevalence", rows.assign(prob_asked=moved, prob_other=1 - moved)),
    ):
        own = place | {"condition": place["condition"] | {"question": name, "shift": shift}}
        table = scored(some, page_metrics(_SIDES), ["log_loss"], draws, **own)
        by_seed = [probabilities(one, _SIDES) for _, one in some.groupby("seed")]
        where = dict(table.iloc[0][list(PLACE)])
        tables += [table, stated(error_and_floor(by_seed), **where)]
    return pd.concat(tables, ignore_index=True)


def told(scores: pd.DataFrame, part: str, question: str, model: str, filtered: str = "") -> str:
    """The AUROC of a model or baseline at a question, as texts have it; what has no row is not known."""
    condition = f"filter={filtered};question={question}" if filtered else f"question={question}"
    rows = selected(scores, counted=part, metric="auroc", model=model, condition=condition)
    return written(rows.iloc[0]) if len(rows) else "not known here"
