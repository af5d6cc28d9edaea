from __future__ import annotations

import re

import pytest
from miniature import Clone

from leadwise.errors import SettingsError
from leadwise.models.networks import named
from leadwise.project import profiles
from leadwise.project.notebooks import NOTEBOOKS


def write_profile(clone: Clone, text: str) -> None:
    (clone.folder / "workflow" / "profiles" / "mine.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("profile", ["sample", "cpu", "paper"])
def test_each_profile_that_is_shipped_gives_every_notebook_its_parameters(clone: Clone, profile: str) -> None:
    found = profiles.load_profile(profile)
    assert list(found) == list(NOTEBOOKS)
    assert {parameters.PROFILE for parameters in found.values()} == {profile}


def test_a_default_reaches_the_notebooks_that_know_it_and_a_notebook_overrules_it(clone: Clone) -> None:
    write_profile(clone, "defaults: {SEEDS: [1, 2]}\n24_image_vit: {SEEDS: [3]}\n")
    found = profiles.load_profile("mine")
    assert found["21_image_beit"].model_dump()["SEEDS"] == [1, 2]
    assert found["24_image_vit"].model_dump()["SEEDS"] == [3]
    assert "SEEDS" not in found["11_image_audit"].model_dump()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("24_image_vit: {EPOCS: 3}", "24_image_vit: unknown parameter 'EPOCS': did you mean 'EPOCHS'?"),
        ("defaults: {MAX_STEP: 1}", "unknown parameter 'MAX_STEP': did you mean 'MAX_STEPS'?"),
        ("24_image_wit: {}", "unknown word '24_image_wit': did you mean '24_image_vit'?"),
        ("24_image_vit: {EPOCHS: '3'}", "EPOCHS: input should be a valid integer, but it is '3'"),
        ("24_image_vit: {EPOCHS: true}", "EPOCHS: input should be a valid integer, but it is True"),
        ("24_image_vit: {FOLDS: [6]}", "FOLDS: input should be less than or equal to 5, but it is 6"),
        ("24_image_vit: {FOLDS: [1, 1]}", "FOLDS: names one twice"),
        ("24_image_vit: {TASKS: [three]}", "TASKS: input should be 'four' or 'binary'"),
        (
            "41_student_distill: {LOSSES: [untaught]}",
            "REPEATED holds consistent, which LOSSES does not",
        ),
        ("41_student_distill: {REPEATED: [consistent]}", "REPEATED must hold 'untaught'"),
        (
            "24_image_vit: {MODEL: vit_micra}",
            "24_image_vit: MODEL: No network is called 'vit_micra'; did you mean 'vit_micro'?",
        ),
        (
            "24_image_vit: {MODEL: beit_micro}",
            "MODEL: 'beit_micro' is no network that fits here; did you mean",
        ),
        ("32_signal_networks: {MODELS: [heartbeat_cn]}", "MODELS: No network is called 'heartbeat_cn'"),
        ("34_signal_transfer: {MODEL: heartbeat_mlp}", "MODEL: 'heartbeat_mlp' is no network that fits here"),
        (
            "32_signal_networks: {MODELS: [all of hartbeat]}",
            "32_signal_networks: MODELS: No family of networks is called 'hartbeat'; did you mean 'heartbeat'?",
        ),
        ("32_signal_networks: {MODELS: [all of heartbeat, heartbeat_mlp]}", "MODELS: names one twice"),
        ("24_image_vit: 3", "24_image_vit: must hold 'PARAMETER: value' lines"),
        ("- 24_image_vit", "must be a mapping"),
        ("{", "not readable as YAML"),
    ],
)
def test_a_wrong_word_or_value_names_the_file_and_what_would_be_right(
    clone: Clone, text: str, said: str
) -> None:
    write_profile(clone, text)
    with pytest.raises(SettingsError, match=rf"^workflow/profiles/mine\.yaml: .*{re.escape(said)}"):
        profiles.load_profile("mine")


def test_all_of_a_family_is_written_out_when_a_profile_is_read(clone: Clone) -> None:
    lists = "[all of heartbeat but heartbeat_resnet398, beat_rhythm]"
    write_profile(
        clone, f"32_signal_networks: {{MODELS: {lists}, REPEATED: [], LEAKY: [], FIXED: [all of heartbeat]}}"
    )
    with pytest.raises(SettingsError, match="FIXED holds heartbeat_resnet398, which MODELS does not"):
        profiles.load_profile("mine")
    write_profile(
        clone, f"32_signal_networks: {{MODELS: &all {lists}, REPEATED: [], LEAKY: *all, FIXED: *all}}"
    )
    found = profiles.parameters("mine", "32_signal_networks").model_dump()
    assert found["MODELS"] == found["LEAKY"]
    assert found["MODELS"][-1] == "beat_rhythm"
    assert set(found["MODELS"]) == set(named(family="heartbeat")) - {"heartbeat_resnet398"} | {"beat_rhythm"}


def test_an_unknown_profile_or_notebook_is_told_the_nearest(clone: Clone) -> None:
    with pytest.raises(SettingsError, match="unknown profile 'smaple': did you mean 'sample'"):
        profiles.load_profile("smaple")
    with pytest.raises(SettingsError, match="unknown notebook '21_image_bait': did you mean '21_image_beit'"):
        profiles.parameters("sample", "21_image_bait")


def test_an_autoencoder_begins_from_one_training_so_its_epochs_are_fixed() -> None:
    given = {"PROFILE": "x", "MODELS": ["heartbeat_autoencoder"], "REPEATED": [], "LEAKY": [], "FIXED": []}
    with pytest.raises(SettingsError, match="FIXED must hold heartbeat_autoencoder"):
        profiles.check_parameters("32_signal_networks", given, "here")
