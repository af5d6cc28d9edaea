"""Real pages for all tests: the embedded sample, unpacked once, and the whole set where it was restored."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pandas as pd
import pytest

from leadwise.sets.catalogue import build_catalogue, find_pages
from leadwise.sets.sample import unpack_sample


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector, which each training calls, need not look at all of it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 real pages with their copies, 155 files; tests read it and write elsewhere."""
    return unpack_sample(tmp_path_factory.mktemp("sample") / "pages")


@pytest.fixture(scope="session")
def sample_pages(sample_folder: Path) -> pd.DataFrame:
    """The sample as `pages.csv`; its paths are relative to `sample_folder`."""
    return build_catalogue(find_pages(sample_folder).files, sample_folder)[0]


@pytest.fixture(scope="session")
def whole_set() -> Path:
    """The folder with all 928 files, for tests that only then mean something."""
    if not (folder := os.environ.get("LEADWISE_DATA")):
        pytest.skip("LEADWISE_DATA is not set: it names the folder with the whole set of 928 files")
    return Path(folder)
