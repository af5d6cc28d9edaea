"""Pages and signals stay where they are: nothing is sent anywhere, and no file is left that nobody asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
import serve_a_while
from watched import SHARED_MEMORY, Watched, can_be_apart, watch

import leadwise
from leadwise import quiet
from leadwise.sets.sample import unpack_excerpts

RESTS_S = 14
"""onnxruntime's reporting first asks for an address 10 s after its import (1.31.1, seen without the switch)."""

LEFT_BY_FIGURES = (".cache/matplotlib/", ".config/matplotlib/", ".ipython/")
"""matplotlib's list of this machine's fonts and IPython's profile, below the home: docs/privacy.md names them."""

NOT_APART = "this machine lets nobody make a network apart (unshare --map-root-user --net --mount, and ip)"

CLONE = Path(leadwise.__file__).parents[1]
PROGRAM = (sys.executable, "-m", "leadwise")
Watching = dict[str, Future[Watched]]


@pytest.fixture(scope="module")
def watching(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """What a user does, all of it at once, since most of the time one of them waits."""
    folder = tmp_path_factory.mktemp("watched")
    page = str(min(sample_folder.rglob("*.jpg")))
    record = str(unpack_excerpts(folder / "records") / "100.hea")
    note = folder / "note.ipynb"
    nbformat.write(_notebook(page), note)
    commands = {
        "serve": [
            *(sys.executable, serve_a_while.__file__),
            *(str(RESTS_S), page, f"{record},{Path(record).with_suffix('.dat')}"),
        ],
        "run": [*PROGRAM, "run", "--only", "11_image_audit"],
        "predict": [*PROGRAM, "predict", page, record, "--overlay", "answers"],
        "digitize": [*PROGRAM, "digitize", page, "--out", "leads", "--overlay"],
        "audit": [
            *PROGRAM,
            "audit",
            str(_four_pages(sample_folder, folder / "pages")),
            "--html",
            "audit.html",
        ],
        "notebook": [sys.executable, "-m", "papermill", "--no-progress-bar", str(note), "done.ipynb"],
    }
    with ThreadPoolExecutor(3) as together:
        yield {
            name: together.submit(
                watch,
                command,
                folder / name,
                LEADWISE_RUNS=str(folder / "runs"),
                LEADWISE_REPOSITORY=str(CLONE),
            )
            for name, command in commands.items()
        }


def _notebook(page: str) -> nbformat.NotebookNode:
    """A figure and the student, as a user's own notebook has them."""
    cells = (
        f"import leadwise\nanswer = leadwise.predict({page!r})",
        "import matplotlib.pyplot as plt\nplt.bar(list(answer.probabilities), list(answer.probabilities.values()))\n"
        "plt.savefig('figure.png')",
    )
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel
    )


def _four_pages(sample: Path, folder: Path) -> Path:
    """Pages in two folders under names and bytes that no catalogue knows, so that their headers are read."""
    for number, page in enumerate(sorted(sample.rglob("*.jpg"))[:4]):
        target = folder / "ab"[number % 2] / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(page.read_bytes() + b"\0")
    return folder


@pytest.mark.parametrize("what", ["predict", "digitize", "serve"])
def test_what_answers_for_pages_and_records_leaves_nothing_behind(watching: Watching, what: str) -> None:
    ended = watching[what].result()
    assert ended.status == 0, ended.said
    assert ended.left == ()


@pytest.mark.parametrize("what", ["audit", "run", "notebook"])
def test_what_draws_figures_leaves_outside_their_folder_only_what_the_document_names(
    watching: Watching, what: str
) -> None:
    ended = watching[what].result()
    assert ended.status == 0, ended.said
    assert [path for path in ended.left if not path.removeprefix("home/").startswith(LEFT_BY_FIGURES)] == []


@pytest.mark.skipif(not can_be_apart(), reason=NOT_APART)
@pytest.mark.parametrize("what", ["predict", "digitize", "audit", "serve", "run", "notebook"])
def test_nothing_is_sent_and_no_address_is_asked_for(watching: Watching, what: str) -> None:
    assert watching[what].result().sent == ()


@pytest.mark.skipif(not can_be_apart(), reason=NOT_APART)
def test_a_name_an_address_and_a_file_would_have_been_seen(tmp_path: Path) -> None:
    script = f"""
import contextlib, pathlib, socket, tempfile
with contextlib.suppress(OSError):
    socket.getaddrinfo("hospital.example", 443)
for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    with contextlib.suppress(OSError), socket.socket(family) as speaks:
        speaks.connect((address, 443))
pathlib.Path("{SHARED_MEMORY}/a").touch()
pathlib.Path(tempfile.gettempdir(), "b").touch()
pathlib.Path("~/.c").expanduser().touch()
"""
    ended = watch([sys.executable, "-c", script], tmp_path)
    assert {"192.0.2.1:443", "[2001:db8::1]:443", "where is hospital.example"} <= set(ended.sent or ())
    assert ended.left == ("home/.c", "tmp/b", f"{SHARED_MEMORY}/a")


def test_whoever_imports_leadwise_first_has_reporting_switched_off() -> None:
    told = (
        "import os, leadwise, onnxruntime; print([os.environ.get(name) for name in leadwise.quiet.SWITCHES])"
    )
    said = subprocess.check_output([sys.executable, "-W", "error", "-c", told], env=_unset(), text=True)
    assert said.strip() == str(list(quiet.SWITCHES.values()))


def test_who_imports_it_too_late_is_told() -> None:
    late = [sys.executable, "-c", "import sys; sys.modules['onnxruntime'] = sys; import leadwise"]
    assert (
        "import leadwise first"
        in subprocess.run(late, env=_unset(), capture_output=True, text=True, check=True).stderr
    )
    quietly = subprocess.run(late, env=_unset() | quiet.SWITCHES, capture_output=True, text=True, check=True)
    assert quietly.stderr == ""


def test_jupyterlab_of_make_lab_asks_for_neither_news_nor_updates() -> None:
    from jupyterlab import NeverCheckForUpdate
    from jupyterlab.labapp import LabApp

    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # `make test`
    told = subprocess.check_output(["make", "--dry-run", "lab"], cwd=CLONE, env=alone, text=True)
    recipe = told.splitlines()[-1]
    started = LabApp()
    started.parse_command_line([word for word in recipe.split() if word.startswith("--")])
    assert started.news_url is None
    assert started.check_for_updates_class is NeverCheckForUpdate
    assert started.extension_manager == "readonly"
    assert "import leadwise;" in recipe, "kernels inherit what it switches off"


def test_the_document_names_every_switch_and_every_place() -> None:
    text = (CLONE / "docs" / "privacy.md").read_text(encoding="utf-8")
    for word in (*quiet.SWITCHES, *LEFT_BY_FIGURES, "tests/unit/test_privacy.py"):
        assert word in text


def _unset() -> dict[str, str]:
    """This process's environment, which has been switched off, as it was before."""
    return {name: value for name, value in os.environ.items() if name not in quiet.SWITCHES}
