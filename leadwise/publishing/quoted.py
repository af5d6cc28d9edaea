"""Scores in prose: each between ``<!-- score:ID -->`` and ``<!-- /score -->``, and written there by its ID."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadwise.errors import TableError, nearest
from leadwise.publishing.render import Cell, Published, figure

MARK = re.compile(r"(<!-- score:(\S+) -->)(.*?)(<!-- /score -->)", re.DOTALL)
"""A mark: its beginning, its ID, what stands in it, its end. None of it but that is seen on a page."""

_AT_A_LINE_S_BEGINNING = re.compile(r"^[ \t]*(?:[-*+>] +|\d+\. +)*<!-- score:(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Quoted:
    """A published score, or with `Cell.minus` a difference, as it is quoted, with its interval."""

    cell: Cell

    def text(self, published: Published) -> str:
        """It, as prose has it. Raises TableError where no published row, or several, are what it asks for."""
        return figure(published, self.cell)


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

QUOTED: Mapping[str, Quoted] = {
    "page_model": Quoted(Cell("accuracy", where=_PAGE_MODEL | {"task": "four"})),
    "page_model_binary": Quoted(Cell("accuracy", where=_PAGE_MODEL | {"task": "binary"})),
    "page_model_minus_rate": Quoted(Cell("accuracy", where=_PAGE_MODEL | {"task": "four"}, minus="rate")),
    "page_model_minus_best_baseline": Quoted(
        Cell("accuracy", where=_PAGE_MODEL | {"task": "four"}, minus="tuned_classical")
    ),
    "page_model_binary_minus_strip_features": Quoted(
        Cell("accuracy", where=_PAGE_MODEL | {"task": "binary"}, minus="strip_features")
    ),
    "slow_abnormal": Quoted(Cell("recall_abnormal_heartbeat", where=_SLOW)),
    "slow_abnormal_minus_best_baseline": Quoted(
        Cell("recall_abnormal_heartbeat", where=_SLOW, minus="tuned_classical")
    ),
    "abroad_minus_age": Quoted(Cell("auroc", where=_ABROAD | {"question": "sure_mi"}, minus="age_alone")),
    "abroad_alone_minus_age": Quoted(
        Cell("auroc", where=_ABROAD | {"question": "mi_alone"}, minus="age_alone")
    ),
    "abroad_causal_minus_age": Quoted(
        Cell("auroc", where=_ABROAD | {"filter": "causal", "question": "mi"}, minus="age_alone")
    ),
    "hearts_mi_minus_age": Quoted(
        Cell("auroc_MI", where=_HEARTS | {"filter": "zero_phase"}, minus="age_alone")
    ),
    "hearts_mi_minus_age_causal": Quoted(
        Cell("auroc_MI", where=_HEARTS | {"filter": "causal"}, minus="age_alone")
    ),
    "devices_layout_right": Quoted(Cell("layout_right", where=_DEVICES)),
    "devices_read_right": Quoted(Cell("read_right", where=_DEVICES)),
    "devices_unwarned": Quoted(Cell("unwarned", where=_DEVICES)),
    "devices_silently_misread": Quoted(Cell("silently_misread", where=_DEVICES)),
    "beat_file": Quoted(Cell("macro_f1", where=_BEAT_FILE)),
    "beat_file_s": Quoted(Cell("recall_S", where=_BEAT_FILE)),
    "ratios_alone": Quoted(Cell("macro_f1", where=_RATIOS)),
    "ratios_alone_s": Quoted(Cell("recall_S", where=_RATIOS)),
    "beat_rhythm_minus_ratios": Quoted(
        Cell("macro_f1", where=_BY_PERSON | {"model": "beat_rhythm"}, minus="ratios_alone")
    ),
    "leak_of_small_cnn": Quoted(Cell("accuracy", where=_LEAK | {"model": "lead_cnn"}, minus=_WITHOUT_IT)),
    "page_model_of_another_training": Quoted(
        Cell(
            "accuracy",
            where=_LEAK | {"protocol": "distinct", "model": "leads12_joined"},
            minus="protocol=grouped",
        )
    ),
    "leak_of_page_model": Quoted(
        Cell("accuracy", where=_LEAK | {"model": "leads12_joined"}, minus=_WITHOUT_IT)
    ),
    "taught_minus_untaught": Quoted(Cell("accuracy", where=_TAUGHT, minus="loss=untaught")),
    "taught_macro_f1_minus_untaught": Quoted(Cell("macro_f1", where=_TAUGHT, minus="loss=untaught")),
    "taught_log_loss_minus_untaught": Quoted(Cell("log_loss", where=_TAUGHT, minus="loss=untaught")),
    "taught_log_loss_minus_teacher": Quoted(Cell("log_loss", where=_TAUGHT, minus="leads12")),
    "mobilenet_taught_minus_untaught": Quoted(Cell("macro_f1", where=_MOBILENET, minus="loss=untaught")),
    "mobilenet_taught_minus_teacher": Quoted(Cell("macro_f1", where=_MOBILENET, minus="leads12")),
}
"""By ID: all scores that README, docs, cards, checklist and what introduces a table of RESULTS.md quote."""


def quoted(name: str) -> Quoted:
    """The score of this ID. Raises TableError with the nearest ID where there is none."""
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
    return MARK.sub(lambda mark: f"{mark[1]}{quoted(mark[2]).text(published)}{mark[4]}", text)
