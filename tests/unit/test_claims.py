"""What README, docs, cards and checklist say of models is what tables say, or has its source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from leadwise.cli.app import app
from leadwise.errors import MissingInput, TableError
from leadwise.publishing import openings, shipped_files
from leadwise.publishing.claims import ALLOWED, claims_of, problems
from leadwise.publishing.documents import read_again
from leadwise.publishing.quoted import MARK, QUOTED, quoted, with_scores
from leadwise.publishing.render import Cell, Published, figure

REPOSITORY = Path(__file__).resolve().parents[2]
PAIRED = next(name for name, one in QUOTED.items() if one.minus)
ALONE = next(name for name, one in QUOTED.items() if not one.minus)


@pytest.fixture(scope="module")
def published() -> Published:
    return Published.read(REPOSITORY / "analysis" / "results")


@pytest.fixture(scope="module")
def marked() -> list[re.Match[str]]:
    """All marks of scores in the repository's pages."""
    pages = (
        path for pattern in ("*.md", "*/*.md", "leadwise/resources/*.md") for path in REPOSITORY.glob(pattern)
    )
    return [mark for page in pages for mark in MARK.finditer(page.read_text(encoding="utf-8"))]


# --- the repository ------------------------------------------------------------------------


def test_each_number_and_each_comparison_in_prose_has_its_source() -> None:
    assert not problems(REPOSITORY), "`leadwise tables --check` says so too"


def test_each_mark_has_a_known_id_and_each_id_its_mark(marked: list[re.Match[str]]) -> None:
    assert {mark[2] for mark in marked} == set(QUOTED)


def test_numbers_in_prose_equal_tables(marked: list[re.Match[str]], published: Published) -> None:
    for mark in marked:
        assert mark[3] == figure(published, quoted(mark[2])), mark[2]
    model = published.scores.query(
        "notebook == '26_image_leads12' and model == 'leads12' and seeds == '1/2/3'"
    )
    row = model.query("metric == 'accuracy' and task == 'binary' and condition == ''").squeeze()
    told = f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    assert figure(published, quoted("page_model_binary")) == told


def test_each_published_score_of_a_test_set_is_in_the_ledger() -> None:
    assert not list(openings.faults(REPOSITORY / "analysis"))


def test_each_card_is_of_the_file_that_ships(published: Published) -> None:
    assert not shipped_files.faults(published, REPOSITORY / "leadwise" / "resources")


def test_the_command_that_checks_tables_says_what_prose_claims(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr("leadwise.publishing.documents.outdated", dict)
    monkeypatch.setattr(
        "leadwise.publishing.claims.problems", lambda _: ["README.md: '0.9' in 'It gets 0.9.'"]
    )
    with pytest.raises(SystemExit) as ended:
        app(["tables", "--check"])
    assert ended.value.code == 1
    assert "README.md: '0.9' in 'It gets 0.9.'\n" in capsys.readouterr().err


# --- scores in marks ------------------------------------------------------------------------


def test_a_mark_is_filled_by_its_id_and_the_rest_stays(published: Published) -> None:
    text = f"It is right on <!-- score:{ALONE} -->0.5<!-- /score --> of them, 0.5 of others.\n"
    filled = with_scores(text, published)
    assert filled == text.replace("-->0.5<!--", f"-->{figure(published, QUOTED[ALONE])}<!--")
    assert with_scores(filled, published) == filled
    assert figure(published, QUOTED[PAIRED])[0] in "+-"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "so <!-- score:page_modle --><!-- /score -->",
            "no score is called 'page_modle'; did you mean 'page_model'",
        ),
        (f"so <!-- score:{ALONE} -->0.956", "1 scores begin and 0 end"),
        (
            f"so <!-- score:{ALONE}-->0.956<!-- /score -->",
            "1 scores begin and 1 end: a mark of one is missing",
        ),
        (f"it is\n<!-- score:{ALONE} --><!-- /score -->", "a line begins with the mark"),
        (f"- <!-- score:{ALONE} --><!-- /score -->", "a line begins with the mark"),
    ],
)
def test_a_mark_that_cannot_be_filled_is_refused_in_words(text: str, why: str, published: Published) -> None:
    with pytest.raises(TableError, match=re.escape(why)):
        with_scores(text, published)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (Cell("accuracy", where={"model": "leads13"}), "no published row of 'accuracy' has"),
        (
            Cell("accuracy", where={"model": "leads12"}, minus="luck"),
            "no published row of 'accuracy', minus 'luck', has",
        ),
        (Cell("accuracy", where={"model": "leads12"}), r"\d+ rows have .* they differ in"),
        (
            Cell("accuracy", where={"modle": "leads12"}),
            "no column or condition 'modle'; did you mean 'model'",
        ),
    ],
)
def test_a_score_that_fits_no_row_or_several_is_refused(cell: Cell, why: str, published: Published) -> None:
    with pytest.raises(TableError, match=why):
        figure(published, cell)


def test_a_page_that_cannot_be_filled_is_named(tmp_path: Path, published: Published) -> None:
    page = tmp_path / "page.md"
    page.write_text("It is <!-- score:unknown --><!-- /score -->.\n", encoding="utf-8")
    with pytest.raises(TableError, match=re.escape(f"{page}: no score is called 'unknown'")):
        read_again(page, published)


# --- claims ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is right on 0.956 of them.", ["0.956"]),
        ("It is right on 95.6 % (94% at least).", ["95.6 %", "94%"]),
        ("It finds 27 of 36, and 197 of its 233 pages.", ["27 of 36", "197 of its 233"]),
        ("| model | 0.956 |", ["0.956"]),
        ("- It is more\n  accurate than the rate.", ["more accurate than"]),
        (
            "It is right less often. No gain was seen. Intervals overlap.",
            ["less often", "No gain", "overlap"],
        ),
        ("Its accuracy is well above the rate's.", ["is well above"]),
    ],
)
def test_a_number_or_a_comparison_in_prose_is_a_claim(text: str, found: list[str]) -> None:
    assert [" ".join(claim.found.split()) for claim in claims_of("README.md", text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "<!-- leadwise tables: headline -->\n| 0.956 |\n<!-- end of table -->",
        f"It is right on <!-- score:{ALONE} -->0.956<!-- /score -->, with a 95 % interval.",
        f"It is more accurate than the rate (<!-- score:{PAIRED} -->+0.248<!-- /score -->).",
        "```\nMI 99.8%\n``` and `from 0.5`",
        "[CC BY 4.0](https://example.org/4.0), version 1.0.3, Python 3.11, arXiv 1807.03888, doi:10.1161/CIRC.106.18",
        "Of 491 pages, 30 are MI; see the table below.",
    ],
)
def test_tables_marks_code_links_and_versions_are_no_claims(text: str) -> None:
    assert not list(claims_of("README.md", text))


def test_a_comparison_beside_a_score_that_is_no_difference_is_still_one() -> None:
    text = f"It is more accurate than the rate: <!-- score:{ALONE} -->0.956<!-- /score -->."
    (claim,) = claims_of("README.md", text)
    assert "quote a row of differences.csv in the same sentence" in claim.problem
    assert claim.problem.startswith("README.md: 'more accurate than' in 'It is more accurate than the rate")


def test_a_difference_in_another_sentence_is_no_excuse() -> None:
    text = f"It gained <!-- score:{PAIRED} -->+0.1<!-- /score -->. It is better than the rate."
    assert [claim.found for claim in claims_of("README.md", text)] == ["better than"]


def test_an_unknown_id_is_refused_where_claims_are_looked_for() -> None:
    with pytest.raises(TableError, match="no score is called 'luck'"):
        list(claims_of("README.md", "It is <!-- score:luck -->0.9<!-- /score -->."))


@pytest.fixture
def clone(tmp_path: Path) -> Callable[..., list[str]]:
    """Problems of a clone whose README, notebook and allowed lines are these."""

    def of(readme: str, *allowed: str, notebook: str = "") -> list[str]:
        for path, text in {
            "README.md": readme,
            "CONTRIBUTING.md": "",
            "analysis/REPORTING.md": "",
            "training/24_image_vit.ipynb": json.dumps(
                {
                    "cells": [
                        {"cell_type": "markdown", "source": [notebook]},
                        {"cell_type": "code", "source": ["a = 0.9"]},
                    ]
                }
            ),
            ALLOWED: "\n".join(["file,text,source", *_of_results(), *allowed]) + "\n",
        }.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        return problems(tmp_path)

    return of


def _of_results() -> list[str]:
    """The lines that let what introduces our tables stand, which is the same in every clone."""
    lines = (REPOSITORY / ALLOWED).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("leadwise/publishing/results.py,")]


def test_a_claim_is_let_by_a_line_with_its_source_wherever_lines_break(
    clone: Callable[..., list[str]],
) -> None:
    assert clone("It weighs 0.5\nkg.", "README.md,weighs 0.5 kg,scales") == []
    (problem,) = clone("It weighs 0.5\nkg, or 0.7 kg.", "README.md,weighs 0.5 kg,scales")
    assert problem.startswith("README.md: '0.7' in 'It weighs 0.5 kg, or 0.7 kg.'")
    assert "a line with its source in tests/claims_allowed.csv" in problem


def test_a_line_that_no_text_needs_any_more_is_named(clone: Callable[..., list[str]]) -> None:
    (problem,) = clone("It is light.", "README.md,weighs 0.5 kg,scales")
    assert (
        problem
        == f"{ALLOWED}: no number and no comparison stands in 'weighs 0.5 kg' of README.md: take the line out."
    )


def test_a_score_typed_into_a_notebook_is_named(clone: Callable[..., list[str]]) -> None:
    (problem,) = clone("", notebook="The page model gets 0.956, which is better than luck.")
    assert problem.startswith("training/24_image_vit.ipynb: '0.956' in")


def test_a_line_without_a_source_is_refused(clone: Callable[..., list[str]]) -> None:
    with pytest.raises(TableError, match=r"line \d+ does not say file, text and source"):
        clone("", "README.md,weighs 0.5 kg,")


def test_a_clone_without_the_file_of_sources_is_refused(tmp_path: Path) -> None:
    for name in ("README.md", "CONTRIBUTING.md", "analysis/REPORTING.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(MissingInput, match=r"no such file\. It says where numbers in prose come from"):
        problems(tmp_path)
