"""The rows of ``analysis/results``: what a notebook measured, in the one form of all published figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from leadwise.errors import TableError
from leadwise.names import UNITS

ROW = (
    "task", "protocol", "model", "profile", "seeds", "unit", "n", "metrics", "command", "hardware", "minutes", "note",
)  # fmt: skip
"""What each row of a published file has; what does not apply is null."""


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a published file. Raises TableError where one lacks what every row has."""
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for number, row in enumerate(rows, start=1):
        if set(row) != set(ROW):
            odd = ", ".join(sorted(set(row) ^ set(ROW)))
            raise TableError(f"{path}: row {number}: {odd} should not be there, or is missing.")
    return rows


def _row(result: dict[str, Any], folder: Path, **own: Any) -> dict[str, Any]:
    """A row with what all have: profile, command, hardware, minutes.

    Minutes are the notebook's, or those of its trainings where it took them up from an earlier run.
    """
    machine = result["machine"]
    return dict.fromkeys(ROW) | {
        "profile": result["profile"],
        "unit": "page",
        "command": f"leadwise run --profile {result['profile']} --only {result['notebook']}",
        "hardware": f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB",
        "minutes": round(max(result["seconds"], _trained_s(folder)) / 60, 1),
        **own,
    }


def _trained_s(folder: Path) -> float:
    """Seconds that all trainings of a notebook took, by its history.csv; 0 where there is none."""
    import pandas as pd

    if not (folder / "history.csv").is_file():
        return 0.0
    history = pd.read_csv(folder / "history.csv")
    keys = ["model", "task", "protocol", "seed", "fold", "role", "held_out"]
    return float(history.groupby(keys, dropna=False)["seconds"].max().sum())


def _leads_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    metrics = result["metrics"]
    n = metrics["pages_found"] + metrics["pages_refused"]
    return [_row(result, folder, n=n, metrics=metrics, note=_note_on_leads(result))]


def _scored(path: Path) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Each row of a table of scores: as it is, its metrics, and what it says of its place in a published row."""
    import pandas as pd

    from leadwise.scores.tables import as_metrics

    table = pd.read_csv(path)
    for number in range(len(table)):
        one = table.iloc[[number]].dropna(axis=1, how="all")
        told = one.iloc[0]
        place = {"task": told["task"], "protocol": told["protocol"], "n": int(told["n"])}
        yield told, dict(as_metrics(one)), place


def _accuracy_over(folder: Path, **wanted: str) -> dict[str, dict[str, float]]:
    """From ``differences.csv``: what a model's accuracy has over each other, by ``accuracy_over_<other>``."""
    import pandas as pd

    own = pd.read_csv(folder / "differences.csv").query("metric == 'accuracy'")
    for column, value in wanted.items():
        own = own[own[column] == value]
    return {
        f"accuracy_over_{one.minus}": {"value": one.value, "low": one.low, "high": one.high}
        for one in own.itertuples()
    }


def _page_model_rows(result: dict[str, Any], folder: Path, *, floors: bool) -> list[dict[str, Any]]:
    """The rows of 26's ``summary.csv``: those of the page model, or those of the floors beneath it."""
    parameters, found = result["parameters"], result["metrics"]
    rows = []
    for told, metrics, place in _scored(folder / "summary.csv"):
        name = str(told["model"])
        if name.startswith("leads12") == floors:
            continue
        if name == "leads12":
            metrics.update(_accuracy_over(folder, model=name, task=told["task"]))
            if told["task"] == parameters["TASKS"][0]:
                more = ("recall_", "log_loss_calibrated", "brier_calibrated", "ece", "found_")
                metrics.update({key: value for key, value in found.items() if key.startswith(more)})
        alone = "," in name  # the first seed by itself
        seeds = parameters["SEEDS"][:1] if alone else parameters["SEEDS"]
        note = _FLOOR_NOTE if floors else _page_model_note(parameters, name)
        model = name.split(",", maxsplit=1)[0]
        rows.append(_row(result, folder, **place, model=model, seeds=seeds, metrics=metrics, note=note))
    return rows


_FLOOR_NOTE = "Fitted on the page model's training pages, asked about its test pages; nothing is chosen."


def _page_model_note(parameters: dict[str, Any], name: str) -> str:
    candidates = f"Candidates: {', '.join(parameters['CANDIDATES'])}"
    if not parameters["INNER"]:
        chosen = "nothing is chosen."
    elif "," in name or len(parameters["SEEDS"]) == 1:
        chosen = "candidate and epochs are chosen on inner folds, each fold for itself."
    else:
        chosen = f"chosen on seed {parameters['SEEDS'][0]}; epochs on inner folds."
    mean = " The mean of the seeds' answers to a page: an ensemble." if "_x" in name else ""
    return (
        f"Pooled test answers; intervals by bootstrap over groups, recalls by Wilson. {candidates}; {chosen}{mean} "
        "From random weights, without pre-training."
    )


def _transformer_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    parameters = result["parameters"]
    chosen = (
        "The number of epochs is chosen on inner folds."
        if parameters["INNER"]
        else "All epochs of the recipe: nothing is chosen, so not calibrated, and no teacher."
    )
    note = f"Leads one by one, a page by their mean; weights: {parameters['WEIGHTS']}. {chosen}"
    own = {"model": parameters["MODEL"], "seeds": parameters["SEEDS"], "note": note}
    return [
        _row(result, folder, **place, metrics=metrics, **own)
        for _, metrics, place in _scored(folder / "summary.csv")
    ]


def _leakage_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    rows = []
    for told, metrics, place in _scored(folder / "prices.csv"):
        if told["task"] == "four" and told["counted"] == "page":
            metrics.update(_accuracy_over(folder, model=told["model"], protocol=told["protocol"]))
        own = {"model": told["model"], "unit": told["counted"], "note": _LEAKAGE_NOTE}
        rows.append(
            _row(result, folder, **place, seeds=[result["parameters"]["SEED"]], metrics=metrics, **own)
        )
    return rows


_LEAKAGE_NOTE = (
    "All epochs of the recipe, nothing chosen; intervals by bootstrap over printed ids, of recalls by Wilson. Unit "
    "file (or lead): counted as published, repeats and all; unit page: each page once, by the mean over its files."
)


def _student_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The rows of 42's ``summary.csv``, each with what teaching gave it and how far it is from its teacher."""
    import pandas as pd

    every = pd.read_csv(folder / "differences.csv")
    trained_s = result["seconds"] + _trained_s(folder.parent / "41_student_distill")
    rows = []
    for told, metrics, place in _scored(folder / "summary.csv"):
        own = every[every["model"] == told["model"]]
        for one in own[own["metric"].isin(["accuracy", "log_loss"])].itertuples():
            what = "over_teacher" if one.minus == "teacher" else "gain_of_teaching"
            metrics[f"{one.metric}_{what}"] = {"value": one.value, "low": one.low, "high": one.high}
        agreement = result["metrics"].get(f"agreement_with_teacher_{told['model']}")
        if agreement is not None:
            metrics["agreement_with_teacher"] = agreement
        seeds = result["parameters"]["SEEDS"][: int(own["seeds"].max()) if len(own) else None]
        more = {
            "model": told["model"],
            "seeds": seeds,
            "minutes": round(trained_s / 60, 1),
            "note": _STUDENT_NOTE,
        }
        rows.append(_row(result, folder, **place, metrics=metrics, **more))
    return rows


_STUDENT_NOTE = (
    "Pooled test answers, intervals and differences by bootstrap over groups; every loss trains all epochs of one "
    "recipe on the same folds from the same first weights, and nothing is chosen. Minutes are those of all students."
)


def _export_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    parameters, metrics = result["parameters"], result["metrics"]
    note = (
        f"Taught by {parameters['SHIPPED']!r} on all pages, so without scores of its own: those of fold students "
        f"are in student_test.json. Times of one core, the fastest; refused_made: {parameters['FOREIGN']} made "
        "pictures; refused_real and warned_real out of fold; times_faster_than_large: "
        f"{parameters['LARGE']} in ONNX, random weights. decisions_changed: fold students, on pages that they never "
        f"saw. Data fingerprint of the pages: {result['data_fingerprint']}."
    )
    own = {"task": "four", "protocol": "grouped", "model": "student12", "seeds": [], "metrics": metrics}
    return [_row(result, folder, **own, note=note)]


def _external_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    metrics = {
        name.removeprefix("external_"): value
        for name, value in result["metrics"].items()
        if name.startswith("external_")
    }
    n = sum(value for name, value in metrics.items() if name.startswith("n_"))
    return [
        _row(
            result,
            folder,
            task="external",
            protocol="external",
            model="leads12",
            seeds=result["parameters"]["SEEDS"],
            unit="record",
            n=n,
            metrics=metrics,
            note=(
                "Recordings of PTB-XL drawn, not scanned, as pages of this template; the five fold networks of seed "
                "one, calibrated on their inner folds, never trained or pre-trained on PTB-XL; means over the five, "
                "intervals by bootstrap over patients, rhythm_found by Wilson for the median network."
            ),
        )
    ]


def _benefit_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The rows of 51's ``net_benefit.csv``, a row a prevalence and model; none where `binary` was not answered."""
    import pandas as pd

    if not (folder / "net_benefit.csv").is_file():
        return []
    table = pd.read_csv(folder / "net_benefit.csv")
    n = int(pd.read_csv(folder / "summary.csv").query("task == 'binary'")["n"].iloc[0])
    rows = []
    for (prevalence, model), own in table.groupby(["prevalence", "model"], sort=False):
        metrics: dict[str, Any] = {"prevalence": {"value": prevalence, "low": None, "high": None}}
        for one in own[own["threshold"].round(4).isin(BENEFIT_AT)].to_dict("records"):
            metrics[f"net_benefit_at_{one['threshold']:.2f}"] = {
                "value": one["net_benefit"],
                "low": one["net_benefit_low"],
                "high": one["net_benefit_high"],
            }
        place = {"task": "binary", "protocol": "grouped", "model": model, "n": n}
        more = {"seeds": result["parameters"]["SEEDS"], "note": _BENEFIT_NOTE}
        rows.append(_row(result, folder, **place, **more, metrics=metrics))
    return rows


BENEFIT_AT = (0.1, 0.3, 0.5, 0.7, 0.9)
"""The thresholds that are published; all stand in the notebook's table."""

_BENEFIT_NOTE = (
    "Pages rightly acted on, after every needless action has been paid for by threshold / (1 - threshold), as a "
    "share of all (Vickers and Elkin 2006); where the prevalence is not that of the set, it is assumed, and the "
    "probabilities are moved to it. Calibrated on inner folds; intervals by bootstrap over groups."
)


def _signal_rows(
    result: dict[str, Any], folder: Path, *, table: str, trained: str, said: str
) -> list[dict[str, Any]]:
    """The rows of a summary of 33 or 52, none where it had nothing to compare; minutes are those of what trained."""
    import pandas as pd

    if not (folder / table).is_file():
        return []
    minutes = round((result["seconds"] + _trained_s(folder.parent / trained)) / 60, 1)
    rows = []
    for one in pd.read_csv(folder / table, dtype={"seeds": str}).to_dict("records"):
        names = [name for name in one if f"{name}_low" in one and one[name] == one[name]]
        metrics = {
            name: {"value": one[name], "low": one[f"{name}_low"], "high": one[f"{name}_high"]}
            for name in names
        }
        place = {key: one[key] for key in ("task", "protocol", "model", "n")}
        own = {
            "seeds": list(map(int, one["seeds"].split("/"))),
            "unit": UNITS[one["task"]],
            "minutes": minutes,
        }
        counted = "EC57" if one["counted"] == "EC57" else "all of the test set"
        note = f"Counted: {counted}. {said}"
        rows.append(_row(result, folder, **place, **own, metrics=metrics, note=note))
    return rows


def _network_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The rows of 52's ``networks.csv``: by person, as published, as printed, and what a network costs."""
    import pandas as pd

    if not (folder / "networks.csv").is_file():
        return []
    every = pd.read_csv(folder / "differences.csv").query("metric == 'macro_f1'")
    minutes = round((result["seconds"] + _trained_s(folder.parent / "32_signal_networks")) / 60, 1)
    rows = []
    for one in pd.read_csv(folder / "networks.csv").to_dict("records"):
        metrics = {
            name: {"value": value, "low": one.get(f"{name}_low"), "high": one.get(f"{name}_high")}
            for name, value in one.items()
            if name != "model" and not name.endswith(("_low", "_high")) and pd.notna(value)
        }
        metrics |= {
            f"macro_f1_over_{two.minus}": {"value": two.value, "low": two.low, "high": two.high}
            for two in every[every["model"] == one["model"]].itertuples()
        }
        own = {"task": "aami5", "protocol": "interpatient", "model": one["model"], "unit": "beat"}
        rows.append(_row(result, folder, **own, minutes=minutes, note=_NETWORK_NOTE, metrics=metrics))
    return rows


_NETWORK_NOTE = (
    "leaky_<metric>: the same network where beats are split at random; printed_<metric>: what its authors print of "
    "that. Epochs are fixed for the networks of the coursework, and fewer than theirs, which stop when nothing "
    "improves. Seconds an epoch of DS1, the median, with another training beside it; milliseconds for one beat "
    "alone. Intervals by bootstrap over people. heartbeat_resnet38 stands in for a published one of 398 layers."
)
_SIGNAL_NOTE = (
    "Test answers; intervals by bootstrap over people, since beats and windows of one heart are alike. Under "
    "interpatient the number of epochs is chosen inside DS1 (fixed where the name begins with heartbeat), elsewhere "
    "nothing is chosen. beat_rhythm_plain was tested on DS2 before beat_rhythm was made, which was chosen inside "
    "DS1 again. majority, ratios_alone and record_alone are floors. Minutes are those of all networks of the task."
)
_ENSEMBLE_NOTE = (
    "Of the k best networks joined, ranked by macro-F1 and fitted on beats that none of them was trained on; no "
    "network is trained again; k is not chosen. macro_f1_over_best: paired, minus the network that is best there; "
    "macro_f1_if_ranked_on_test and gained: what ranking on the test set would give, no result. Intervals by "
    "bootstrap over people. Minutes are those of all networks."
)


def _transfer_rows(result: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The rows of 34's ``summary.csv``, with what each way has over the others; none where PTB-XL was the sample."""
    import pandas as pd

    if result["metrics"]["embedded"]:
        return []
    parameters, rows = result["parameters"], []
    differences = pd.read_csv(folder / "differences.csv")
    summary = pd.read_csv(folder / "summary.csv", dtype={"seeds": str}, keep_default_na=False)
    for one in summary.to_dict("records"):
        ends = {"value": "", "low": "_low", "high": "_high"}
        metrics = {
            name: {end: _number(one[f"{name}{key}"]) for end, key in ends.items()}
            for name in one
            if f"{name}_low" in one
        }
        own = differences
        for key in ("task", "protocol", "model", "unit"):
            own = own[own[key] == one[key]]
        metrics |= {
            f"{two.metric}_over_{two.minus}": {"value": two.value, "low": two.low, "high": two.high}
            for two in own.itertuples()
        }
        place = {key: one[key] for key in ("task", "protocol", "model", "unit", "n")}
        seeds = list(map(int, one["seeds"].split("/")))
        same = f"Says the same of everything in a fold: {one['always']}. " if one["always"] else ""
        note = f"{same}Second class: {one['positives']} of {one['n']}. {_transfer_note(parameters)}"
        rows.append(_row(result, folder, **place, seeds=seeds, metrics=metrics, note=note))
    return rows


def _number(told: Any) -> float | None:
    return None if told == "" else float(told)


def _transfer_note(parameters: dict[str, Any]) -> str:
    source, epochs = (
        "the recipe's" if parameters[name] is None else str(parameters[name])
        for name in ("SOURCE_EPOCHS", "EPOCHS")
    )
    return (
        f"{parameters['MODEL']}; a beat has its recording's label; intervals by bootstrap over patients. Source: DS1 "
        f"of MIT-BIH, {source} epochs; then {epochs} epochs each way, nothing is chosen. <metric>_over_<other>: "
        "paired, with another way, or of leaky_beats with patient_folds. majority and rate_alone are floors."
    )


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


ROWS_OF: dict[str, Callable[[dict[str, Any], Path], list[dict[str, Any]]]] = {
    "image_leads": _leads_rows,
    "image_leads12": partial(_page_model_rows, floors=False),
    "image_floors": partial(_page_model_rows, floors=True),
    "image_transformers": _transformer_rows,
    "image_leakage": _leakage_rows,
    "image_external": _external_rows,
    "image_benefit": _benefit_rows,
    "student_test": _student_rows,
    "student_export": _export_rows,
    "signal_windows": partial(
        _signal_rows, table="windows_summary.csv", trained="31_signal_attention", said=_SIGNAL_NOTE
    ),
    "signal_beats": partial(
        _signal_rows, table="beats_summary.csv", trained="32_signal_networks", said=_SIGNAL_NOTE
    ),
    "signal_networks": _network_rows,
    "signal_ensemble": partial(
        _signal_rows, table="summary.csv", trained="32_signal_networks", said=_ENSEMBLE_NOTE
    ),
    "signal_transfer": _transfer_rows,
}
"""By the name of the file: (result, folder of the notebook) to its rows."""
