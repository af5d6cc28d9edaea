"""Limb leads that may be swapped, and spikes of a pacemaker, are warned of; usual hearts are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leadwise.names import LEADS
from leadwise.pages.lead_warnings import lead_warnings
from leadwise.recordings.records import read_record
from leadwise.sets.sample import unpack_recordings

RATE_HZ = 250
PACED = "00143_hr"
"""Of the embedded recordings the one with a pacemaker, as its statements say."""
Leads = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Leads]:
    """Twelve leads each of the embedded recordings of PTB-XL."""
    paths = sorted(unpack_recordings(tmp_path_factory.mktemp("ptbxl")).rglob("*.hea"))
    return {path.stem: leads_of(path.with_suffix("")) for path in paths}


def leads_of(path: Path) -> Leads:
    record = read_record(path)
    assert record.rate_hz == RATE_HZ
    return {name: np.array(record.lead(name), float) for name in LEADS}


def arms_swapped(leads: Leads) -> Leads:
    swapped = {"I": -leads["I"], "II": leads["III"], "III": leads["II"]}
    return leads | swapped | {"aVR": leads["aVL"], "aVL": leads["aVR"]}


def arm_and_leg_swapped(leads: Leads) -> Leads:
    swapped = {"I": -leads["III"], "II": -leads["II"], "III": -leads["I"]}
    return leads | swapped | {"aVR": leads["aVF"], "aVF": leads["aVR"]}


def said(leads: Leads) -> str:
    return " ".join(lead_warnings({name: signal[:625] for name, signal in leads.items()}, RATE_HZ))


def test_a_pacemaker_is_seen_and_its_leads_named_and_nothing_is_said_of_others(
    recordings: dict[str, Leads],
) -> None:
    found = {name: said(leads) for name, leads in recordings.items()}
    assert [name for name, text in found.items() if text] == [PACED]
    assert "short spikes as of a pacemaker stand in II, aVR, V2, V3, V5, V6" in found[PACED]
    assert lead_warnings(recordings[PACED], RATE_HZ, bent=True) == []


def test_swapped_limb_leads_are_mostly_seen(recordings: dict[str, Leads]) -> None:
    for swapped, least in ((arms_swapped, 0.5), (arm_and_leg_swapped, 0.4)):
        found = [said(swapped(leads)) for leads in recordings.values()]
        assert np.mean(["may be swapped" in text for text in found]) >= least
        assert any("aVR points up and" in text for text in found)


def test_leads_that_are_not_there_or_not_read_say_nothing(recordings: dict[str, Leads]) -> None:
    usual, *_ = recordings.values()
    assert lead_warnings({}, RATE_HZ) == []
    chest = {name: signal for name, signal in arms_swapped(usual).items() if name.startswith("V")}
    assert lead_warnings(chest, RATE_HZ) == []
    assert lead_warnings({name: np.full(625, np.nan) for name in LEADS}, RATE_HZ) == []
    read = np.arange(len(usual["I"])) % 50 > 2
    assert said({name: np.where(read, signal, np.nan) for name, signal in usual.items()}) == ""
