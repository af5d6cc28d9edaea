"""What a card says of itself to programs: the YAML above it, in the form of Hugging Face's hub.

Licence, tags, data sets and metrics are facts of a card and stand here; scores are those of ``analysis/results``, so
``leadwise tables`` writes all of it. What a score is of, its interval and its n stand in its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import yaml

from leadwise.errors import TableError
from leadwise.files import RESOURCES, sha256, without_front_matter
from leadwise.names import metric_of, metric_words
from leadwise.publishing.ink_card import share_of_names
from leadwise.publishing.render import Published
from leadwise.publishing.shipped_files import FOLD_STUDENTS, called
from leadwise.scores.table import selected

Facts = dict[str, Any]

_TAGS = ["ecg", "electrocardiogram", "onnx", "research-use-only", "not-a-medical-device"]
_PAGES = {"type": "gwbz3fsgp8", "name": "ECG Images dataset of Cardiac Patients (Khan and Hussain 2021)"}
_BEATS = {"type": "mitdb", "name": "MIT-BIH Arrhythmia Database, DS2 (Moody and Mark 2001)"}
_RHYTHM = {"type": "cinc2017", "name": "PhysioNet/CinC Challenge 2017, a third of a part of it, held out"}
_DRAWN = {"type": "ptb-xl", "name": "pages drawn of PTB-XL (Wagner et al. 2022), held out"}

_OTHER_FOLDS = {"type": "ptb-xl", "name": "PTB-XL, recordings of folds 1 to 9 (Wagner et al. 2022)"}

_TWINS = {
    "notebook": "42_student_test", "profile": "cpu", "task": "four", "protocol": "grouped", "model": "student12",
    "condition": FOLD_STUDENTS, "seeds": "1/2/3", "counted": "all",
}  # fmt: skip
_FOUND = {
    "notebook": "score_shipped", "profile": "cpu", "model": "beat_rhythm", "counted": "all", "average": "gross",
    "beats": "found", "counting": "",
}  # fmt: skip


def _of_pages(published: Published) -> Facts:
    of_twins = "its twins of each fold, on pages that they never saw; itself it has no score"
    metrics = _metrics(published, _TWINS, {"accuracy": "accuracy", "macro_f1": "f1"}, of_twins)
    task = {"type": "image-classification", "name": "four classes of printed ECGs"}
    return {
        "license": "mit",
        "tags": [*_TAGS, "12-lead", "knowledge-distillation"],
        "datasets": [_PAGES["type"]],
        "metrics": ["accuracy", "f1"],
        "pipeline_tag": "image-classification",
        "model-index": _index("student12", task, _PAGES, metrics),
    }


def _of_beats(published: Published) -> Facts:
    where = _FOUND | {"file": called(sha256(RESOURCES / "beat_rhythm.onnx"))}
    metrics = _metrics(
        published, where, {"macro_f1": "f1", "accuracy": "accuracy"}, "of N, S and V, beats as it finds them"
    )
    task = {"type": "other", "name": "beats of recordings by ANSI/AAMI EC57"}
    return {
        "license": "mit",
        "tags": [*_TAGS, "arrhythmia", "heartbeat-classification"],
        "datasets": [_BEATS["type"]],
        "metrics": ["f1", "accuracy"],
        "model-index": _index("beat_rhythm", task, _BEATS, metrics),
    }


def _of_rhythm(published: Published) -> Facts:
    where = {
        "notebook": "35_signal_rhythm", "profile": "cpu", "model": "af_stretch", "test_set": "cinc2017",
        "file": called(sha256(RESOURCES / "af_stretch.onnx")),
    }  # fmt: skip
    types = {"f1_af": "f1", "recall_af": "recall", "ppv_af": "precision"}
    metrics = _metrics(published, where, types, "of recordings, weighed to the published counts")
    task = {"type": "other", "name": "atrial fibrillation or flutter in recordings"}
    return {
        "license": "mit",
        "tags": [*_TAGS, "arrhythmia", "atrial-fibrillation"],
        "datasets": [_RHYTHM["type"], "mitdb"],
        "metrics": [*types.values()],
        "model-index": _index("af_stretch", task, _RHYTHM, metrics),
    }


def _of_hearts(published: Published) -> Facts:
    where = {"notebook": "30_image_hearts", "profile": "cpu", "protocol": "elsewhere", "filter": "zero_phase"}
    where |= {"file": called(sha256(RESOURCES / "hearts.onnx"))}
    metrics = _metrics(
        published,
        where,
        {"macro_auroc": "roc_auc"},
        "of five superclasses, recordings of other folds, as printed",
    )
    task = {"type": "other", "name": "PTB-XL's superclasses from printed ECGs of any form"}
    return {
        "license": "mit",
        "tags": [*_TAGS, "12-lead", "multi-label-classification"],
        "datasets": ["ptb-xl", _PAGES["type"]],
        "metrics": ["roc_auc"],
        "model-index": _index("hearts", task, _OTHER_FOLDS, metrics),
    }


def _of_ink(_: Published) -> Facts:
    told = pd.read_csv(RESOURCES / "ink.csv")
    metrics = [
        {
            "type": "dice",
            "value": float(row["trace"]),
            "name": f"Dice of the trace, {'photographs' if row['photo'] else 'flat pages'}, {row['grid']} grid "
            f"(n {row['n']} pieces)",
        }
        for row in told.to_dict("records")
    ]
    task = {"type": "image-segmentation", "name": "inks of a printed ECG"}
    return {
        "license": "mit",
        "tags": [*_TAGS, "segmentation", "digitization"],
        "datasets": [_DRAWN["type"], "mitdb", _PAGES["type"]],
        "metrics": ["dice"],
        "pipeline_tag": "image-segmentation",
        "model-index": _index("ink", task, _DRAWN, metrics),
    }


def _of_names(_: Published) -> Facts:
    told = pd.read_csv(RESOURCES / "names.csv")
    metrics = [
        {
            "type": "recall",
            "value": float(row["read"]),
            "name": f"{row['name']} (n {row['n']} printed names, 95 % interval {share.low:.2f} to {share.high:.2f})",
        }
        for row in told.to_dict("records")
        for share in [share_of_names(row, "read")]
    ]
    task = {"type": "object-detection", "name": "names of leads on a printed ECG"}
    return {
        "license": "mit",
        "tags": [*_TAGS, "12-lead", "digitization"],
        "datasets": [_DRAWN["type"]],
        "metrics": ["recall"],
        "pipeline_tag": "object-detection",
        "model-index": _index("names", task, _DRAWN, metrics),
    }


def _of_data(_: Published) -> Facts:
    return {
        "license": "cc-by-4.0",
        "pretty_name": _PAGES["name"],
        "tags": ["ecg", "electrocardiogram", "12-lead", "croissant", "research-use-only"],
        "task_categories": ["image-classification"],
        "size_categories": ["n<1K"],
        "source_datasets": ["extended"],
    }


FRONT_MATTER: Mapping[str, Callable[[Published], Facts]] = {
    "MODEL_CARD.md": _of_pages,
    "BEAT_CARD.md": _of_beats,
    "HEARTS_CARD.md": _of_hearts,
    "INK_CARD.md": _of_ink,
    "NAMES_CARD.md": _of_names,
    "RHYTHM_CARD.md": _of_rhythm,
    "DATASET_CARD.md": _of_data,
}
"""By the name of a card."""


def with_front_matter(text: str, card: str, published: Published) -> str:
    """A card's text beneath its front matter, which is written anew; any other text as it is.

    Raises `TableError` where a score that it asks for is not published.
    """
    if card not in FRONT_MATTER:
        return text
    facts = yaml.safe_dump(FRONT_MATTER[card](published), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{facts}---\n\n{without_front_matter(text)}"


def _metrics(
    published: Published, where: Mapping[str, str], types: Mapping[str, str], what: str
) -> list[Facts]:
    """Published scores of one place by metric, each called as the hub calls it, with its interval and n.

    Raises `TableError` where a place has none, or several.
    """
    rows = []
    for metric, called_there in types.items():
        found = selected(published.scores, metric=metric, **where)
        if len(found) != 1:
            raise TableError(f"{len(found)} published rows of {metric!r} have {dict(where)}; it must be one.")
        row, shown = found.iloc[0], metric_of(metric)[0].shown
        value, low, high = (format(row[end], shown) for end in ("value", "low", "high"))
        name = f"{metric_words(metric)} ({what}; 95 % interval {low} to {high}, n {row['n']:,})"
        rows.append({"type": called_there, "value": float(value), "name": name})
    return rows


def _index(model: str, task: Facts, data: Facts, metrics: list[Facts]) -> list[Facts]:
    return [{"name": model, "results": [{"task": task, "dataset": data, "metrics": metrics}]}]
