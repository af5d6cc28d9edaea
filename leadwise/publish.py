"""Figures that are published: from ``runs/`` to ``analysis/results``, and from there into the README.

A published figure is never typed: `publish` copies what a notebook measured, with the command and the machine,
and `write_tables` writes the tables of the README from that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from leadwise import paths, settings
from leadwise.errors import MissingInput, SettingsError, TableError
from leadwise.files import write_json, written_whole

FROM_NOTEBOOK = {
    "image_leads": "12_image_leads",
    "image_leads12": "26_image_leads12",
    "image_floors": "26_image_leads12",
}
"""By the name of the file in ``analysis/results``: the notebook whose metrics it holds."""

ROW = (
    "task", "protocol", "model", "profile", "seeds", "unit", "n", "metrics", "command", "hardware", "minutes", "note",
)  # fmt: skip
"""What each row of a published file has; what does not apply is null."""

FIGURES = {"image_leads": ("page_to_leads.png", "einthoven.png")}
"""By the same name: its notebook's pictures that the README shows; they go to ``analysis/figures``."""

_TABLE = re.compile(r"(<!-- leadwise tables: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def publish(profile: str) -> list[Path]:
    """Write what a profile's notebooks measured into ``analysis/results``, with their pictures; return the files.

    Raises SettingsError for the sample, whose figures mean nothing, and MissingInput where nothing was measured.
    """
    settings.load_profile(profile)
    if profile == "sample":
        raise SettingsError(
            "the sample's figures mean nothing, so they are not published: publish another profile."
        )
    written = []
    for name, notebook in FROM_NOTEBOOK.items():
        path = paths.result_path(profile, notebook)
        if not path.is_file():
            continue
        result = json.loads(path.read_text(encoding="utf-8"))
        if result["data_listing"] == "sample":
            raise SettingsError(
                f"{path} was made from the embedded sample, whose figures mean nothing. Let LEADWISE_DATA name the "
                f"whole set and run it again: leadwise run --profile {profile} --only {notebook}"
            )
        target = paths.repository() / "analysis" / "results" / f"{name}.json"
        others = [row for row in read_rows(target) if row["profile"] != profile] if target.is_file() else []
        write_json([*others, *_ROWS[name](result, path.parent)], target)
        written.append(target)
        for picture in FIGURES.get(name, ()):
            copy = paths.repository() / "analysis" / "figures" / picture
            with written_whole(copy) as aside:
                _small_copy(path.parent / picture, aside)
            written.append(copy)
    if not written:
        raise MissingInput(
            f"nothing to publish: {', '.join(FROM_NOTEBOOK.values())} has not been run under the profile "
            f"{profile!r}. "
            f"Run it first: leadwise run --profile {profile}"
        )
    return written


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a published file. Raises TableError where one lacks what every row has."""
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for number, row in enumerate(rows, start=1):
        if set(row) != set(ROW):
            odd = ", ".join(sorted(set(row) ^ set(ROW)))
            raise TableError(f"{path}: row {number}: {odd} should not be there, or is missing.")
    return rows


def with_tables(text: str, results: Path) -> str:
    """A text with every table between its two marks written anew from the files in `results`."""

    def table(found: re.Match[str]) -> str:
        name = found[2]
        path = results / f"{name}.json"
        if name not in _WRITERS or not path.is_file():
            raise MissingInput(f"{path}: no such results, or no table is made of them.")
        return f"{found[1]}{_WRITERS[name](read_rows(path))}\n{found[3]}"

    return _TABLE.sub(table, text)


def write_tables() -> list[Path]:
    """Write the tables of all README files anew; return the files that changed."""
    repository = paths.repository()
    changed = []
    for path in [repository / "README.md", *sorted(repository.glob("*/README.md"))]:
        before = path.read_text(encoding="utf-8")
        after = with_tables(before, repository / "analysis" / "results")
        if after != before:
            with written_whole(path) as aside:
                aside.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


def _row(result: dict[str, Any], **own: Any) -> dict[str, Any]:
    """A row with what all have: profile, command, hardware, minutes."""
    machine = result["machine"]
    return dict.fromkeys(ROW) | {
        "profile": result["profile"],
        "unit": "page",
        "command": f"leadwise run --profile {result['profile']} --only {result['notebook']}",
        "hardware": f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB",
        "minutes": round(result["seconds"] / 60, 1),
        **own,
    }


def _leads_rows(result: dict[str, Any], _: Path) -> list[dict[str, Any]]:
    metrics = result["metrics"]
    n = metrics["pages_found"] + metrics["pages_refused"]
    return [_row(result, n=n, metrics=metrics, note=_note_on_leads(result))]


def _summary_rows(result: dict[str, Any], folder: Path, *, floors: bool) -> list[dict[str, Any]]:
    """The rows of a notebook's ``summary.csv``: the page model's, or those of the floors beneath it."""
    import pandas as pd

    from leadwise.evaluation.tables import as_metrics

    parameters = result["parameters"]
    summary = pd.read_csv(folder / "summary.csv")
    over = pd.read_csv(folder / "differences.csv").query("metric == 'accuracy'")
    rows = []
    for number in range(len(summary)):
        one = summary.iloc[[number]]
        told = one.iloc[0]
        if (told["model"] == "leads12") == floors:
            continue
        metrics: dict[str, Any] = as_metrics(one)
        if not floors:
            metrics |= {
                f"accuracy_over_{one.minus}": {"value": one.value, "low": one.low, "high": one.high}
                for one in over[over["task"] == told["task"]].itertuples()
            }
        if not floors and told["task"] == parameters["TASKS"][0]:
            more = ("recall_", "log_loss_calibrated", "ece")
            metrics |= {name: value for name, value in result["metrics"].items() if name.startswith(more)}
        rows.append(
            _row(
                result,
                task=told["task"],
                protocol=told["protocol"],
                model=told["model"],
                seeds=parameters["SEEDS"],
                n=int(told["n"]),
                metrics=metrics,
                note=_FLOOR_NOTE if floors else _page_model_note(parameters),
            )
        )
    return rows


_FLOOR_NOTE = "Fitted on the page model's training pages, asked about its test pages; nothing is chosen."


def _page_model_note(parameters: dict[str, Any]) -> str:
    chosen = "candidate and epochs are" if parameters["INNER"] else "nothing is"
    return (
        "Pooled test answers; intervals by bootstrap over groups, recalls by Wilson. Candidates: "
        f"{', '.join(parameters['CANDIDATES'])}; {chosen} chosen on inner folds. From random weights, without "
        "pre-training."
    )


def _small_copy(picture: Path, copy: Path) -> None:
    """A picture for the README, 1600 px wide and in 256 colours: every clone carries it."""
    from PIL import Image

    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    image.thumbnail((1600, 1600), Image.Resampling.LANCZOS)
    image.quantize(256, dither=Image.Dither.NONE).save(copy, optimize=True)


def _note_on_leads(result: dict[str, Any]) -> str:
    checked = result["parameters"]["CHECKED"]
    trips = result["metrics"].get("roundtrip_recordings")
    return (
        "Intervals: Wilson for shares, bootstrap over printed ids for medians and percentiles. Einthoven's residual "
        f"is taken about its mean on each page. found_*: {checked} pages each; foreign_refused: {checked} drawn "
        f"pages; roundtrip_snr_db_median: {trips or 'no'} recordings of PTB-XL printed on the template and read "
        "again, a best case without a scanner, neither gain nor time fitted; pages_per_s: layout, crops and "
        "millivolts, time of one core, without decoding; headers_right_by_eye: pages drawn at random."
    )


_ROWS: dict[str, Callable[[dict[str, Any], Path], list[dict[str, Any]]]] = {
    "image_leads": _leads_rows,
    "image_leads12": partial(_summary_rows, floors=False),
    "image_floors": partial(_summary_rows, floors=True),
}


# --- tables -------------------------------------------------------------------------------------------------

_IMAGE_LEADS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
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
    row = rows[-1]
    lines = [f"| {row['n']} pages, profile `{row['profile']}` | measured | 95 % interval |", "|---|---|---|"]
    for name, words, shown in _IMAGE_LEADS:
        metric = row["metrics"].get(name)
        one = metric if isinstance(metric, dict) else {"value": metric, "low": None, "high": None}
        value = "not measured" if one["value"] is None else shown(one["value"])
        interval = "" if one["low"] is None else f"{shown(one['low'])} to {shown(one['high'])}"
        lines.append(f"| {words} | {value} | {interval} |")
    lines += ["", f"`{row['command']}`: {row['minutes']:g} minutes on {row['hardware']}. {row['note']}"]
    return "\n".join(lines)


def _page_models(rows: list[dict[str, Any]]) -> str:
    """A row a model: accuracy, macro-F1 and macro AUROC with their intervals."""
    names = ("accuracy", "macro_f1", "macro_auroc")
    lines = [
        "| model | task | protocol | pages | seeds | accuracy | macro-F1 | macro AUROC |",
        "|---" * 8 + "|",
    ]
    for row in rows:
        cells = [
            "{value:.3f} ({low:.3f} to {high:.3f})".format(**row["metrics"][name])
            if name in row["metrics"]
            else ""
            for name in names
        ]
        seeds = len(row["seeds"])
        told = (f"`{row['model']}`", row["task"], f"`{row['protocol']}`", str(row["n"]), str(seeds), *cells)
        lines.append(f"| {' | '.join(told)} |")
    row = rows[-1]
    command = f"`{row['command']}`: {row['minutes']:g} minutes on {row['hardware']}. {row['note']}"
    lines += ["", "\n\n".join([*filter(None, map(_above_the_floors, rows)), command])]
    return "\n".join(lines)


def _above_the_floors(row: dict[str, Any]) -> str:
    """A sentence on which floors a model is, or is not, shown to be above, paired by accuracy."""
    over = {
        name.removeprefix("accuracy_over_"): one for name, one in row["metrics"].items() if "_over_" in name
    }
    told = {
        name: "`{}` ({value:+.3f}, {low:+.3f} to {high:+.3f})".format(name, **one)
        for name, one in over.items()
    }
    above = ", ".join(told[name] for name, one in over.items() if one["low"] > 0)
    others = ", ".join(told[name] for name, one in over.items() if one["low"] <= 0)
    parts = [
        f"more accurate than {above}" if above else "",
        f"**not shown to be above** {others}" if others else "",
    ]
    said = "; ".join(filter(None, parts))
    return f"Task {row['task']}, paired: `{row['model']}` is {said}." if said else ""


_WRITERS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "image_leads": _image_leads,
    "image_leads12": _page_models,
    "image_floors": _page_models,
}
