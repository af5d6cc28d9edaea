"""The published tables: one list, over ``analysis/results``. README, RESULTS.md, cards and report show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from leadwise.project import profiles
from leadwise.project.notebooks import lead_networks
from leadwise.project.render import (
    Cell,
    Constant,
    Listed,
    Listing,
    Paired,
    Printed,
    Published,
    Spanned,
    Table,
)
from leadwise.scores.benefit import SHOWN

_PAGES = {
    "task": ("four", "binary"),
    "protocol": "grouped",
    "unit": "page",
    "condition": ("", "ensemble=seeds"),
}
_PAGE_LINES = ("model", "ensemble", "task", "protocol", "n", "seeds")
_PAGE_CELLS = (Cell("accuracy"), Cell("macro_f1"), Cell("macro_auroc"))
_FLOORS = ("strip_features", "rate", "random_encoder", "base_rates")
_BY_GROUPS = "Pooled test answers; intervals by bootstrap over groups."
_BY_PEOPLE = "Intervals by bootstrap over people, since beats and windows of one heart are alike."
_BEAT_CELLS = (
    Cell("macro_f1", "macro-F1 (N, S, V)"),
    Cell("accuracy"),
    Cell("recall_S", "S found"),
    Cell("ppv_S", "PPV of S"),
    Cell("recall_V", "V found"),
    Cell("ppv_V", "PPV of V"),
)
_ANY = re.compile(".+")
_SPLIT, _BY_PERSON = {"protocol": "leaky_beats"}, {"protocol": "interpatient"}


@dataclass(frozen=True)
class NotYetRun:
    """A sentence on the networks that profiles ask for and that have no score, so that a gap is seen as one."""

    notebooks: tuple[str, ...]
    profiles: tuple[str, ...] = ("cpu", "paper")

    def rows(self, published: Published) -> pd.DataFrame:  # noqa: ARG002
        """None: it is about what was not published."""
        return pd.DataFrame()

    def text(self, published: Published) -> str:
        """The sentence; nothing where there is no gap."""
        there = set(
            published.scores[["notebook", "model", "task", "profile"]].itertuples(index=False, name=None)
        )
        lacking = []
        for profile in self.profiles:
            told = profiles.load_profile(profile)
            for notebook in self.notebooks:
                own: Any = told[notebook]
                lacking += [
                    f"`{own.MODEL}` ({task}, `{profile}`)"
                    for task in own.TASKS
                    if (notebook, own.MODEL, task, profile) not in there
                ]
        return f"Not yet run: {', '.join(lacking)}." if lacking else ""


TABLES: Mapping[str, Table | Listing] = {
    "image_leakage": Table(
        "What a leak is worth",
        ({"notebook": "27_image_leakage"},),
        ("task", "protocol", "unit", "n"),
        (
            Cell("accuracy", "`lead_cnn`", {"model": "lead_cnn"}),
            Cell("accuracy", "`leads12_signals`", {"model": "leads12_signals"}),
        ),
        (Listed({"notebook": "27_image_leakage"}, "accuracy", ("model", "protocol")),),
        "Accuracy. All epochs of the recipe, nothing chosen; intervals by bootstrap over printed ids. Counted by file "
        "(or lead): as published, repeats and all; by page: each page once, by the mean over its files.",
    ),
    "image_leads12": Table(
        "One model for the whole page",
        (_PAGES | {"model": "leads12", "notebook": "26_image_leads12"},),
        _PAGE_LINES,
        _PAGE_CELLS,
        (Paired({"model": "leads12", "protocol": "grouped", "minus": _FLOORS}, "accuracy"),),
        f"{_BY_GROUPS} The mean over the seeds; `seeds`: their mean answer to a page, an ensemble. From random weights, "
        "without pre-training.",
    ),
    "image_floors": Table(
        "What can be had without a network",
        (_PAGES | {"model": _FLOORS, "notebook": "26_image_leads12"},),
        _PAGE_LINES[:1] + _PAGE_LINES[2:],
        _PAGE_CELLS,
        caption="Fitted on the page model's training pages, asked about its test pages; nothing is chosen.",
    ),
    "student_test": Table(
        "A student and its teacher",
        (
            {"notebook": "42_student_test"},
            {
                "notebook": "26_image_leads12",
                "model": "leads12",
                "task": "four",
                "seeds": "1/2/3",
                "condition": "",
            },
        ),
        ("model", "loss", "calibrated", "n", "seeds"),
        (
            Cell("accuracy"),
            Cell("macro_f1"),
            Cell("log_loss"),
            Cell("accuracy", "accuracy minus untaught", minus="loss=untaught"),
            Cell("accuracy", "minus the teacher's", minus="leads12"),
            Cell("agreement"),
        ),
        caption=f"{_BY_GROUPS} `leads12` is the teacher. Every loss trains all epochs of one recipe on the same folds "
        "from the same first weights, and nothing is chosen.",
    ),
    "student_export": Listing(
        "The student as one file",
        {"notebook": "43_student_export"},
        "`student12`",
        (
            Cell("parameters"),
            Cell("size_mb"),
            Cell("ms_per_page"),
            Cell("ms_network", "of which the network in ONNX, ms", {"runtime": "onnx", "model": "student12"}),
            Cell("ms_network", "the same network in torch, ms", {"runtime": "torch", "model": "student12"}),
            Cell("cold_start_s"),
            Cell("peak_memory_mb"),
            Cell("times_as_fast", "times as fast as `vit_base` on twelve leads, both in ONNX"),
            Cell("parity_largest_difference"),
            Cell("parity_same_decision"),
            Cell("decisions_changed"),
            Cell("ms_network", "the network in int8, ms", {"runtime": "onnx_int8"}),
            Cell("refused", "made pictures that are refused", {"page": "made"}),
            Cell("refused", "real pages that are refused, out of fold", {"page": "real"}),
            Cell("warned", "real pages called unlike the training pages, out of fold", {"page": "real"}),
        ),
        "Times of one core, the fastest. `vit_base` has random weights here. Decisions: those of fold students, on pages "
        "that they never saw.",
    ),
    "image_transformers": Table(
        "The transformers, lead by lead",
        (
            {
                "notebook": lead_networks(),
                "protocol": "grouped",
            },
        ),
        ("model", "weights", "task", "protocol", "n", "seeds"),
        _PAGE_CELLS,
        (NotYetRun(lead_networks()),),
        f"{_BY_GROUPS} Leads one by one, a page by their mean.",
    ),
    "signal_beats": Table(
        "Recordings, beat by beat",
        (
            {"task": "aami5", "protocol": "interpatient", "condition": ""},
            {"model": "beat_rhythm", "protocol": "interpatient_strict", "condition": ""},
            {"model": "beat_rhythm", "protocol": "interpatient", "condition": "counting=ec57"},
        ),
        ("model", "protocol", "counting", "counted", "n", "seeds"),
        _BEAT_CELLS,
        caption=f"Test answers. {_BY_PEOPLE} The number of epochs is chosen inside DS1 (fixed where the name begins with "
        "heartbeat). `beat_rhythm_plain` was tested on DS2 before `beat_rhythm` was made, which was chosen inside DS1 "
        "again. `always_normal` and `ratios_alone` are floors.",
    ),
    "signal_networks": Table(
        "Every network of a coursework",
        (
            {"task": "aami5", "protocol": ("interpatient", "leaky_beats"), "condition": "", "counted": "all"},
            {
                "task": "aami5",
                "protocol": "",
                "metric": ("parameters", "epochs", "s_per_epoch", "ms_per_beat"),
            },
        ),
        ("model",),
        (
            Cell("accuracy", "accuracy, split at random", _SPLIT),
            Printed("accuracy", "as its authors print it", "beats", "leaky_beats"),
            Cell("accuracy", "accuracy, by person", _BY_PERSON),
            Cell("macro_f1", "macro-F1, split at random", _SPLIT),
            Cell("macro_f1", "macro-F1, by person", _BY_PERSON),
            *(
                Cell(metric, where={"protocol": ""})
                for metric in ("parameters", "epochs", "s_per_epoch", "ms_per_beat")
            ),
        ),
        (
            Paired(
                {"task": "aami5", "minus": ("ratios_alone", "beat_rhythm"), "protocol": "interpatient"},
                "macro_f1",
                by="minus",
                numbers=False,
            ),
        ),
        "Epochs are fixed for the networks of the coursework, and fewer than theirs, which stop when nothing improves. "
        "Seconds an epoch of DS1, the median, with another training beside it; milliseconds for one beat alone. "
        f"{_BY_PEOPLE} `heartbeat_resnet38` stands in for a published one of 398 layers.",
    ),
    "signal_ensemble": Table(
        "Several networks as one",
        ({"notebook": "33_signal_ensemble", "k": _ANY, "ranked_on": ""},),
        ("protocol", "n", "k"),
        (
            *(Cell("macro_f1", f"{how}, macro-F1", {"model": how}) for how in ("mean", "vote", "logistic")),
            Cell("macro_f1", "logistic minus the best single network", {"model": "logistic"}, minus="*"),
        ),
        (
            Spanned(
                {"notebook": "33_signal_ensemble", "minus": "ranked_on=val"},
                "macro_f1",
                "Ranking on the test set would have gained",
                ", which is no result.",
            ),
        ),
        "Of the k best networks joined, ranked by macro-F1 and fitted on beats that none of them was trained on; no "
        "network is trained again; k is not chosen. The best single network is the one that is best there. "
        f"{_BY_PEOPLE}",
    ),
    "signal_transfer": Table(
        "From one hospital's beats to another's",
        ({"notebook": "34_signal_transfer", "protocol": ("patient_folds", "leaky_beats")},),
        ("task", "model", "way", "protocol", "unit", "n"),
        (
            Cell("accuracy"),
            Cell("auroc"),
            Cell("auprc"),
            Cell("auroc", "AUROC minus scratch's", minus="way=scratch"),
            Cell("accuracy", "accuracy: what the leak adds", minus="protocol=patient_folds"),
        ),
        (Constant({"notebook": "34_signal_transfer", "unit": "beat"}),),
        "A beat has its recording's label; intervals by bootstrap over patients. Differences are paired. Nothing is "
        "chosen. `frequent_class` and `rate_alone` are floors.",
    ),
    "signal_windows": Table(
        "Windows of ten seconds",
        ({"task": "window"},),
        ("model", "protocol", "n", "seeds"),
        (
            Cell("accuracy"),
            Cell("balanced_accuracy"),
            Cell("recall_abnormal", "abnormal found"),
            Cell("ppv_abnormal", "PPV of abnormal"),
        ),
        caption=f"Test answers. {_BY_PEOPLE} Nothing is chosen. `always_normal` and `record_alone` are floors.",
    ),
    "signal_detection": Table(
        "Which beats are found",
        ({"notebook": "bench_qrs"},),
        ("model",),
        (
            Cell("sensitivity", where={"task": "detection"}),
            Cell("positive_predictivity", where={"task": "detection"}),
            Cell("slowest_record_s"),
        ),
        caption="`all_leads` and `one_lead` are ours; `xqrs` and `gqrs` those of wfdb. The slowest record: half an hour "
        "of signal, seconds of one core.",
    ),
    "image_external": Listing(
        "In another country",
        {"task": "external"},
        "recordings of PTB-XL, drawn; `leads12`",
        (
            Cell("auroc_mi", "AUROC, normal against infarction"),
            Cell("auroc_rhythm", "AUROC, normal against another rhythm than sinus"),
            Cell("recall_normal", "normal ones called normal"),
            Cell("recall_mi", "infarctions called MI or history of MI"),
            Cell("recall_rhythm", "other rhythms called abnormal heartbeat", {"of": "median_network"}),
            Cell("ece", "calibration error"),
            Cell("ece_floor", "the same of a perfect model with these confidences"),
            *(
                Cell(f"units_{label}", f"recordings {words}")
                for label, words in (
                    ("normal", "that are normal"),
                    ("mi", "of infarction"),
                    ("rhythm", "of another rhythm"),
                )
            ),
        ),
        "Recordings of PTB-XL drawn, not scanned, as pages of this template; the five fold networks of seed one, "
        "calibrated on their inner folds, never trained or pre-trained on PTB-XL; means over the five, intervals by "
        "bootstrap over patients, of other rhythms by Wilson for the median network.",
    ),
    "image_leads": Listing(
        "From a page to millivolts",
        {"notebook": "12_image_leads"},
        "pages of the Mendeley set",
        (
            Cell("pages_found"),
            Cell("header_read"),
            Cell("header_right"),
            Cell("heart_rate_right"),
            Cell("einthoven_corr_median"),
            Cell("einthoven_corr_p05", "the same, 5th percentile"),
            Cell("einthoven_rms_mv_median"),
            Cell("einthoven_within_one_pixel"),
            Cell("roundtrip_snr_db_median"),
            *(
                Cell("leads_found", f"leads still found: {words}", {"page": way})
                for way, words in (
                    ("rotated", "turned by 3 degrees"),
                    ("scaled", "half the size"),
                    ("jpeg30", "JPEG of quality 30"),
                    ("border", "a border of 100 px"),
                    ("noise", "grey, with noise"),
                )
            ),
            Cell("refused", "pages of other layouts that were refused", {"page": "foreign"}, shown=".0%"),
            Cell("pages_per_s"),
        ),
        "Intervals: Wilson for shares, bootstrap over printed ids for medians and percentiles. Einthoven's residual is "
        "taken about its mean on each page. Foreign pages are drawn. The way there and back: recordings of PTB-XL "
        "printed on the template and read again, a best case without a scanner, neither gain nor time fitted. Pages a "
        "second: layout, crops and millivolts, time of one core, without decoding. Headers: pages drawn at random.",
    ),
    "image_benefit": Table(
        "Is it worth acting on?",
        ({"metric": "net_benefit"},),
        ("prevalence", "model", "n", "seeds"),
        tuple(Cell("net_benefit", f"from {limit:.0%} on", {"threshold": f"{limit:.2f}"}) for limit in SHOWN),
        caption="Pages rightly acted on, after every needless action has been paid for by threshold / (1 - threshold), "
        "as a share of all (Vickers and Elkin 2006); where the prevalence is not that of the set, it is assumed, and "
        "the probabilities are moved to it. Calibrated on inner folds; intervals by bootstrap over groups.",
        may_lack=True,
    ),
    "serve": Listing(
        "How many pages a server answers",
        {"notebook": ("bench_serve_load", "bench_hostile", "bench_slow_clients")},
        "`leadwise serve`",
        (
            Cell("pages_a_second"),
            Cell("failed", where={"clients": "16"}),
            Cell("p95_ms", "a page, one client, 95th percentile, ms", {"clients": "1"}),
            Cell("refused_by_4xx"),
            Cell("not_refused"),
            Cell("slowest_s", "the slowest of them, s", {"upload": "hostile"}),
            Cell("slowest_processor_s", where={"upload": "hostile"}),
            Cell(
                "slowest_s",
                "the slowest of files made to cost much, at the command line, s",
                {"upload": "costly"},
            ),
            Cell(
                "memory_mb", "the most memory that one of them took, MB", {"upload": "costly", "when": "most"}
            ),
            Cell("first_reply_s"),
            Cell("answered_s"),
            Cell("bytes_left"),
            Cell(
                "slowest_s",
                "a page beside hundreds of silent clients, 256 files to open, the slowest, s",
                {"beside": "half_lines+idle+half_uploads+claims", "files": "256"},
            ),
        ),
    ),
}
"""By the name that stands between a file's marks, in the order of RESULTS.md."""
