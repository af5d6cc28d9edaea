"""The tables of README files and cards, written from ``analysis/results`` and the tables of the audited set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leadwise.errors import MissingInput
from leadwise.files import write_json, written_whole
from leadwise.project import paths
from leadwise.project.published_rows import BENEFIT_AT, read_rows
from leadwise.project.published_set import SET_WRITERS
from leadwise.sets.croissant import metadata

_TABLE = re.compile(r"(<!-- leadwise tables: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def with_tables(text: str, results: Path) -> str:
    """A text with every table between its two marks written anew from the files in `results`."""

    def table(found: re.Match[str]) -> str:
        name = found[2]
        if name in SET_WRITERS:
            return f"{found[1]}{SET_WRITERS[name](results)}\n{found[3]}"
        path = results / f"{name}.json"
        if name not in _WRITERS or not path.is_file():
            raise MissingInput(f"{path}: no such results, or no table is made of them.")
        return f"{found[1]}{results_table(path)}\n{found[3]}"

    return _TABLE.sub(table, text)


def results_table(path: Path) -> str:
    """The table of one file of ``analysis/results``, in Markdown."""
    return _WRITERS[path.stem](read_rows(path))


def write_tables() -> list[Path]:
    """Write the tables of README files and cards, and the set's Croissant metadata; return the files that changed."""
    repository = paths.repository()
    changed = []
    resources = repository / "leadwise" / "resources"
    for path in [
        repository / "README.md",
        *sorted(repository.glob("*/README.md")),
        *sorted(resources.glob("*_CARD.md")),
        *filter(Path.is_file, [repository / "analysis" / "REPORTING.md"]),
    ]:
        before = path.read_text(encoding="utf-8")
        after = with_tables(before, repository / "analysis" / "results")
        if after != before:
            with written_whole(path) as aside:
                aside.write_text(after, encoding="utf-8")
            changed.append(path)
    described = resources / "croissant.json"
    if (resources / "DATASET_CARD.md").is_file() and (
        not described.is_file() or json.loads(described.read_text(encoding="utf-8")) != metadata()
    ):
        write_json(metadata(), described)
        changed.append(described)
    return changed


Measured = tuple[tuple[str, str, Callable[[float], str]], ...]
"""A metric's name, what it is in words, and how its value is written."""

_IMAGE_LEADS: Measured = (
    ("pages_found", "pages whose twelve leads were found", "{:.0f}".format),
    ("header_read_rate", "pages whose id, time and heart rate were read", "{:.1%}".format),
    ("headers_right_by_eye", "headers compared by eye that were read right", "{:.1%}".format),
    ("heart_rate_within_3bpm", "measured heart rate within 3 bpm or 4 % of the printed one", "{:.1%}".format),
    ("einthoven_corr_median", "correlation of I + III with II, median", "{:.4f}".format),
    ("einthoven_corr_p05", "the same, 5th percentile", "{:.4f}".format),
    ("einthoven_rms_mv_median", "I + III against II, root mean square, median, mV", "{:.4f}".format),
    ("einthoven_within_one_pixel", "pages on which that is within one pixel, 0.0127 mV", "{:.1%}".format),
    ("roundtrip_snr_db_median", "printed and read again, signal to noise, median, dB", "{:.1f}".format),
    ("found_rotated", "leads still found: turned by 3 degrees", "{:.0%}".format),
    ("found_scaled", "leads still found: half the size", "{:.0%}".format),
    ("found_jpeg30", "leads still found: JPEG of quality 30", "{:.0%}".format),
    ("found_border", "leads still found: a border of 100 px", "{:.0%}".format),
    ("found_noise", "leads still found: grey, with noise", "{:.0%}".format),
    ("foreign_refused", "pages of other layouts that were refused", "{:.0%}".format),
    ("pages_per_s", "pages a second a core, from picture to millivolts", "{:.0f}".format),
)


def _image_leads(rows: list[dict[str, Any]]) -> str:
    return _list(rows[-1], f"{rows[-1]['n']} pages", _IMAGE_LEADS)


def _page_models(rows: list[dict[str, Any]]) -> str:
    """A row a model: accuracy, macro-F1 and macro AUROC with their intervals."""
    names = ("accuracy", "macro_f1", "macro_auroc")
    lines = [
        "| model | task | protocol | pages | seeds | accuracy | macro-F1 | macro AUROC |",
        "|---" * 8 + "|",
    ]
    for row in rows:
        cells = [_with_interval(row["metrics"][name]) if name in row["metrics"] else "" for name in names]
        seeds = len(row["seeds"])
        told = (f"`{row['model']}`", row["task"], f"`{row['protocol']}`", str(row["n"]), str(seeds), *cells)
        lines.append(f"| {' | '.join(told)} |")
    row = rows[-1]
    command = _command(row)
    lines += ["", "\n\n".join([*filter(None, map(_above_the_floors, rows)), command])]
    return "\n".join(lines)


def _transformers(rows: list[dict[str, Any]]) -> str:
    """The same for those that have been run, and which have not."""
    gaps = [f"`{row['model']}` ({row['task']}, `{row['profile']}`)" for row in rows if not row["metrics"]]
    measured = [row for row in rows if row["metrics"]]
    told = _page_models(measured) if measured else "None of them has been run."
    return f"{told}\n\nNot yet run: {', '.join(gaps)}." if gaps else told


def _above_the_floors(row: dict[str, Any]) -> str:
    """A sentence on which floors a model is, or is not, shown to be above, paired by accuracy."""
    over = {
        name.removeprefix("accuracy_over_"): one for name, one in row["metrics"].items() if "_over_" in name
    }
    told = {name: f"`{name}` ({_signed(one)})" for name, one in over.items()}
    above = ", ".join(told[name] for name, one in over.items() if one["low"] > 0)
    others = ", ".join(told[name] for name, one in over.items() if one["low"] <= 0)
    parts = [
        f"more accurate than {above}" if above else "",
        f"**not shown to be above** {others}" if others else "",
    ]
    said = "; ".join(filter(None, parts))
    return f"Task {row['task']}, paired: `{row['model']}` is {said}." if said else ""


_OURS = "beat_rhythm"
_BEATS = ("macro_f1", "accuracy", "recall_S", "ppv_S", "recall_V", "ppv_V")
_BEATS_WORDS = ("macro-F1 (N, S, V)", "accuracy", "S found", "PPV of S", "V found", "PPV of V")
_WINDOWS = ("accuracy", "balanced_accuracy", "recall_abnormal", "ppv_abnormal")
_WINDOWS_WORDS = ("accuracy", "balanced accuracy", "abnormal found", "PPV of abnormal")


def _windows(rows: list[dict[str, Any]]) -> str:
    """A row a protocol and model, with intervals."""
    lines = [
        f"| model | protocol | n | seeds | {' | '.join(_WINDOWS_WORDS)} |",
        "|---" * (4 + len(_WINDOWS)) + "|",
    ]
    for row in rows:
        cells = [_known(row["metrics"], name) for name in _WINDOWS]
        told = (f"`{row['model']}`", f"`{row['protocol']}`", f"{row['n']:,}", str(len(row["seeds"])), *cells)
        lines.append(f"| {' | '.join(told)} |")
    row = rows[0]
    lines += ["", _command(row)]
    return "\n".join(lines)


def _beats(rows: list[dict[str, Any]]) -> str:
    """A row a network by person; ours counted in other ways beneath."""
    by_place: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        counted = "EC57" if "EC57" in row["note"] else "all"
        by_place.setdefault((row["protocol"], counted), []).append(row)
    lines = [
        f"| model | counted | n | seeds | {' | '.join(_BEATS_WORDS)} |",
        "|---" * (4 + len(_BEATS_WORDS)) + "|",
    ]
    for (protocol, counted), own in by_place.items():
        if protocol == "leaky_beats":
            continue
        by_person = (protocol, counted) == ("interpatient", "all")
        for row in own if by_person else [one for one in own if one["model"] == _OURS]:
            cells = [_known(row["metrics"], name) for name in _BEATS]
            how = "all beats" if by_person else f"`{protocol}`, {counted}"
            told = (f"`{row['model']}`", how, f"{row['n']:,}", str(len(row["seeds"])), *cells)
            lines.append(f"| {' | '.join(told)} |")
    row = rows[0]
    lines += ["", _command(row)]
    return "\n".join(lines)


_NETWORKS: Measured = (
    ("leaky_accuracy", "accuracy, split at random", "{:.3f}".format),
    ("printed_accuracy", "as its authors print it", "{:.3f}".format),
    ("accuracy", "by person", "{:.3f}".format),
    ("leaky_macro_f1", "macro-F1, split at random", "{:.3f}".format),
    ("macro_f1", "by person", "{:.3f}".format),
    ("parameters", "parameters", "{:,.0f}".format),
    ("epochs", "epochs", "{:.3g}".format),
    ("s_per_epoch", "seconds an epoch", "{:.0f}".format),
    ("ms_per_beat", "ms a beat", "{:.2f}".format),
)


def _networks(rows: list[dict[str, Any]]) -> str:
    """A row a network: what it scores at random, printed and by person, and what it costs."""
    lines = [
        f"| network | {' | '.join(words for _, words, _ in _NETWORKS)} |",
        "|---" * (1 + len(_NETWORKS)) + "|",
    ]
    for row in rows:
        cells = [_known(row["metrics"], name, shown) for name, _, shown in _NETWORKS]
        lines.append(f"| `{row['model']}` | {' | '.join(cells)} |")
    said = []
    for other in ("ratios_alone", "beat_rhythm"):
        told: dict[str, list[str]] = {}
        for row in rows:
            if over := row["metrics"].get(f"macro_f1_over_{other}"):
                place = "above" if over["low"] > 0 else "below" if over["high"] < 0 else "neither"
                told.setdefault(place, []).append(f"`{row['model']}`")
        if told:
            places = (
                f"{place} {', '.join(told.get(place, ['none']))}" for place in ("above", "below", "neither")
            )
            said.append(f"Macro-F1 by person, paired, against `{other}`: {'; '.join(places)}.")
    row = rows[0]
    return "\n".join([*lines, "", "\n\n".join([*said, _command(row)])])


def _known(metrics: dict[str, Any], name: str, shown: Callable[[float], str] = "{:.3f}".format) -> str:
    """A metric with its interval; nothing where it is not there."""
    return _with_interval(metrics[name], shown) if name in metrics else ""


def _detection(rows: list[dict[str, Any]]) -> str:
    """A row a detector: how many beats it finds, how many of its own are none, and how long it takes."""
    lines = ["| detector | sensitivity | PPV | slowest record, s |", "|---" * 4 + "|"]
    for row in rows:
        found = row["metrics"]
        shares = (_with_interval(found[name], "{:.4f}".format) for name in ("sensitivity", "ppv"))
        lines.append(f"| {row['model']} | {' | '.join(shares)} | {found['slowest_record_s']['value']:.1f} |")
    row = rows[0]
    command = f"`{row['command']}`: {row['minutes']:g} minutes on {row['hardware']}."
    return "\n".join([*lines, "", f"{row['n']:,} beats of {row['note']} {command}"])


def _ensembles(rows: list[dict[str, Any]]) -> str:
    """A row a protocol and number of networks joined, a column a way of joining; the best single one beneath."""
    ways = list(dict.fromkeys(row["model"].rpartition("_")[0] for row in rows if not _single(row)))
    lines = [
        f"| protocol | n | joined | {' | '.join(f'{way}, macro-F1' for way in ways)} |",
        "|---" * (3 + len(ways)) + "|",
    ]
    said = []
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        own = {row["model"]: row for row in rows if row["protocol"] == protocol}
        numbers = sorted({int(row["model"].rpartition("_")[2]) for row in own.values() if not _single(row)})
        for k in numbers:
            cells = [_with_interval(own[f"{way}_{k}"]["metrics"]["macro_f1"]) for way in ways]
            n = own[f"{ways[0]}_{k}"]["n"]
            lines.append(f"| `{protocol}` | {n:,} | {k} | {' | '.join(cells)} |")
        best = next(row for row in own.values() if _single(row))
        name = best["model"].removeprefix("best_")
        over = own[f"logistic_{numbers[-1]}"]["metrics"]["macro_f1_over_best"]
        gained = [row["metrics"]["gained"]["value"] for row in own.values() if not _single(row)]
        said.append(
            f"`{protocol}`: the best single network, `{name}`, {_with_interval(best['metrics']['macro_f1'])}; the "
            f"regression on all minus it, paired: {_signed(over)}. Ranking on the test set would have gained "
            f"{min(gained):+.3f} to {max(gained):+.3f}, which is no result."
        )
    row = rows[0]
    lines += [
        "",
        "\n\n".join(said),
        "",
        _command(row),
    ]
    return "\n".join(lines)


def _single(row: dict[str, Any]) -> bool:
    return str(row["model"]).startswith("best_")


_ALWAYS = re.compile(r"Says the same of everything in a fold: ([^.]+)\.")
_TRANSFER = ("accuracy", "auroc", "auprc")
_TRANSFER_WORDS = ("accuracy", "AUROC", "AUPRC", "AUROC minus scratch's", "accuracy: what the leak adds")


def _transfer(rows: list[dict[str, Any]]) -> str:
    """A row a protocol, level and way or floor, with intervals; who always says the same is named."""
    lines = [
        f"| task | model | protocol | counted by | n | {' | '.join(_TRANSFER_WORDS)} |",
        "|---" * (5 + len(_TRANSFER_WORDS)) + "|",
    ]
    for row in rows:
        metrics = row["metrics"]
        cells = [
            "" if metrics[name]["value"] is None else _with_interval(metrics[name]) for name in _TRANSFER
        ]
        cells += [
            _signed(metrics[name]) if name in metrics else ""
            for name in ("auroc_over_scratch", "accuracy_over_patient_folds")
        ]
        same = f" (always {always[1]})" if (always := _ALWAYS.match(row["note"])) else ""
        told = (
            row["task"],
            f"`{row['model']}`{same}",
            f"`{row['protocol']}`",
            row["unit"],
            f"{row['n']:,}",
            *cells,
        )
        lines.append(f"| {' | '.join(told)} |")
    row = rows[0]
    note = row["note"].partition(f" of {row['n']}. ")[2]
    lines += ["", f"`{row['command']}`: {row['minutes']:g} minutes on {row['hardware']}. {note}"]
    return "\n".join(lines)


def _leakage(rows: list[dict[str, Any]]) -> str:
    """A row a protocol and way of counting, a column a network: accuracy with its interval."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    lines = [
        f"| task | protocol | counted by | n | {' | '.join(f'`{model}`' for model in models)} |",
        "|---" * (4 + len(models)) + "|",
    ]
    keys = dict.fromkeys((row["task"], row["protocol"], row["unit"], row["n"]) for row in rows)
    for key in keys:
        cells = []
        for model in models:
            own = [row for row in rows if (row["task"], row["protocol"], row["unit"], row["n"]) == key]
            shown = [_with_interval(row["metrics"]["accuracy"]) for row in own if row["model"] == model]
            cells.append(shown[0] if shown else "")
        task, protocol, unit, n = key
        lines.append(f"| {task} | `{protocol}` | {unit} | {n} | {' | '.join(cells)} |")
    said = []
    for row in rows:
        if over := row["metrics"].get("accuracy_over_distinct"):
            said.append(f"`{row['protocol']}` minus `distinct`, paired, `{row['model']}`: {_signed(over)}.")
        if row["protocol"] == "distinct" and (over := row["metrics"].get("accuracy_over_grouped")):
            said.append(f"`distinct` minus `grouped`, paired, `{row['model']}`: {_signed(over)}.")
    row = rows[-1]
    command = _command(row)
    return "\n".join([*lines, "", " ".join(said), "", command])


def _external(rows: list[dict[str, Any]]) -> str:
    row = rows[-1]
    metrics = row["metrics"]
    lines = [f"| {row['n']} recordings, drawn | `{row['model']}` |", "|---|---|"]
    for name, words in _EXTERNAL:
        one = metrics[name]
        lines.append(f"| {words.format(**metrics)} | {_with_interval(one)} |")
    lines += ["", _command(row)]
    return "\n".join(lines)


def _benefit(rows: list[dict[str, Any]]) -> str:
    """A row a prevalence and model, a column a threshold: net benefit in pages of 100."""
    lines = [
        f"| abnormal | acted on by | {' | '.join(f'from {limit:.0%} on' for limit in BENEFIT_AT)} |",
        "|---" * (2 + len(BENEFIT_AT)) + "|",
    ]
    for row in rows:
        metrics = row["metrics"]
        cells = [
            _with_interval(metrics[f"net_benefit_at_{limit:.2f}"], lambda value: f"{100 * value + 0.0:.1f}")
            for limit in BENEFIT_AT
        ]
        share = f"{metrics['prevalence']['value']:.0%}"
        lines.append(f"| {share} | {row['model']} | {' | '.join(cells)} |")
    row = rows[-1]
    told = f"{row['n']} pages, net benefit in 100 of them; seeds {', '.join(map(str, row['seeds']))}."
    return "\n".join([*lines, "", told, "", _command(row)])


_EXTERNAL = (
    ("auroc_mi", "AUROC, normal ({n_normal}) against infarction ({n_mi})"),
    ("auroc_rhythm", "AUROC, normal against another rhythm than sinus ({n_rhythm})"),
    ("recall_normal", "normal ones called normal"),
    ("recall_mi", "infarctions called MI or history of MI"),
    ("rhythm_found", "other rhythms called abnormal heartbeat"),
    ("ece", "calibration error"),
    ("ece_floor", "the same of a perfect model with these confidences"),
)


def _students(rows: list[dict[str, Any]]) -> str:
    """A row a student: its scores, what teaching gave it, and how far it is from its teacher."""
    lines = [
        "| model | pages | seeds | accuracy | macro-F1 | log-loss | accuracy minus untaught | minus the teacher's | "
        "same answer as the teacher |",
        "|---" * 9 + "|",
    ]
    for row in rows:
        metrics = row["metrics"]
        cells = [_with_interval(metrics[name]) for name in ("accuracy", "macro_f1", "log_loss")]
        cells += [
            _signed(metrics[name]) if name in metrics else ""
            for name in ("accuracy_gain_of_teaching", "accuracy_over_teacher")
        ]
        same = metrics.get("agreement_with_teacher")
        cells.append("" if same is None else f"{same['value']:.1%}")
        told = (f"`{row['model']}`", str(row["n"]), str(len(row["seeds"])), *cells)
        lines.append(f"| {' | '.join(told)} |")
    row = rows[-1]
    lines += ["", _command(row)]
    return "\n".join(lines)


_EXPORT: Measured = (
    ("parameters", "parameters", "{:,.0f}".format),
    ("size_mb", "size of the file, MB", "{:.2f}".format),
    ("ms_per_page", "one page, from bytes to answer, one core, model loaded, ms", "{:.0f}".format),
    ("ms_network_student12, ONNX", "of which the network in ONNX, ms", "{:.2f}".format),
    ("ms_network_student12, torch", "the same network in torch, ms", "{:.2f}".format),
    ("cold_start_s", "cold start of the command to its end, s", "{:.1f}".format),
    ("peak_memory_mb", "most memory of the command, MB", "{:.0f}".format),
    (
        "times_faster_than_large",
        "times as fast as the large transformer (see below) on twelve leads, both in ONNX",
        "{:,.0f}".format,
    ),
    (
        "parity_largest_difference",
        "largest difference of a probability to torch, from bytes",
        "{:.0e}".format,
    ),
    ("parity_same_decision", "same decision as torch", "{:.0%}".format),
    ("decisions_changed", "decisions that int8 would change", "{:.1%}".format),
    ("ms_network_student12, ONNX int8", "the network in int8, ms", "{:.2f}".format),
    ("refused_made", "made pictures that are refused", "{:.1%}".format),
    ("refused_real", "real pages that are refused, out of fold", "{:.1%}".format),
    ("warned_real", "real pages called unlike the training pages, out of fold", "{:.1%}".format),
)


def _export(rows: list[dict[str, Any]]) -> str:
    return _list(rows[-1], f"`{rows[-1]['model']}`", _EXPORT)


_SERVE: dict[str, Measured] = {
    "load": (
        ("pages_a_second", "pages a second, many clients at once", "{:.1f}".format),
        ("failed", "of these requests failed", "{:.0f}".format),
        ("alone_95th_ms", "a page, one client, 95th percentile, ms", "{:.0f}".format),
    ),
    "hostile": (
        ("refused_by_4xx", "hostile uploads refused by 4xx", "{:.0f}".format),
        ("not_refused", "hostile uploads not refused", "{:.0f}".format),
        ("slowest_s", "the slowest of them, s", "{:.1f}".format),
        ("slowest_processor_s", "the slowest of them in time of the processor, s", "{:.1f}".format),
    ),
}
"""By the protocol of a row of ``serve.json``."""


def _serve(rows: list[dict[str, Any]]) -> str:
    """What the server was asked, under load and by hostile uploads; beneath, on which machine, a line a script."""
    measured = {row["protocol"]: row for row in rows}
    lines, told = ["| `leadwise serve` | measured | 95 % interval |", "|---|---|---|"], []
    for protocol, wanted in _SERVE.items():
        if protocol in measured:
            row = measured[protocol]
            lines += _lines(row, wanted)
            told.append(_command(row))
    return "\n".join([*lines, "", "\n\n".join(told)])


def _command(row: dict[str, Any]) -> str:
    """How a row was measured: command, time, machine, note."""
    return f"`{row['command']}`: {row['minutes']:g} minutes on {row['hardware']}. {row['note']}"


def _list(row: dict[str, Any], what: str, wanted: Measured) -> str:
    """A line a metric of one row: what was measured, its value, its interval."""
    lines = [f"| {what}, profile `{row['profile']}` | measured | 95 % interval |", "|---|---|---|"]
    lines += _lines(row, wanted)
    lines += ["", _command(row)]
    return "\n".join(lines)


def _lines(row: dict[str, Any], wanted: Measured) -> list[str]:
    """The lines of metrics in a table of three columns."""
    lines = []
    for name, words, shown in wanted:
        metric = row["metrics"].get(name)
        one = metric if isinstance(metric, dict) else {"value": metric, "low": None, "high": None}
        value = "not measured" if one["value"] is None else shown(one["value"])
        interval = "" if one["low"] is None else f"{shown(one['low'])} to {shown(one['high'])}"
        lines.append(f"| {words} | {value} | {interval} |")
    return lines


def _with_interval(one: dict[str, Any], shown: Callable[[float], str] = "{:.3f}".format) -> str:
    """A value with its interval, where it has one."""
    value, *ends = (None if one[name] is None else shown(one[name]) for name in ("value", "low", "high"))
    return str(value) if ends[0] is None else f"{value} ({ends[0]} to {ends[1]})"


def _signed(one: dict[str, Any]) -> str:
    return "{value:+.3f}, {low:+.3f} to {high:+.3f}".format(**one)


_WRITERS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "image_leads": _image_leads,
    "image_leads12": _page_models,
    "image_floors": _page_models,
    "image_leakage": _leakage,
    "image_external": _external,
    "image_benefit": _benefit,
    "student_test": _students,
    "student_export": _export,
    "image_transformers": _transformers,
    "serve": _serve,
    "signal_beats": _beats,
    "signal_detection": _detection,
    "signal_ensemble": _ensembles,
    "signal_networks": _networks,
    "signal_transfer": _transfer,
    "signal_windows": _windows,
}
