"""What leaks under which protocol, and what is scored how."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made import made_answers

from leadwise.errors import InputError
from leadwise.folds.pages import PROTOCOLS, make_folds
from leadwise.folds.partition import partition
from leadwise.learning import leakage
from leadwise.learning.study import forget_others
from leadwise.names import CLASSES
from leadwise.scores import prices
from leadwise.scores.metrics import mean_answers, scores
from leadwise.tables import checked

COPIES = {"normal": 2, "abnormal_heartbeat": 1, "history_of_mi": 2, "mi": 8}
N = 80


@pytest.fixture(scope="module")
def pages() -> pd.DataFrame:
    """Made pages with the public set's copies; two pages share an id now and then."""
    labels = [CLASSES[i % 4] for i in range(N)]
    return pd.DataFrame(
        {
            "page_id": [f"{i:012x}" for i in range(N)],
            "path": [f"{i}.jpg" for i in range(N)],
            "label": labels,
            "copies": [COPIES[label] for label in labels],
            "sha256": [f"{i:064x}" for i in range(N)],
            "recording_id": [f"{100000 + i // 8 * 8 + i % 4}" for i in range(N)],
            "recorded_at": [f"2020-{(8, 10)[i // 8 % 2]:02d}-01T10:00:00" for i in range(N)],
        }
    )


@pytest.fixture(scope="module")
def folds(pages: pd.DataFrame) -> pd.DataFrame:
    repeated = pages.loc[pages.index.repeat(pages["copies"]), ["path", "sha256"]]
    files = repeated.assign(path=[f"{number}-{path}" for number, path in enumerate(repeated["path"])])
    return pd.concat([make_folds(pages, name, [1], files) for name in PROTOCOLS], ignore_index=True)


def split(pages: pd.DataFrame, folds: pd.DataFrame, protocol: str, task: str = "four"):
    return partition(pages, folds, protocol, 1, task)


@pytest.fixture(scope="module")
def data(pages: pd.DataFrame, folds: pd.DataFrame) -> SimpleNamespace:
    """What `PageData` has, as far as leaks look."""
    return SimpleNamespace(
        pages=pages,
        folds=folds,
        partition=lambda task, seed, protocol="grouped": partition(pages, folds, protocol, seed, task),
    )


# --- who trains and who is tested ----------------------------------------------------------------------------


def test_copies_lie_on_both_sides_where_files_are_split_and_nowhere_else(data, pages):
    known = leakage.leaks(data, 1).set_index(["task", "protocol"])
    assert known.loc[("four", "leaky_copies"), "tested"] == pages["copies"].sum()
    assert known.loc[("four", "leaky_copies"), "same_page"] > 0.5
    for protocol in ("leaky_copy_weights", "distinct", "grouped"):
        assert known.loc[("four", protocol), "same_page"] == 0
    assert known.loc[("four", "distinct"), "same_id"] > 0
    assert known.loc[("four", "grouped"), "same_id"] == 0
    assert known.loc[("binary", "leaky_pooled"), "same_page"] > 0


def test_copies_weights_train_a_page_as_often_as_it_has_copies_on_the_folds_of_distinct(pages, folds):
    weighted, plain = split(pages, folds, "leaky_copy_weights"), split(pages, folds, "distinct")
    for fold, rows in plain.rows.items():
        assert np.array_equal(weighted.rows[fold], rows)
        times = np.bincount(weighted.training_rows((fold,)), minlength=N)
        rest = plain.training_rows((fold,))
        assert np.array_equal(times[rest], pages["copies"].to_numpy()[rest])
        assert times.sum() == times[rest].sum()


def test_every_file_is_tested_once_and_trains_for_all_other_folds(pages, folds):
    part = split(pages, folds, "leaky_copies")
    tested = np.concatenate(list(part.rows.values()))
    assert np.array_equal(np.bincount(tested, minlength=N), pages["copies"])
    for fold, rows in part.rows.items():
        both = np.bincount(np.concatenate([rows, part.training_rows((fold,))]), minlength=N)
        assert np.array_equal(both, pages["copies"])


def test_pooled_folds_train_and_test_one_network_with_repeats(pages, folds):
    part = split(pages, folds, "leaky_pooled", "binary")
    assert part.folds == [1]
    assert set(pages["label"].iloc[part.rows[1]]) == {"normal", "abnormal_heartbeat"}
    assert np.bincount(part.training_rows((1,))).max() > 2
    assert np.isin(part.rows[1], part.training_rows((1,))).any()


def test_the_last_tenth_of_the_files_is_tested_by_the_rest(pages, folds):
    part = split(pages, folds, "leaky_file_90_10")
    files = pages["copies"].sum()
    assert len(part.rows[1]) == files // 10
    assert len(part.training_rows((1,))) == files - files // 10


def test_protocols_that_leak_have_no_inner_folds(pages, folds):
    with pytest.raises(ValueError, match="unpack"):
        split(pages, folds, "leaky_copies").training_rows((1, 2))


def test_a_protocol_whose_training_lacks_a_class_is_refused(pages, folds):
    first_month = (pages["recorded_at"].str[:7] == "2020-08") & (pages["label"] == "mi")
    with pytest.raises(InputError, match=r"by_month.* has no page of class 'mi'"):
        split(pages[~first_month], folds[~folds["unit_id"].isin(pages[first_month]["page_id"])], "by_month")


def test_a_month_without_a_class_can_still_be_tested(pages, folds):
    gone = (pages["recorded_at"].str[:7] == "2020-08") & (pages["label"] == "mi")
    gone[gone.idxmax()] = False  # one MI page trains for the other month
    kept = folds[~folds["unit_id"].isin(pages[gone]["page_id"])]
    assert split(pages[~gone], kept, "by_month").folds == [1, 2]


def test_the_same_folds_with_other_training_pages_are_another_partition(pages, folds):
    assert (
        split(pages, folds, "leaky_copy_weights").fingerprint != split(pages, folds, "distinct").fingerprint
    )


# --- what comes of it ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def priced(data, tmp_path_factory):
    parameters = SimpleNamespace(
        PROFILE="sample",
        WEIGHTS="random",
        RECIPE="random",
        SEED=1,
        EPOCHS=1,
        MAX_STEPS=1,
        SIZES=[20, 40, 500],
    )
    crops = np.random.default_rng(0).integers(0, 255, (N, 12, 64, 64), np.uint8)
    folder = tmp_path_factory.mktemp("leakage")
    found = leakage.price(parameters, {"lead_cnn": crops}, data, folder, "made")
    return found, folder, leakage.from_fewer_pages(parameters, "lead_cnn", crops, data, folder, "made")


def test_a_page_answers_once_in_one_table_and_as_often_as_it_was_tested_in_the_other(priced, pages):
    found, *_ = priced
    checked(found.once, "predictions.csv", "once")
    counted = found.counted.query("protocol == 'leaky_copies' and unit == 'page'")
    once = found.once.query("protocol == 'leaky_copies'").set_index("unit_id")
    assert len(once) == N
    assert len(counted) == pages["copies"].sum()
    assert counted["unit_id"].is_unique
    for page in pages["page_id"][3::4]:
        own = counted[counted["unit_id"].str.startswith(f"{page}-")]
        assert once.loc[page, "prob_mi"] in set(own["prob_mi"]), "a page's answer is that of one network"
    assert not found.left_out


def test_every_training_takes_the_steps_of_grouped(priced):
    found, _, fewer = priced
    steps = pd.concat([found.history, fewer.history]).groupby("model")["step"].max()
    assert steps.nunique() == 1, "MAX_STEPS cuts all to one, and none is shorter"


def test_fewer_pages_are_drawn_class_by_class_and_are_part_of_more(data, priced, pages):
    part = split(pages, data.folds, "grouped")
    order = leakage._drawn(part, 1)
    rows = part.training_rows((1,))
    assert sorted(order) == sorted(rows)
    share = pd.Series(part.labels[rows]).value_counts(normalize=True)
    of_20 = pd.Series(part.labels[order[:20]]).value_counts() / 20
    assert (of_20 - share).abs().max() <= 1 / 20
    assert sorted(priced[2].answers) == [20, 40], "nobody has 500"
    assert all(len(answers) == N for answers in priced[2].answers.values())


def test_a_month_is_compared_at_the_number_of_pages_that_the_others_have(data, priced, pages):
    month, size = leakage.largest_month(data, 1)
    assert len(month) + size == N
    found, _, fewer = priced
    whole = found.once.query("protocol == 'grouped' and task == 'four'")
    by_size = {20: fewer.answers[20], size: fewer.answers[40], 64: whole}
    assert set(fewer.by_month["protocol"]) == {"by_month"}
    told, steps = prices.month_compared(fewer.by_month, by_size, month, size)
    assert told["n"].tolist() == [len(month)] * 3
    assert steps["minus"].tolist() == ["protocol=grouped", "pages=64"]
    assert steps["value"].tolist() == pytest.approx([-x for x in told["value"].diff().dropna()])
    checked(told, "scores.csv", "made")
    checked(steps, "differences.csv", "made")
    assert prices.curve_scores(by_size)["condition"].unique().tolist() == [
        "pages=20",
        f"pages={size}",
        "pages=64",
    ]


def test_all_protocols_are_drawn_over_the_same_groups(priced, pages):
    found, *_ = priced
    assert found.once.groupby("unit_id")["group_id"].nunique().max() == 1
    assert found.once["group_id"].str.startswith("id-").all()


def test_the_price_list_counts_as_published_and_once(priced, pages):
    listed = prices.price_list(priced[0].once, priced[0].counted)
    checked(listed, "scores.csv", "made")
    four = listed.query("task == 'four' and metric == 'accuracy'").set_index(["protocol", "unit"])
    assert four.loc[("leaky_copies", "file"), "n"] == pages["copies"].sum()
    assert four.loc[("leaky_copies", "lead"), "n"] == pages["copies"].sum() * 12
    assert four.loc[("leaky_copies", "page"), "n"] == N
    assert ("distinct", "file") not in four.index
    rows = priced[0].once.query("protocol == 'grouped' and task == 'four'")
    prob = rows[[f"prob_{name}" for name in CLASSES]].to_numpy()
    expected = scores(rows["label"].map(CLASSES.index).to_numpy(), prob, CLASSES)["accuracy"]
    assert four.loc[("grouped", "page"), "value"] == pytest.approx(expected)


def test_steps_are_paired_on_the_same_pages(priced):
    steps = prices.step_differences(priced[0].once)
    checked(steps, "differences.csv", "made")
    others = steps["minus"].str.removeprefix("protocol=")
    assert set(zip(steps["protocol"], others, strict=True)) == set(prices.STEPS)
    assert (steps["low"] <= steps["high"]).all()


def test_trainings_of_other_parameters_are_forgotten_and_no_others(priced):
    found, folder, fewer = priced
    named = sorted([*found.trainings, *fewer.trainings])
    (folder / "trainings" / "old").mkdir()
    (folder / "weights" / "old.safetensors").write_bytes(b"")
    forget_others(folder, named)
    assert sorted(path.stem for path in (folder / "weights").iterdir()) == named
    assert sorted(path.name for path in (folder / "trainings").iterdir()) == named


def test_the_mean_over_seeds_is_one_answer_a_page():
    answers = pd.concat([made_answers(n=20), made_answers(n=20).assign(seed=2, prob_mi=1.0)])
    one = mean_answers(answers)
    assert one["unit_id"].is_unique
    assert set(one["seed"]) == {answers["seed"].iloc[0]}
    own = answers[answers["unit_id"] == one["unit_id"].iloc[3]]
    assert one["prob_mi"].iloc[3] == pytest.approx(own["prob_mi"].mean())
