"""Profiles: the parameters that each notebook gets, checked where they enter.

A profile (``workflow/profiles/*.yaml``) may say ``description``, ``defaults`` (for every notebook that has the
parameter) and, under a notebook's name, what that notebook alone gets; a list of networks may name a whole family.
Which parameters there are stands in `leadwise.project.notebooks`.
"""

from __future__ import annotations

from pathlib import Path
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


def _folder() -> Path:
    return paths.repository() / "workflow" / "profiles"


def profile_names() -> list[str]:
    """List the profiles in ``workflow/profiles``."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def load_profile(name: str) -> dict[str, Parameters]:
    """Read each notebook's parameters under a profile.

    Raises SettingsError, which names the file and the word, for an unknown profile, notebook or
    parameter and for a value of the wrong type or outside its range.
    """
    if name not in profile_names():
        raise SettingsError(f"unknown profile {name!r}: {nearest(name, profile_names())}")
    path = _folder() / f"{name}.yaml"
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
    loaded = {}
    for notebook, row in NOTEBOOKS.items():
        values = {word: value for word, value in defaults.items() if word in row.parameters.model_fields}
        values |= profile.get(notebook, {}) | {"PROFILE": name}
        of_notebook = f"{where}: {notebook}"
        loaded[notebook] = check_parameters(notebook, _written_out(values, of_notebook), of_notebook)
    return loaded


def parameters(profile: str, notebook: str) -> Parameters:
    """Read one notebook's parameters under a profile; raises as ``load_profile`` does."""
    check_notebook(notebook)
    return load_profile(profile)[notebook]


def _written_out(values: dict[str, Any], where: str) -> dict[str, Any]:
    """The same with the networks of ``all of FAMILY`` in lists, and weights from the repository on.

    A notebook may run elsewhere than where the path of its weights was written. ``where`` begins the message of a
    SettingsError.
    """
    written_out = dict(values)
    for word, value in values.items():
        if isinstance(value, list):
            try:
                written_out[word] = expanded(value)
            except SettingsError as error:
                raise SettingsError(f"{where}: {word}: {error}") from None
        elif word == "WEIGHTS" and isinstance(value, str) and value.endswith(".safetensors"):
            written_out[word] = str(paths.repository() / value)
    return written_out


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
