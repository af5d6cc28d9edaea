"""What `leadwise run` makes again: what is asked for and no longer so, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from miniature import Clone

from leadwise.project import executor, notebook, paths, profiles
from leadwise.project.notebooks import NOTEBOOKS

pytestmark = pytest.mark.usefixtures("own_kernel")

FILES = {
    "pages": "mi/MI(1).jpg",
    "mitdb": "100.hea",
    "heartbeat": "mitbih_test.csv",
    "ptbxl60": "records/00001_hr.hea",
    "ptbxl425": "records/00002_hr.hea",
    "ptbxl_fold10": "records/00009_hr.hea",
    "ptbdb": "patient001/s0010_re.hea",
    "svdb": "800.hea",
}
"""By the name of each set: one of its files."""

ON_PTBXL = {"30_image_hearts", "34_signal_transfer", "37_image_drawn_leads", "53_image_elsewhere"}
ON_PAGES = {name for name, row in NOTEBOOKS.items() if not row.on_recordings}


def done(names: Iterable[str]) -> None:
    """Notebooks have run under the profile cpu, as stand-ins do."""
    for name in names:
        notebook.start(name, profiles.parameters("cpu", name).model_dump()).finish({"of": name})


def lacking() -> set[str]:
    return {name for name in NOTEBOOKS if not paths.result_path("cpu", name).is_file()}


@pytest.fixture
def everything(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All notebooks have run on sets of the user; the folder above these. Snakemake does nothing from here on."""
    for name, file in FILES.items():
        path = tmp_path / "sets" / name / file
        path.parent.mkdir(parents=True)
        path.write_text("as it was", encoding="utf-8")
    monkeypatch.setenv("LEADWISE_DATA", str(tmp_path / "sets" / "pages"))
    monkeypatch.setenv("LEADWISE_SIGNALS", str(tmp_path / "sets"))
    done(NOTEBOOKS)
    monkeypatch.setattr(executor, "_snakemake", lambda *_, **__: executor.Outcome([], None))
    return tmp_path / "sets"


def test_what_was_made_from_the_present_data_stays(everything: Path) -> None:
    executor.run("cpu")
    assert lacking() == set()


@pytest.mark.parametrize(
    ("changed", "outdated"),
    [
        ("pages", ON_PAGES),
        # 28 draws pages with them; 29 and 53 are about recordings of PTB-XL alone
        ("mitdb", set(NOTEBOOKS) - ON_PAGES - {"29_image_names", "53_image_elsewhere"} | {"28_image_ink"}),
        ("heartbeat", {"15_signal_beats"}),
        ("ptbxl60", {"12_image_leads", *ON_PTBXL}),
        ("ptbxl425", ON_PTBXL),
        (
            "ptbxl_fold10",
            {"28_image_ink", "29_image_names", "35_signal_rhythm", *ON_PTBXL} - {"34_signal_transfer"},
        ),
        ("ptbdb", {"34_signal_transfer"}),
        ("svdb", {"36_signal_beats_joined"}),
    ],
)
def test_a_set_that_changed_is_seen_by_the_notebooks_that_look_at_it_and_by_no_other(
    everything: Path, changed: str, outdated: set[str]
) -> None:
    (everything / changed / FILES[changed]).write_text("changed since", encoding="utf-8")
    executor.run("cpu")
    assert lacking() == outdated


def test_one_notebook_alone_touches_only_itself_and_what_it_needs(
    everything: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other pages").mkdir()
    (tmp_path / "other pages" / "a.jpg").write_bytes(b"1")
    monkeypatch.setenv("LEADWISE_DATA", str(tmp_path / "other pages"))
    executor.run("cpu", only="13_image_folds")
    assert lacking() == {"11_image_audit", "12_image_leads", "13_image_folds"}


def test_changed_parameters_of_a_notebook_that_was_not_asked_for_cost_nothing(
    everything: Path, clone: Clone
) -> None:
    profile = clone.folder / "workflow" / "profiles" / "cpu.yaml"
    text = profile.read_text(encoding="utf-8") + "\n24_image_vit: {SEEDS: [7]}\n"
    profile.write_text(text, encoding="utf-8")
    executor.run("cpu", only="21_image_beit")
    assert lacking() == set()
    executor.run("cpu")
    assert lacking() == {"24_image_vit"}


def test_force_with_one_notebook_makes_that_one_again(everything: Path) -> None:
    executor.run("cpu", only="34_signal_transfer", force=True)
    assert lacking() == {"34_signal_transfer"}


def test_a_broken_data_folder_does_not_stop_notebooks_on_recordings(
    everything: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADWISE_DATA", str(everything / "nothing here"))
    assert executor.run("cpu", only="34_signal_transfer").error is None
    assert lacking() == set()


def test_an_outdated_result_is_kept_beside_until_the_next_one_is(everything: Path) -> None:
    aside = paths.result_path("cpu", "11_image_audit").with_name("result.outdated.json")
    page = everything / "pages" / FILES["pages"]
    listings = []
    for state in ("first", "second change"):
        listings.append(
            json.loads(paths.result_path("cpu", "11_image_audit").read_text("utf-8"))["data_listing"]
        )
        page.write_text(state, encoding="utf-8")
        executor.run("cpu", only="11_image_audit")
        assert json.loads(aside.read_text(encoding="utf-8"))["data_listing"] == listings[-1]
        done(["11_image_audit"])
    assert listings[0] != listings[1]


@pytest.mark.parametrize("text", ["[]", "null", "7", '"x"', "", '{"parameters"', "[" * 100_000])
def test_a_result_that_is_none_is_made_again_and_stops_no_command(everything: Path, text: str) -> None:
    path = paths.result_path("cpu", "34_signal_transfer")
    path.write_text(text, encoding="utf-8")
    assert "34_signal_transfer" not in executor.made_by_other_code("cpu")
    assert executor.run("cpu", only="34_signal_transfer").error is None
    assert lacking() == {"34_signal_transfer"}


def test_a_result_of_an_older_version_is_made_again(everything: Path) -> None:
    path = paths.result_path("cpu", "34_signal_transfer")
    result = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(result | {"data_listing": "0123456789ab"}), encoding="utf-8")
    executor.run("cpu")
    assert lacking() == {"34_signal_transfer"}


@pytest.mark.parametrize(
    ("profile", "cores", "jobs", "threads"),
    [
        ("cpu", None, None, 6),
        ("cpu", 4, None, 4),
        ("cpu", None, 2, 2),
        ("cpu", 2, 8, 2),
        ("sample", None, None, 1),
        ("sample", None, 2, 2),
    ],
)
def test_a_notebook_trains_as_many_networks_at_once_as_were_asked_for_or_as_there_are_cores(
    clone: Clone,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    profile,
    cores,
    jobs,
    threads,
) -> None:
    asked: list[int] = []

    def snakemake(*call: object) -> executor.Outcome:
        asked.append(call[-1])  # type: ignore[arg-type]
        return executor.Outcome([], None)

    monkeypatch.setattr(executor, "_snakemake", snakemake)
    monkeypatch.setattr(executor.processes, "available_cores", lambda: 6)
    executor.run(profile, cores=cores, jobs=jobs)
    assert asked == [threads]
    capped = "8 trainings at once on 2 cores would only wait for each other: 2 go on.\n"
    assert capsys.readouterr().out == (capped if jobs == 8 else "")
