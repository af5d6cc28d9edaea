"""The report of a profile: a site that opens from disk, whose links lead somewhere, and that executes nothing."""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from miniature import Clone
from PIL import Image
from sites import broken_links, fetched, pages, policies

from leadwise.errors import MissingInput
from leadwise.project import paths
from leadwise.publishing.report import CARDS, write_report
from leadwise.scores.draws import Interval
from leadwise.scores.table import stated
from leadwise.tables import write_table

REPOSITORY = Path(__file__).resolve().parents[3]


def png() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(held, "PNG")
    return held.getvalue()


def cell(number: int, source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    code = {"execution_count": number, "outputs": list(outputs)} if number else {}
    kind = "code" if number else "markdown"
    return {"cell_type": kind, "id": f"c{number}", "metadata": {}, "source": source} | code


def executed(clone: Clone, name: str, *cells: dict[str, Any], figures: tuple[str, ...] = ()) -> Path:
    """A notebook as `leadwise run` leaves it, with the pictures that it drew."""
    folder = clone.result(name).parent
    folder.mkdir(parents=True)
    notebook = {"cells": cells, "metadata": {"widgets": {"made": {}}}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "notebook.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    for figure in figures:
        (folder / f"{figure}.png").write_bytes(png())
    files = ["notebook.ipynb", "trainings/inner.png", *(f"{figure}.png" for figure in figures)]
    result = {
        "files": files, "started": "2026-01-02T03:04:05+00:00", "seconds": 90.0, "data_fingerprint": "5e22c299034b",
        "code_fingerprint": "old",
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


@pytest.fixture
def site(clone: Clone) -> Path:
    """The report of two notebooks, with a card that links to what is there and to what is not."""
    shown = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/png": base64.b64encode(png()).decode()},
    }
    story = (
        "# 11 What is here?\n\nThen [the leads](12_image_leads.ipynb) and [the folds](13_image_folds.ipynb)."
    )
    raising = cell(1, 'raise RuntimeError("executed")\nrun.figure(drawn, "all_pages")', shown)
    executed(clone, "11_image_audit", cell(0, story), raising, figures=("all_pages", "unnamed"))
    executed(clone, "12_image_leads", cell(0, "# 12 Leads"))
    card = clone.folder / CARDS["model_card"][0]
    card.parent.mkdir(parents=True)
    links = (
        "[11](../../data_processing/11_image_audit.ipynb) [13](../../data_processing/13_image_folds.ipynb)"
    )
    (card.parent / "numbers.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    card.write_text(
        f"# A card\n\n{links} [rows](numbers.csv) [doi](https://doi.org/10.1) "
        "[gone](gone.csv) [out](../../../up.md)\n",
        encoding="utf-8",
    )
    return write_report("sample").parent


def test_every_link_of_a_report_leads_somewhere(site: Path) -> None:
    assert broken_links(site) == []


def test_a_report_needs_no_network_and_runs_no_script(site: Path) -> None:
    assert fetched(site) == []


def test_under_its_policy_no_script_of_an_output_runs_and_pictures_show(site: Path) -> None:
    for page, allowed in policies(site).items():
        assert allowed["default-src"] == "'none'", page
        assert not {"script-src", "script-src-elem", "script-src-attr"} & set(allowed), page
        assert set(allowed["img-src"].split()) == {"'self'", "file:", "data:"}, page


def test_a_link_in_place_of_the_folder_aside_is_not_followed(site: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    site.with_name(f".{site.name}.aside").symlink_to(victim)
    assert write_report("sample").parent == site
    assert not any(victim.iterdir())
    assert not site.is_symlink()


def test_each_figure_is_linked_to_the_cell_that_drew_it(site: Path) -> None:
    figures = pages(site)[site / "figures.html"].find_all("figure")
    links = {figure.img["src"]: figure.figcaption.a["href"] for figure in figures}
    assert links == {
        "figures/11_image_audit/all_pages.png": "notebooks/11_image_audit.html#cell-id=c1",
        "figures/11_image_audit/unnamed.png": "notebooks/11_image_audit.html",
    }
    (shown,) = pages(site)[site / "notebooks" / "11_image_audit.html"].select(".jp-RenderedImage img")
    assert shown["alt"] == "all pages"


def test_a_link_to_a_notebook_that_has_not_run_becomes_words(site: Path) -> None:
    story = pages(site)[site / "notebooks" / "11_image_audit.html"]
    assert [link["href"] for link in story.select("main a[href*=notebooks]")] == [
        "../notebooks/12_image_leads.html"
    ]
    assert "the folds" in story.get_text()
    card = pages(site)[site / "model_card.html"]
    targets = [link["href"] for link in card.select("main a")]
    assert targets == [
        "notebooks/11_image_audit.html", "files/leadwise/resources/numbers.csv", "https://doi.org/10.1",
    ]  # fmt: skip


def test_what_has_not_run_and_what_is_older_than_the_code_is_named(site: Path) -> None:
    rows = [row.get_text(" ", strip=True) for row in pages(site)[site / "index.html"].select("tr")]
    assert rows[1].startswith("11_image_audit What is here? 2026-01-02, 1.5 min before the code last changed")
    assert rows[3] == "13_image_folds has not run under this profile"


def test_every_page_says_that_this_is_no_medical_device(site: Path) -> None:
    for path, soup in pages(site).items():
        assert "Research use only, not a medical device" in soup.get_text()[:2000], path.name


def test_the_samples_figures_are_called_meaningless(site: Path) -> None:
    assert "mean nothing" in pages(site)[site / "index.html"].get_text()


def test_a_report_takes_the_place_of_an_earlier_one_and_of_nothing_else(site: Path) -> None:
    (site / "notebooks" / "old.html").write_text("old", encoding="utf-8")
    assert write_report("sample").parent == site
    assert not (site / "notebooks" / "old.html").exists()
    other = site.parent / "thesis"
    other.mkdir()
    for name in ("chapter.md", "index.html"):
        (other / name).write_text("years of work", encoding="utf-8")
        with pytest.raises(MissingInput, match="something else than a report"):
            write_report("sample", other)
    assert (other / "chapter.md").is_file()


def test_a_report_goes_into_the_working_folder_and_to_where_a_link_leads(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, link = site.parent / "there", site.parent / "link"
    there.mkdir()
    link.symlink_to(there)
    monkeypatch.chdir(there)
    for target in (Path(), link):
        assert write_report("sample", target) == there / "index.html"
        assert Path("index.html").is_file(), "the working folder is gone"
    assert link.is_symlink()
    assert not [*site.parent.glob(".*.aside")]


def test_a_report_shows_every_card_that_there_is() -> None:
    shown = {Path(place).name for place, _ in CARDS.values()}
    assert {path.name for path in (REPOSITORY / "leadwise" / "resources").glob("*_CARD.md")} < shown


def test_where_nothing_has_run_the_command_says_what_to_run(clone: Clone) -> None:
    done = clone.leadwise("report", "--profile", "cpu")
    assert done.returncode == 2
    assert "Run them first: leadwise run --profile cpu" in done.stderr
    assert not (paths.runs_folder() / "cpu" / "report").exists()


@pytest.mark.parametrize("text", ["[]", "null", "7", '"x"', ""])
def test_a_result_that_is_no_json_object_counts_as_none(clone: Clone, site: Path, text: str) -> None:
    clone.result("12_image_leads").write_text(text, encoding="utf-8")
    write_report("sample")
    rows = [row.get_text(" ", strip=True) for row in pages(site)[site / "index.html"].select("tr")]
    assert rows[2] == "12_image_leads has not run under this profile"


def test_the_published_tables_stand_in_the_report_with_their_notebook(clone: Clone, site: Path) -> None:
    results = clone.folder / "analysis" / "results"
    results.mkdir(parents=True)
    for name in ("scores.csv", "differences.csv", "runs.csv"):
        shutil.copyfile(REPOSITORY / "analysis" / "results" / name, results / name)
    write_report("sample")
    shown = pages(site)[site / "results.html"]
    of_leads = next(head for head in shown.select("h2") if head.get_text() == "From a page to millivolts")
    assert "pages whose twelve leads were found" in of_leads.find_next("table").get_text()
    assert of_leads.find_next("a", href=True)["href"] == "notebooks/12_image_leads.html"
    assert broken_links(site) == []


def test_what_the_readme_links_to_is_reached_from_the_report(clone: Clone, site: Path) -> None:
    results = Path("analysis", "results")
    for place in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs",
        "analysis/RESULTS.md",
        "analysis/figures",
        results,
    ):
        source, copy = REPOSITORY / place, clone.folder / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("answers", "leads12"))
        else:
            shutil.copyfile(source, copy)
    write_report("sample")
    assert broken_links(site) == []
    readme = pages(site)[site / "readme.html"]
    assert "flowchart" not in readme.get_text(), "a chart that nothing draws"
    links = {link["href"].partition("#")[0] for link in readme.select("main a[href]")}
    assert {"results.html", "docs-README.html", "docs-your-own-pages.html", "CONTRIBUTING.html"} <= links
    served = pages(site)[site / "docs-serve.html"]
    assert served.select_one("img")["src"] == "files/analysis/figures/serve.png"
    assert pages(site)[site / "results.html"].select_one("h2#in-another-country")


def test_the_scores_of_every_notebook_that_scores_stand_in_the_report(clone: Clone, site: Path) -> None:
    """Of 31 and 32 too, whose scores are of windows and beats."""
    folder = executed(clone, "31_signal_attention", cell(0, "# 31"))
    interval = Interval(0.55, 0.47, 0.65)
    place = {
        "task": "window",
        "protocol": "patient_folds",
        "test_set": "mitdb",
        "unit": "window",
        "n": 15_840,
    }
    place["model"] = "attention_windows"
    write_table(stated({"balanced_accuracy": interval}, **place), folder / "scores.csv", "scores.csv")
    write_report("sample")
    shown = pages(site)[site / "results.html"].get_text()
    assert "31_signal_attention: scores.csv" in shown
    assert "0.550 (0.470 to 0.650)" in shown
