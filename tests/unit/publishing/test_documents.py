"""What README, docs and the other pages say of data, files and commands is so."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from leadwise.cli.app import app
from leadwise.folds.pages import fingerprint, published
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.publishing.markdown import anchor
from leadwise.sets.catalogue import shipped
from leadwise.sets.sources import SOURCES

REPOSITORY = Path(__file__).resolve().parents[3]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
WORDS = " ".join(README.split())
PAGES = [
    path
    for pattern in ("*.md", "*/*.md", "tests/benchmarks/*.md", "leadwise/resources/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())


def text_of(*parts: str) -> str:
    return REPOSITORY.joinpath(*parts).read_text(encoding="utf-8")


def test_the_readme_is_read_in_minutes() -> None:
    assert len(re.sub(r"<!--.*?-->", "", README).split()) <= 2500


def test_counts_are_those_of_the_shipped_catalogue():
    pages = shipped()
    count = pages["label"].value_counts()
    fast = pages[pages["heart_rate_bpm"] > 90]["label"].value_counts()
    assert f"{pages['copies'].sum()} files, and {len(pages)} different pages" in WORDS
    assert f"Only {count['mi']} distinct pages are MI and {count['history_of_mi']} history of MI" in WORDS
    assert f"{fast['abnormal_heartbeat']} of its {count['abnormal_heartbeat']} pages exceed 90 bpm" in WORDS
    assert "no normal page does" in WORDS
    assert "normal" not in fast


def test_the_folds_fingerprint_is_that_of_the_published_folds():
    assert f"fingerprint `{fingerprint(published())}`" in text_of("docs", "your-own-pages.md")


def test_the_model_card_counts_as_the_catalogue_does():
    card = " ".join(
        (REPOSITORY / "leadwise" / "resources" / "MODEL_CARD.md").read_text(encoding="utf-8").split()
    )
    pages = shipped()
    count, women = pages["label"].value_counts(), pages[pages["sex"] == "female"]
    assert f"All {len(pages)} distinct pages" in card
    counted = [f"{count[label]} {label.replace('_', ' ')}" for label in ("normal", "abnormal_heartbeat")]
    assert f"{', '.join(counted)}, {count['history_of_mi']} history of MI, {count['mi']} MI" in card
    assert f"There are {count['mi']} such pages, two of women" in card
    assert (women["label"] == "mi").sum() == 2
    assert f"{len(women)} of the {len(pages)} pages are of women" in card
    assert pages.loc[pages["label"] == "abnormal_heartbeat", "heart_rate_bpm"].min() >= 60
    assert "not a medical device" in card.partition(" --- ")[2][:200]


def test_every_notebook_stands_in_the_table():
    for name in NOTEBOOKS:
        assert re.search(rf"\| \[{name}\]\([a-z_]+/{name}\.ipynb\) \|", README), name


def test_the_headline_table_is_short_and_each_line_has_its_interval_and_its_run() -> None:
    (text,) = re.findall(r"tables: headline -->\n(.*?)<!-- end of table", README, re.DOTALL)
    heads, _, *lines = [
        [cell.strip() for cell in line[1:-1].split("|")] for line in text.splitlines() if line[:1] == "|"
    ]
    assert 1 <= len(lines) <= 8
    for line in lines:
        told = dict(zip(heads, line, strict=True))
        assert re.fullmatch(r"\d\.\d+ to \d\.\d+", told["95 % interval"]), line
        assert told["n"], line
        assert told["data"], line
        assert told["run"].strip("`") in {*NOTEBOOKS, "score_shipped"}, line


def test_every_other_table_of_results_stands_in_results_alone() -> None:
    assert re.findall(r"<!-- leadwise tables: (\w+) -->", README) == [
        "notebooks_chart",
        "notebooks",
        "headline",
    ]


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        file, _, place = target.partition("#")
        found = page.parent / file if file else page
        assert found.exists(), f"{page.name}: {target}"
        if place:
            assert place in anchors(found), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#+ .+$", text, re.MULTILINE)}


def test_every_page_of_docs_is_listed() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", text_of("docs", "README.md")))
    assert listed == {path.name for path in (REPOSITORY / "docs").glob("*.md")} - {"README.md"}


def commands(page: Path) -> list[list[str]]:
    """What a page tells one to type in a shell, word by word, without comments."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:bash)?\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`((?:leadwise|make) [^`]+)`", text)
    typed = (
        shlex.split(line, comments=True)
        for line in lines
        if re.match(r"(\.venv/bin/)?(leadwise|make|python) ", line)
    )
    return [[words[0].removeprefix(".venv/bin/"), *words[1:]] for words in typed]


@each_page
def test_a_command_that_is_shown_is_there_with_its_options(page: Path) -> None:
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    targets = set(re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE))
    for program, *words in commands(page):
        said = f"{page.name}: {program} {' '.join(words)}"
        if program == "make":
            assert {word for word in words if "=" not in word} <= targets, said
        elif program == "leadwise" and not words[0].startswith("-"):
            assert words[0] in known, said
            options = {
                name for param in known[words[0]].params for name in (*param.opts, *param.secondary_opts)
            }
            assert {word for word in words[1:] if word.startswith("-") and word != "-"} <= options | {
                "--help"
            }, said
        elif program == "python" and words[0] != "-m":
            assert (REPOSITORY / words[0]).is_file(), said
        for word in words:
            if word.startswith("tests/"):
                assert (REPOSITORY / word).exists(), said


def test_commands_are_looked_for_where_they_stand() -> None:
    assert ["leadwise", "predict", "page.jpg", "--overlay", "answer.png"] in commands(
        REPOSITORY / "README.md"
    )
    assert ["leadwise", "fetch", "mitdb"] in commands(REPOSITORY / "docs" / "public-sets.md")
    assert ["leadwise", "tables", "--check"] in commands(REPOSITORY / "CONTRIBUTING.md")


def test_the_answer_that_is_shown_is_the_answer(sample_folder: Path) -> None:
    shown = README.partition("```\npage.jpg\n")[2].partition("```")[0]
    (infarction,) = sample_folder.rglob("MI(1).jpg")
    done = subprocess.run(
        [sys.executable, "-m", "leadwise", "predict", "--cores", "1", str(infarction)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.partition("\n")[2].rstrip() == shown.rstrip()


def test_every_set_that_can_be_fetched_or_is_looked_at_is_told_and_credited() -> None:
    told, credit = text_of("docs", "public-sets.md"), text_of("leadwise", "resources", "CREDITS.md")
    for name, source in SOURCES.items():
        assert f"leadwise fetch {name} " in told
        assert f"*{source.title}*" in credit
        assert f"*{source.title}*" in README
    for folder in {name for row in NOTEBOOKS.values() for name in row.data} - {"pages"}:
        assert f"`{folder}/`" in told


def test_the_recipes_name_tests_that_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", text_of("CONTRIBUTING.md")))
    modules = (path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    assert named
    assert named <= {name for text in modules for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}


def test_it_says_early_that_this_is_no_medical_device():
    assert "Research use only, not a medical device" in WORDS[:900]
