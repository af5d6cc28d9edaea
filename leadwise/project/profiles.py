"""Profiles: the parameters that each notebook gets, checked where they enter.

A profile (``workflow/profiles/*.yaml``) may say ``description``, ``defaults`` (for every notebook that has the
parameter) and, under a notebook's name, what that notebook alone gets; a list of networks may name a whole family.
Which parameters there are stands in `leadwise.project.notebooks`.
"""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError

from leadwise.errors import SettingsError, nearest
from leadwise.models.networks import expanded
from leadwise.project import paths
from leadwise.project.notebooks import NOTEBOOKS, Parameters, check_notebook


def check_parameters(notebook: str, values: dict[str, Any], where: str) -> Parameters:
    """Check a notebook's parameters; ``where`` begins the message of a SettingsError."""
    check_notebook(notebook)
    model = NOTEBOOKS[notebook].parameters
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_say(error, model)}") from None


def profile_names() -> list[str]:
    """List the profiles in ``workflow/profiles``."""
    return sorted(path.stem for path in paths.profiles_folder().glob("*.yaml"))


def load_profile(name: str) -> dict[str, Parameters]:
    """Read each notebook's parameters under a profile.

    Raises SettingsError, which names the file and the word, for an unknown profile, notebook or
    parameter and for a value of the wrong type or outside its range.
    """
    if name not in profile_names():
        raise SettingsError(f"unknown profile {name!r}: {nearest(name, profile_names())}")
    path = paths.profiles_folder() / f"{name}.yaml"
    where = path.relative_to(paths.repository()).as_posix()
    try:
        profile = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where}: not readable as YAML: {error}") from None
    if not isinstance(profile, dict):
        raise SettingsError(f"{where}: must be a mapping of notebooks to their parameters.")
    known = ["description", "defaults", *NOTEBOOKS]
    for key, values in profile.items():
        if key not in known:
            raise SettingsError(f"{where}: unknown word {str(key)!r}: {nearest(str(key), known)}")
        if key != "description" and not isinstance(values, dict):
            raise SettingsError(f"{where}: {key}: must hold 'PARAMETER: value' lines.")
    defaults = profile.get("defaults", {})
    every = {word for row in NOTEBOOKS.values() for word in row.parameters.model_fields}
    for word in defaults:
        if word not in every:
            raise SettingsError(f"{where}: defaults: unknown parameter {word!r}: {nearest(str(word), every)}")
    return {
        notebook: check_parameters(
            notebook,
            _from_the_repository(
                _with_families(
                    {word: value for word, value in defaults.items() if word in row.parameters.model_fields}
                    | profile.get(notebook, {})
                    | {"PROFILE": name},
                    f"{where}: {notebook}",
                )
            ),
            f"{where}: {notebook}",
        )
        for notebook, row in NOTEBOOKS.items()
    }


def parameters(profile: str, notebook: str) -> Parameters:
    """Read one notebook's parameters under a profile; raises as ``load_profile`` does."""
    check_notebook(notebook)
    return load_profile(profile)[notebook]


def _from_the_repository(values: dict[str, Any]) -> dict[str, Any]:
    """A relative path of weights in a profile starts at the repository, wherever the notebook runs."""
    weights = values.get("WEIGHTS")
    if isinstance(weights, str) and weights.endswith(".safetensors"):
        return values | {"WEIGHTS": str(paths.repository() / weights)}
    return values


def _with_families(values: dict[str, Any], where: str) -> dict[str, Any]:
    """The same with ``all of FAMILY`` written out in lists; ``where`` begins the message of a SettingsError."""
    found = dict(values)
    for word, value in values.items():
        if isinstance(value, list):
            try:
                found[word] = expanded(value)
            except SettingsError as error:
                raise SettingsError(f"{where}: {word}: {error}") from None
    return found


def _say(error: ValidationError, model: type[Parameters]) -> str:
    """Say the first of pydantic's complaints in our voice."""
    first = error.errors()[0]
    message = str(first["msg"]).removeprefix("Value error, ")
    if not first["loc"]:  # of several parameters together; the message names them
        return f"{message}."
    word = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"unknown parameter {word!r}: {nearest(word, model.model_fields)}"
    if message.endswith(("?", ".")):  # it says already what was given, and what would be right
        return f"{word}: {message}"
    return f"{word}: {message[0].lower()}{message[1:]}, but it is {first['input']!r}."
