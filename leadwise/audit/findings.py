"""What an audit finds in a folder of pages: conclusions from facts, each with a code that explains itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from leadwise.audit.facts import FIELDS, Facts
from leadwise.names import VERSION
from leadwise.scores.draws import bootstrap_share

Weight = Literal["leak", "warning", "note"]


@dataclass(frozen=True)
class Kind:
    """What a code stands for: its name, its weight, and what to do about it."""

    name: str
    weight: Weight
    advice: str


KINDS: dict[str, Kind] = {
    "LW001": Kind(
        "byte copies", "warning", "Keep one file of each before you split; count pages, never files."
    ),
    "LW002": Kind("pixel copies", "warning", "Keep one file of each: hashes of the bytes do not show these."),
    "LW003": Kind("same trace", "warning", "Keep them on one side of every split, or keep one of each."),
    "LW004": Kind(
        "same printed id",
        "note",
        "An id may be a person, a visit or a running number: keep its pages on one side of every split.",
    ),
    "LW005": Kind("one page, two labels", "warning", "Ask whoever labelled; until then leave the page out."),
    "LW006": Kind("one page, two splits", "leak", "Split pages, not files: scores of this split are false."),
    "LW007": Kind("unreadable files", "warning", "Copy or export them again, or take them out."),
    "LW008": Kind("foreign layout", "warning", "Turn or scan them as told, or expect no leads of them."),
    "LW009": Kind("class imbalance", "note", "Report recall by class and a majority floor beside accuracy."),
    "LW010": Kind(
        "copies predict the class", "warning", "Keep one file of each page; weigh classes openly if you must."
    ),
    "LW011": Kind(
        "print predicts the class",
        "warning",
        "Cut the leads out, and show what the field alone scores beside every model.",
    ),
    "LW012": Kind("empty class", "warning", "Fill the folder or remove it."),
    "LW013": Kind("one class alone", "warning", "Give the folder that holds one folder a class."),
    "LW014": Kind("one printed id, two splits", "warning", "Make the split by id, as a precaution."),
}


@dataclass(frozen=True)
class Finding:
    """One thing found. `says` is a sentence with its numbers; `files` groups the paths that belong together.

    `numbers` holds what a picture or a program needs of it.
    """

    code: str
    says: str
    files: tuple[tuple[str, ...], ...] = ()
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What its code stands for."""
        return KINDS[self.code]


def find(facts: Facts) -> list[Finding]:
    """All findings of a folder, in the order of their codes."""
    findings = [*_copies(facts.files), *_ids(facts), *_contradictions(facts.files), *_files(facts)]
    findings += [*_classes(facts), *_what_tells(facts)]
    return sorted(findings, key=lambda finding: finding.code)


def leaks(findings: list[Finding]) -> bool:
    """Whether a split is false."""
    return any(finding.kind.weight == "leak" for finding in findings)


def verdict(facts: Facts, findings: list[Finding]) -> str:
    """One sentence: how many pages there are, and whether a split leaks."""
    what = f"{len(facts.files)} files, {len(facts.pages)} distinct pages"
    if leaks(findings):
        return f"{what}. A split leaks: what it scores is false."
    if facts.is_split:
        return f"{what}. No page that could be compared lies in two splits."
    return f"{what}. There is no split to check."


def as_json(facts: Facts, findings: list[Finding]) -> dict[str, Any]:
    """The whole audit as plain values: what ``leadwise audit --json`` writes."""
    return {
        "leadwise": VERSION,
        "folder": str(facts.folder),
        "files": len(facts.files),
        "distinct_pages": len(facts.pages),
        "left_out": len(facts.problems),
        "classes": facts.counts("label").to_dict("records"),
        "splits": facts.counts("split").to_dict("records") if facts.is_split else [],
        "leaks": leaks(findings),
        "findings": [asdict(finding.kind) | asdict(finding) for finding in findings],
        "not_checked": list(facts.not_checked),
    }


# --- copies and ids -----------------------------------------------------------------------------------------


def _copies(files: pd.DataFrame) -> Iterator[Finding]:
    total = len(files)
    if groups := _groups(files, "sha256"):
        copied = sum(map(len, groups))
        different = files["sha256"].nunique()
        yield Finding(
            "LW001",
            f"{_count(copied, 'file')} of {total} have a twin byte for byte: {_verb(groups, 'page', 'stand')} under "
            f"several names, and {total} files hold {different} different ones.",
            groups,
            {"files": copied, "pages": len(groups), "different_files": different},
        )
    for code, key, within, how in (
        ("LW002", "pixels", "sha256", "the same pixels, though their bytes differ"),
        ("LW003", "trace", "pixels", "the same trace, though their pictures differ"),
    ):
        if groups := _groups(files[files[key] != -1], key, several=within):
            yield Finding(
                code,
                f"{_verb(groups, 'page', 'come')} as several files that show {how} "
                f"({_count(sum(map(len, groups)), 'file')}).",
                groups,
                {"pages": len(groups)},
            )


def _ids(facts: Facts) -> Iterator[Finding]:
    pages = facts.pages.dropna(subset=["recording_id"])
    groups = _groups(pages, "recording_id")
    if not groups:
        return
    mixed = len(_groups(pages, "recording_id", several="label"))
    of_ids = sum(map(len, groups))
    yield Finding(
        "LW004",
        f"{_count(len(groups), 'printed id')} of {pages['recording_id'].nunique()} "
        f"{'stands' if len(groups) == 1 else 'stand'} on several pages ({of_ids} pages, the most on one id "
        f"{max(map(len, groups))}); {mixed} of them carry several classes.",
        groups,
        {"ids": len(groups), "pages": of_ids, "ids_of_several_classes": mixed},
    )
    split = facts.files[facts.files["split"] != ""].dropna(subset=["recording_id"])
    if astride := _groups(split, ["within", "recording_id"], several="split"):
        says = f"{_verb(astride, 'printed id', 'stand')} in several splits."
        yield Finding("LW014", says, astride, {"ids": len(astride)})


def _contradictions(files: pd.DataFrame) -> Iterator[Finding]:
    if groups := _groups(files[files["label"] != ""], "page", several="label"):
        says = f"{_verb(groups, 'page', 'stand')} under two classes or more."
        yield Finding("LW005", says, groups, {"pages": len(groups)})
    split = files[files["split"] != ""]
    if groups := _groups(split, ["within", "page"], several="split"):
        astride = split["path"].isin([path for group in groups for path in group])
        whole, leaking = split["split"].value_counts(), split.loc[astride, "split"].value_counts()
        shares = {
            name: {"files": int(leaking.get(name, 0)), "of": int(whole[name])} for name in sorted(whole.index)
        }
        in_words = ", ".join(
            f"{share['files']} of {share['of']} files of {name}" for name, share in shares.items()
        )
        says = f"{_verb(groups, 'page', 'lie')} in several splits: {in_words}."
        yield Finding("LW006", says, groups, {"pages": len(groups), "splits": shares})


# --- files and classes --------------------------------------------------------------------------------------


def _files(facts: Facts) -> Iterator[Finding]:
    if len(facts.problems):
        reasons = facts.problems["why"].value_counts()
        yield Finding(
            "LW007",
            f"{len(facts.problems)} of the files and folders here could not be used: {_listed(reasons)}.",
            tuple((path,) for path in facts.problems["path"]),
            {"files": len(facts.problems), "reasons": _plain(reasons)},
        )
    foreign = facts.pages[facts.pages["foreign"] != ""]
    if len(foreign):
        reasons = foreign["foreign"].str.partition(". ")[0].value_counts()
        yield Finding(
            "LW008",
            f"{_count(len(foreign), 'page')} of {len(facts.pages)} cannot be cut: {_listed(reasons)}.",
            tuple((path,) for path in foreign["path"]),
            {"pages": len(foreign), "reasons": _plain(reasons)},
        )
    if facts.empty:
        yield Finding(
            "LW012",
            f"{_count(len(facts.empty), 'class folder')} without a readable page: {', '.join(facts.empty)}.",
            numbers={"folders": list(facts.empty)},
        )


_IMBALANCED = 3.0


def _classes(facts: Facts) -> Iterator[Finding]:
    counts = facts.pages["label"].value_counts().drop("", errors="ignore")
    if len(counts) == 1:
        yield Finding("LW013", f"All {counts.sum()} pages are of one class, {counts.index[0]}.")
    elif len(counts) > 1 and counts.iloc[0] >= _IMBALANCED * counts.iloc[-1]:
        share = counts.iloc[0] / counts.sum()
        largest, smallest = (str(counts.index[place]).replace("_", " ") for place in (0, -1))
        yield Finding(
            "LW009",
            f"{largest} has {counts.iloc[0]} pages and {smallest} {counts.iloc[-1]}: always answering {largest} is "
            f"right on {share:.0%} of pages.",
            numbers={"pages": _plain(counts), "always_the_largest": float(share)},
        )


FIELD_NAMES = {
    "heart_rate_bpm": "heart rate",
    "sex": "sex",
    "recorded_at": "date and time",
    "recording_id": "id",
}
"""Printed fields as people read them."""

_LEAST_OF_A_CLASS, _PARTS = 10, 5


def _what_tells(facts: Facts) -> Iterator[Finding]:
    """Copies and printed fields that say more of the class than always answering the largest one."""
    pages = facts.pages
    counts = pages["label"].value_counts().drop("", errors="ignore")
    pages = pages[pages["label"].isin(counts.index[counts >= _LEAST_OF_A_CLASS])]
    if pages["label"].nunique() < 2 or pages["group"].nunique() < _PARTS:
        return
    copies = _accuracy_by(pages, pages["copies"].to_numpy(float))
    if copies["low"] > copies["always_the_largest"]:
        table = pd.crosstab(pages["label"], pages["copies"])
        yield Finding(
            "LW010",
            f"The number of a page's copies alone names its class on {copies['accuracy']:.0%} of {copies['n']} pages "
            f"(95 % interval {copies['low']:.0%} to {copies['high']:.0%}); the largest class has "
            f"{copies['always_the_largest']:.0%}.",
            numbers=copies | {"pages": {str(label): _plain(row) for label, row in table.iterrows()}},
        )
    fields = {}
    for name in FIELDS:
        known = pages[pages[name].notna()]
        if (
            len(known) >= _PARTS * _LEAST_OF_A_CLASS
            and known["label"].value_counts().min() >= _PARTS <= known["group"].nunique()
        ):
            fields[name] = _accuracy_by(known, _as_number(known[name]))
    tell = {name: share for name, share in fields.items() if share["low"] > share["always_the_largest"]}
    if tell:
        best = max(tell, key=lambda name: tell[name]["accuracy"])
        share = tell.pop(best)
        others = ", ".join(f"{FIELD_NAMES[name]} {other['accuracy']:.0%}" for name, other in tell.items())
        yield Finding(
            "LW011",
            f"The printed {FIELD_NAMES[best]} alone names the class on {share['accuracy']:.0%} of {share['n']} pages "
            f"(95 % interval {share['low']:.0%} to {share['high']:.0%}); the largest class has "
            f"{share['always_the_largest']:.0%}{f'. So do others: {others}' if others else ''}.",
            numbers={"fields": fields, "tell": [best, *tell]},
        )


def _accuracy_by(pages: pd.DataFrame, values: NDArray[np.float64]) -> dict[str, Any]:
    """How often a small decision tree on one value names a page's class, out of fold; groups are never split."""
    labels = pages["label"].to_numpy(str)
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=5, random_state=0)
    parts = StratifiedGroupKFold(_PARTS, shuffle=True, random_state=0)
    groups = pages["group"].to_numpy()
    answers = cross_val_predict(tree, values[:, None], labels, groups=groups, cv=parts)
    right = bootstrap_share(answers == labels, groups)
    largest = float(pd.Series(labels).value_counts(normalize=True).iloc[0])
    return {
        "accuracy": right.value,
        "low": right.low,
        "high": right.high,
        "n": len(labels),
        "always_the_largest": largest,
    }


def _as_number(values: pd.Series[Any]) -> NDArray[np.float64]:
    """A printed field as one number: ids and rates as they are, sex as two numbers, a time in days."""
    if values.name == "recorded_at":
        return np.asarray(pd.to_datetime(values).astype("int64") / 8.64e13, np.float64)
    if values.name == "sex":
        return np.asarray(values == "female", np.float64)
    return np.asarray(values.astype(float), np.float64)


# --- words --------------------------------------------------------------------------------------------------


def _groups(files: pd.DataFrame, key: str | list[str], several: str = "") -> tuple[tuple[str, ...], ...]:
    """Paths of the groups of `key` with several files, or with several different values in the column `several`."""
    groups = files.groupby(key, sort=False)
    sizes = groups[several].transform("nunique") if several else groups["path"].transform("size")
    return tuple(tuple(paths) for _, paths in files[sizes > 1].groupby(key, sort=False)["path"])


def _verb(groups: tuple[tuple[str, ...], ...], word: str, verb: str) -> str:
    """``1 page stands`` or ``3 pages stand``."""
    return (
        f"{_count(len(groups), word)} {verb}s" if len(groups) == 1 else f"{_count(len(groups), word)} {verb}"
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _listed(reasons: pd.Series[int]) -> str:
    """The commonest reasons in words."""
    parts = [f"{count} {reason.rstrip('.')}" for reason, count in reasons.head(3).items()]
    return "; ".join(parts) + (f"; and {len(reasons) - 3} more reasons" if len(reasons) > 3 else "")


def _plain(counts: pd.Series[Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in counts.items()}
