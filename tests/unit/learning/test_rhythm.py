"""Trees that tell a rhythm: weights, answers for what they did not see, and the file that they become."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from leadwise.errors import WeightsError
from leadwise.learning import rhythm
from leadwise.learning.export_trees import trees_as_onnx
from leadwise.onnx import session_of
from leadwise.recordings.stretches import FEATURES
from leadwise.serving.model import load_beat_model, load_rhythm_model


def made_stretches(records: int = 60) -> pd.DataFrame:
    """Half of CinC and half of annotated records, of which those with AF differ in two features."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(records):
        is_af = number % 3 == 0
        table = rng.normal(size=(8, len(FEATURES)))
        table[:, [1, 11]] += 2.0 * is_af
        of = "cinc2017" if number < records // 2 else "mitdb"
        label = ("A" if is_af else "NO"[number % 2]) if of == "cinc2017" else ""
        place = {"set": of, "record": f"r{number}", "label": label, "is_af": is_af, "start_s": np.arange(8.0)}
        rows.append(pd.DataFrame(table, columns=list(FEATURES)).assign(**place))
    return pd.concat(rows, ignore_index=True)


def test_classes_weigh_as_published_and_annotated_records_less() -> None:
    stretches = made_stretches()
    weights = pd.Series(rhythm.weights_of(stretches))
    assert weights.mean() == pytest.approx(1)
    by = weights.groupby(stretches["label"]).sum()
    assert by["N"] / by["A"] == pytest.approx(5050 / 738)
    assert by["O"] / by["A"] == pytest.approx(2456 / 738)
    assert by[""] / by[["N", "A", "O"]].sum() == pytest.approx(rhythm.NOTED_WEIGHT)


def test_records_that_were_left_out_are_told_apart() -> None:
    stretches = made_stretches()
    stretches.loc[3, FEATURES[0]] = np.nan
    prob = rhythm.inner_answers(stretches, FEATURES)
    assert np.isnan(prob).nonzero()[0].tolist() == [3]
    is_af = stretches["is_af"].to_numpy()
    assert np.nanmean(prob[is_af]) > np.nanmean(prob[~is_af]) + 0.4


def test_its_file_says_the_same_and_what_it_is(tmp_path: Path) -> None:
    stretches = made_stretches()
    model = rhythm.fit(stretches, FEATURES)
    path = tmp_path / "af.onnx"
    told = {"protocol": "interpatient", "data_fingerprint": "x", "trained_on": "made", "note": ""}
    rhythm.write_rhythm(model, path, **told)
    loaded = load_rhythm_model(path)
    assert loaded.info.trained_on == "made"
    stretches.loc[0, FEATURES[2]] = np.nan
    found = loaded.answer(stretches[list(FEATURES)].to_numpy())
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx(rhythm.answered(model, stretches, FEATURES)[1:], abs=1e-5)
    with pytest.raises(WeightsError, match="format rhythm 1"):
        load_beat_model(path)


def test_a_file_that_cannot_be_described_leaves_the_one_before_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space")

    path = tmp_path / "af.onnx"
    path.write_bytes(b"before")
    model = rhythm.fit(made_stretches(), FEATURES)
    monkeypatch.setattr(rhythm, "describe", fail)
    with pytest.raises(OSError, match="no space"):
        rhythm.write_rhythm(model, path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("classes", [2, 3])
def test_trees_answer_alike_as_onnx(classes: int) -> None:
    rng = np.random.default_rng(1)
    values = np.round(rng.normal(size=(2000, 6)), 1).astype(np.float32)  # many ties, on thresholds as well
    labels = np.digitize(values[:, 0] + values[:, 1] ** 2, [0.5, 2.0])[: len(values)].clip(max=classes - 1)
    model = HistGradientBoostingClassifier(max_iter=30, early_stopping=False).fit(values, labels)
    found = session_of(trees_as_onnx(model, 6)).run(["probabilities"], {"features": values})[0]
    assert found.shape == (2000, classes)
    assert np.abs(found - model.predict_proba(values)).max() < 1e-5
