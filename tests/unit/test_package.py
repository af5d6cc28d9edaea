"""The package as others get it works without the clone and without torch: a page, a scan, a record, the server."""

from __future__ import annotations

import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import httpx2
import pytest
from installed import CLONE, Environment, build_both, install

import leadwise
from leadwise.sets.sample import example_page, unpack_excerpts

LARGEST_WHEEL_MB = 14

Built = tuple[Path, Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_both(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(built[1], tmp_path_factory.mktemp("installed") / "env")


@pytest.fixture(scope="module")
def page(installed: Environment) -> Path:
    name, data = example_page()
    path = installed.work / name
    path.write_bytes(data)
    return path


def test_the_wheel_is_small_and_holds_the_package_alone(built: Built) -> None:
    _, wheel = built
    assert wheel.stat().st_size <= LARGEST_WHEEL_MB * 1e6
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    of_clone = {
        path.relative_to(CLONE).as_posix()
        for path in (CLONE / "leadwise").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == of_clone


def test_the_sdist_holds_what_it_takes_to_build_it(built: Built) -> None:
    with tarfile.open(built[0]) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    asked = {path.relative_to(CLONE).as_posix() for path in (CLONE / "requirements").glob("*.txt")}
    assert asked - {"requirements/test.txt"} <= names
    assert {"LICENSE", "leadwise/resources/CREDITS.md", "pyproject.toml", "README.md"} <= names


def test_nothing_of_this_environment_but_what_it_asks_for_is_there(installed: Environment) -> None:
    """Else these tests would show nothing."""
    for module in ("torch", "sklearn", "fastapi", "snakemake"):
        assert f"No module named '{module}'" in installed.run("python", "-c", f"import {module}").stderr
    at = installed.run("python", "-c", "import leadwise; print(leadwise.__file__, leadwise.__version__)")
    file, version = at.stdout.split()
    assert Path(file).is_relative_to(installed.folder)
    assert version == leadwise.__version__


def test_the_example_is_answered_with_what_it_is_worth(installed: Environment) -> None:
    done = installed.run("leadwise", "predict", "--example", "--overlay", "answer.png")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "MI(1).jpg"), done.stderr
    assert "the model was trained on it" in done.stderr
    card = re.search(r"\S+MODEL_CARD\.md", done.stderr)
    assert card is not None
    assert Path(card[0]).is_file()
    assert (installed.work / "answer.png").stat().st_size > 100_000


def test_a_page_is_answered_and_its_leads_are_read(installed: Environment, page: Path) -> None:
    done = installed.run("leadwise", "predict", page.name, "--csv")
    assert (done.returncode, done.stdout.splitlines()[1].split(",")[1]) == (0, "mi"), done.stderr
    done = installed.run("leadwise", "digitize", page.name, "--out", "signals", "--overlay")
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (installed.work / "signals").iterdir()}
    own = {f"MI(1){end}" for end in (".csv", ".json", "_overlay.png")}
    assert written == own | {"MI_1_.hea", "MI_1_.dat", "digitized.csv"}


def test_a_recording_is_answered(installed: Environment) -> None:
    unpack_excerpts(installed.work)
    done = installed.run("leadwise", "predict", "mitdb/100.hea", "--overlay", "strip.png")
    assert done.returncode == 0, done.stderr
    assert "beats" in done.stdout
    assert (installed.work / "strip.png").stat().st_size > 10_000


@pytest.mark.parametrize("command", ["run", "report", "tables", "publish --profile cpu"])
def test_without_a_clone_it_is_told_what_needs_one(installed: Environment, command: str) -> None:
    done = installed.run("leadwise", *command.split())
    assert done.returncode == 2
    assert "is not inside a clone of leadwise" in done.stderr
    assert "predict, digitize, serve, audit and score-shipped do not" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_published_network_is_told_to_lie_in_the_repository(installed: Environment) -> None:
    done = installed.run("python", "-c", "import leadwise; leadwise.load('leads12', seed=1, fold=2)")
    assert "MissingInput" in done.stderr.splitlines()[-1]
    assert "lie in analysis/results/leads12 of the repository" in done.stderr


@pytest.mark.parametrize("command", ["audit .", "folds . --out folds.csv"])
def test_what_needs_more_packages_names_them_at_once(
    installed: Environment, page: Path, command: str
) -> None:
    assert page.is_file()
    done = installed.run("leadwise", *command.split())
    assert done.returncode == 2
    assert done.stderr.startswith("sklearn is not installed, and this command needs it: pip install")
    assert len(done.stderr.splitlines()) == 1


def test_notebooks_need_more_packages_even_in_a_clone(installed: Environment, tmp_path: Path) -> None:
    variables = installed.variables() | {"LEADWISE_RUNS": str(tmp_path)}
    command = [str(installed.folder / "bin" / "leadwise"), "run"]
    done = subprocess.run(command, cwd=CLONE, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("snakemake is not installed")
    assert list(tmp_path.iterdir()) == []


def test_the_server_answers_a_page_and_is_healthy(
    built: Built, page: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    served = install(built[1], tmp_path_factory.mktemp("served") / "env", "serve")
    command = [str(served.folder / "bin" / "leadwise"), "serve", "--port", "0", "--cores", "1"]
    with subprocess.Popen(
        command, cwd=served.work, env=served.variables(), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            address = re.search(r"http://[\d.:]+", server.stdout.readline())
            assert address is not None
            answer = httpx2.post(
                f"{address[0]}/predict", files={"file": (page.name, page.read_bytes())}, timeout=60
            )
            assert (answer.status_code, answer.json()["label"]) == (200, "mi")
            asked = health_check().replace("http://127.0.0.1:8000", address[0])
            assert served.run("python", "-c", asked).returncode == 0
        finally:
            server.terminate()
    assert served.run("python", "-c", asked).returncode != 0, "the health check cannot fail"


# --- the image ---------------------------------------------------------------------------------

DOCKERFILE = (CLONE / "Dockerfile").read_text(encoding="utf-8")


def health_check() -> str:
    """The program of Python by which an engine asks whether the server answers."""
    (found,) = re.findall(r'^HEALTHCHECK .*CMD \["python", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    return str(found)


def test_the_image_takes_what_is_there_and_runs_as_nobody_in_particular() -> None:
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    copied = {name for names in copies for name in names}
    assert copied
    assert {name for name in copied if not (CLONE / name).exists()} == set()
    user = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert user
    assert user[-1] not in ("root", "0")
    (command,) = [line for line in lines if line.startswith("CMD ")]
    assert '"serve", "--host", "0.0.0.0"' in command
    ignored = (CLONE / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:].rstrip("/") for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert allowed == copied
