from __future__ import annotations

import re

import pytest
from miniature import Clone

from leadwise.errors import SettingsError
from leadwise.project import settings


def write_profile(clone: Clone, text: str) -> None:
    (clone.folder / "workflow" / "profiles" / "mine.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("profile", ["sample", "cpu", "paper"])
def test_each_profile_that_is_shipped_gives_every_notebook_its_parameters(clone: Clone, profile: str) -> None:
    found = settings.load_profile(profile)
    assert list(found) == list(settings.NOTEBOOKS)
    assert {parameters.PROFILE for parameters in found.values()} == {profile}


def test_a_default_reaches_the_notebooks_that_know_it_and_a_notebook_overrules_it(clone: Clone) -> None:
    write_profile(clone, "defaults: {SEEDS: [1, 2]}\n24_image_vit: {SEEDS: [3]}\n")
    found = settings.load_profile("mine")
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
        settings.load_profile("mine")


def test_an_unknown_profile_or_notebook_is_told_the_nearest(clone: Clone) -> None:
    with pytest.raises(SettingsError, match="unknown profile 'smaple': did you mean 'sample'"):
        settings.load_profile("smaple")
    with pytest.raises(SettingsError, match="unknown notebook '21_image_bait': did you mean '21_image_beit'"):
        settings.parameters("sample", "21_image_bait")


def test_an_autoencoder_begins_from_one_training_so_its_epochs_are_fixed() -> None:
    given = {"PROFILE": "x", "MODELS": ["heartbeat_autoencoder"], "REPEATED": [], "LEAKY": [], "FIXED": []}
    with pytest.raises(SettingsError, match="FIXED must hold heartbeat_autoencoder"):
        settings.check_parameters("32_signal_networks", given, "here")
