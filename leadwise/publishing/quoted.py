"""Scores in prose: each between ``<!-- score:ID -->`` and ``<!-- /score -->``, and written there by its ID."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadwise.errors import TableError, nearest
from leadwise.publishing.render import Cell, Published, figure

MARK = re.compile(r"(<!-- score:(\S+) -->)(.*?)(<!-- /score -->)", re.DOTALL)
"""A mark: its beginning, its ID, what stands in it, its end. None of it but that is seen on a page."""

_AT_A_LINE_S_BEGINNING = re.compile(r"^[ \t]*(?:[-*+>] +|\d+\. +)*<!-- score:(\S+)", re.MULTILINE)

_OF_THE_SET = {"profile": "cpu", "protocol": "grouped", "seeds": "1/2/3"}
_PAGE_MODEL = _OF_THE_SET | {"notebook": "26_image_leads12", "model": "leads12", "condition": ""}
_TAUGHT = _OF_THE_SET | {"notebook": "42_student_test", "model": "student12", "condition": "loss=consistent"}
_MOBILENET = _TAUGHT | {"model": "mobilenetv3_small", "seeds": "1", "condition": "loss=published"}

_LEAK = {"notebook": "27_image_leakage", "task": "four", "protocol": "leaky_copies", "counted": "all"}
_SLOW = _PAGE_MODEL | {"task": "four", "counted": "rate_up_to_90"}
_ABROAD = {
    "profile": "cpu",
    "task": "external",
    "model": "leads12",
    "counted": "folds_1_to_9",
    "filter": "zero_phase",
}
_HEARTS = {"profile": "cpu", "model": "hearts", "protocol": "elsewhere"}
_DEVICES = {"profile": "cpu", "notebook": "bench_any_page", "kind": "devices", "shift": ""}
_BEAT_FILE = {"notebook": "score_shipped", "beats": "annotated", "counted": "all", "average": "gross"}
_BY_PERSON = {"profile": "cpu", "task": "aami5", "protocol": "interpatient", "counted": "all"}
_RATIOS = _BY_PERSON | {"model": "ratios_alone", "counting": ""}
_WITHOUT_IT = "protocol=leaky_copy_weights"

QUOTED: Mapping[str, Cell] = {
    "page_model": Cell("accuracy", where=_PAGE_MODEL | {"task": "four"}),
    "page_model_binary": Cell("accuracy", where=_PAGE_MODEL | {"task": "binary"}),
    "page_model_minus_rate": Cell("accuracy", where=_PAGE_MODEL | {"task": "four"}, minus="rate"),
    "page_model_minus_best_baseline": Cell(
        "accuracy", where=_PAGE_MODEL | {"task": "four"}, minus="tuned_classical"
    ),
    "page_model_binary_minus_strip_features": Cell(
        "accuracy", where=_PAGE_MODEL | {"task": "binary"}, minus="strip_features"
    ),
    "slow_abnormal": Cell("recall_abnormal_heartbeat", where=_SLOW),
    "slow_abnormal_minus_best_baseline": Cell(
        "recall_abnormal_heartbeat", where=_SLOW, minus="tuned_classical"
    ),
    "abroad_minus_age": Cell("auroc", where=_ABROAD | {"question": "sure_mi"}, minus="age_alone"),
    "abroad_alone_minus_age": Cell("auroc", where=_ABROAD | {"question": "mi_alone"}, minus="age_alone"),
    "abroad_causal_minus_age": Cell(
        "auroc", where=_ABROAD | {"filter": "causal", "question": "mi"}, minus="age_alone"
    ),
    "hearts_mi_minus_age": Cell("auroc_MI", where=_HEARTS | {"filter": "zero_phase"}, minus="age_alone"),
    "hearts_mi_minus_age_causal": Cell("auroc_MI", where=_HEARTS | {"filter": "causal"}, minus="age_alone"),
    "devices_layout_right": Cell("layout_right", where=_DEVICES),
    "devices_read_right": Cell("read_right", where=_DEVICES),
    "devices_unwarned": Cell("unwarned", where=_DEVICES),
    "devices_silently_misread": Cell("silently_misread", where=_DEVICES),
    "beat_file": Cell("macro_f1", where=_BEAT_FILE),
    "beat_file_s": Cell("recall_S", where=_BEAT_FILE),
    "ratios_alone": Cell("macro_f1", where=_RATIOS),
    "ratios_alone_s": Cell("recall_S", where=_RATIOS),
    "beat_rhythm_minus_ratios": Cell(
        "macro_f1", where=_BY_PERSON | {"model": "beat_rhythm"}, minus="ratios_alone"
    ),
    "leak_of_small_cnn": Cell("accuracy", where=_LEAK | {"model": "lead_cnn"}, minus=_WITHOUT_IT),
    "page_model_of_another_training": Cell(
        "accuracy",
        where=_LEAK | {"protocol": "distinct", "model": "leads12_joined"},
        minus="protocol=grouped",
    ),
    "leak_of_page_model": Cell("accuracy", where=_LEAK | {"model": "leads12_joined"}, minus=_WITHOUT_IT),
    "taught_minus_untaught": Cell("accuracy", where=_TAUGHT, minus="loss=untaught"),
    "taught_macro_f1_minus_untaught": Cell("macro_f1", where=_TAUGHT, minus="loss=untaught"),
    "taught_log_loss_minus_untaught": Cell("log_loss", where=_TAUGHT, minus="loss=untaught"),
    "taught_log_loss_minus_teacher": Cell("log_loss", where=_TAUGHT, minus="leads12"),
    "mobilenet_taught_minus_untaught": Cell("macro_f1", where=_MOBILENET, minus="loss=untaught"),
    "mobilenet_taught_minus_teacher": Cell("macro_f1", where=_MOBILENET, minus="leads12"),
}
"""By ID: all scores that README, docs, cards, checklist and what introduces a table of RESULTS.md quote."""


def quoted(name: str) -> Cell:
    """The score of this ID, or with `Cell.minus` a difference. Raises TableError with the nearest ID for another."""
    if name not in QUOTED:
        raise TableError(f"no score is called {name!r}; {nearest(name, QUOTED)}")
    return QUOTED[name]


def with_scores(text: str, published: Published) -> str:
    """A text with what stands in each mark written anew.

    Raises TableError for an unknown ID, a row that is not there, a mark that is not closed, and one with which a line
    begins: Markdown would leave that line as it is, its links and stars too.
    """
    if begun := _AT_A_LINE_S_BEGINNING.search(text):
        raise TableError(f"a line begins with the mark of {begun[1]!r}: break the line elsewhere.")
    opened, closed = text.count("<!-- score:"), text.count("<!-- /score -->")
    if opened != closed or opened != len(MARK.findall(text)):
        raise TableError(f"{opened} scores begin and {closed} end: a mark of one is missing or misspelt.")
    return MARK.sub(lambda mark: f"{mark[1]}{figure(published, quoted(mark[2]))}{mark[4]}", text)
