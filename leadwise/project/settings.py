"""What a profile may say: the parameters of each notebook, checked where they enter.

Each model below is the list of a notebook's knobs: the same UPPERCASE names stand in the
notebook's ``parameters`` cell, there with the values of the profile ``sample``. A profile
(``workflow/profiles/*.yaml``) may say ``description``, ``defaults`` (for every notebook
that has the parameter) and, under a notebook's name, what that notebook alone gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import yaml
from annotated_types import Ge, Le, Len
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from leadwise.errors import SettingsError, nearest
from leadwise.project import paths


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("names one twice")
    return values


def _from_the_repository(values: dict[str, Any]) -> dict[str, Any]:
    """A relative path of weights in a profile starts at the repository, wherever the notebook runs."""
    weights = values.get("WEIGHTS")
    if isinstance(weights, str) and weights.endswith(".safetensors"):
        return values | {"WEIGHTS": str(paths.repository() / weights)}
    return values


Seeds = Annotated[list[Annotated[int, Ge(0)]], Len(1), AfterValidator(_distinct)]
Folds = Annotated[list[Annotated[int, Ge(1), Le(5)]], Len(1, 5), AfterValidator(_distinct)]
Tasks = Annotated[list[Literal["four", "binary"]], Len(1, 2), AfterValidator(_distinct)]
Name = Annotated[str, Len(1)]


class Parameters(BaseModel):
    """Parameters that every notebook has."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)

    PROFILE: Name = Field("sample", description="Results go to runs/<PROFILE>; 'sample' works on the sample.")


class LeadCutting(Parameters):
    """12_image_leads."""

    CHECKED: Annotated[int, Ge(1)] = Field(
        100,
        description="Pages that are distorted, and foreign ones that are drawn, to see what is still found.",
    )


class FoldMaking(Parameters):
    """13_image_folds."""

    SEEDS: Seeds = Field([1], description="One partition into five folds for each seed.")


class SignalBeats(Parameters):
    """15_signal_beats."""

    SEEDS: Seeds = Field(
        [1], description="One partition for each seed; leaky protocols take the first alone."
    )


class SignalAttention(Parameters):
    """31_signal_attention."""

    PROTOCOLS: Annotated[
        list[Literal["leaky_windows", "patient_folds"]], Len(1), AfterValidator(_distinct)
    ] = Field(["leaky_windows", "patient_folds"], description="As published, and by person.")
    WEIGHTS: Name = Field("random", description="random, or the path of a .safetensors file.")
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.learning.recipes.")
    SEEDS: Seeds = Field([1], description="Each seed trains on its own partition.")
    EPOCHS: Annotated[int, Ge(1)] | None = Field(
        None, description="Of leaky_windows; None: as the recipe says."
    )
    EPOCHS_BY_PERSON: Annotated[int, Ge(1)] = Field(4, description="Of patient_folds, fixed.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )
    ATTENDED: Annotated[int, Ge(1)] = Field(
        200, description="Windows, at most, over which attention is looked at in each fold."
    )


SignalNetwork = Literal[
    "beat_rhythm", "beat_rhythm_plain", "heartbeat_cnn", "heartbeat_mlp", "heartbeat_vanilla",
    "heartbeat_vanilla_meant", "heartbeat_rnn", "heartbeat_fourier", "heartbeat_fourier_meant", "heartbeat_bilstm",
    "heartbeat_resnet398", "heartbeat_resnet38", "heartbeat_dilated", "heartbeat_autoencoder",
    "heartbeat_transformer",
]  # fmt: skip
SignalNetworks = Annotated[list[SignalNetwork], AfterValidator(_distinct)]


class SignalNetworksTraining(Parameters):
    """32_signal_networks."""

    MODELS: Annotated[SignalNetworks, Len(1)] = Field(
        ["heartbeat_cnn", "heartbeat_mlp", "heartbeat_autoencoder", "beat_rhythm"],
        description="Names in leadwise.models.signal_nets.",
    )
    REPEATED: SignalNetworks = Field(
        ["beat_rhythm"], description="Networks that take every seed; the others take the first alone."
    )
    LEAKY: SignalNetworks = Field(
        ["heartbeat_cnn", "heartbeat_mlp", "heartbeat_autoencoder", "beat_rhythm"],
        description="Networks that are also trained as published work does.",
    )
    FIXED: SignalNetworks = Field(
        ["heartbeat_mlp", "heartbeat_autoencoder"],
        description="Networks with the recipe's epochs; the others choose them inside DS1. The autoencoder is fixed.",
    )
    WEIGHTS: Name = Field("random", description="random, or the path of a .safetensors file.")
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.learning.recipes.")
    SEEDS: Seeds = Field([1], description="Each seed has its own inner folds and first weights.")
    EPOCHS: Annotated[int, Ge(1)] | None = Field(None, description="None: as the recipe says.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )

    @model_validator(mode="after")
    def _of_the_models(self) -> SignalNetworksTraining:
        unknown = [name for name in (*self.REPEATED, *self.LEAKY, *self.FIXED) if name not in self.MODELS]
        if unknown:
            raise ValueError(f"REPEATED, LEAKY or FIXED holds {unknown[0]}, which MODELS does not")
        if "heartbeat_autoencoder" in set(self.MODELS) - set(self.FIXED):
            raise ValueError(
                "FIXED must hold heartbeat_autoencoder, which begins from one training of each split"
            )
        return self


class SignalEnsemble(Parameters):
    """33_signal_ensemble."""

    PROTOCOLS: Annotated[
        list[Literal["interpatient_held_out", "leaky_beats"]], Len(1), AfterValidator(_distinct)
    ] = Field(["interpatient_held_out", "leaky_beats"], description="By person, and as published.")
    DRAWS: Annotated[int, Ge(100)] = Field(2000, description="Bootstrap draws over records.")


class SignalTransfer(Parameters):
    """34_signal_transfer."""

    MODEL: Literal[
        "heartbeat_cnn", "heartbeat_vanilla", "heartbeat_vanilla_meant", "heartbeat_fourier",
        "heartbeat_fourier_meant", "heartbeat_resnet398", "heartbeat_resnet38", "heartbeat_dilated",
    ] = Field("heartbeat_cnn", description="A network of single beats that has convolutions.")  # fmt: skip
    WEIGHTS: Name = Field(
        "random", description="random: the source is trained here; or its .safetensors file."
    )
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.learning.recipes.")
    SEEDS: Seeds = Field([1], description="Each seed has its own folds; leaky ones take the first alone.")
    SOURCE_EPOCHS: Annotated[int, Ge(1)] | None = Field(
        None, description="On MIT-BIH; None: as the recipe says."
    )
    EPOCHS: Annotated[int, Ge(1)] | None = Field(None, description="None: as the recipe says.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )
    DRAWS: Annotated[int, Ge(100)] = Field(2000, description="Bootstrap draws over patients.")


class Training(Parameters):
    """What every notebook has that trains."""

    WEIGHTS: Name = Field("random", description="pretrained, random, or the path of a .safetensors file.")
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.learning.recipes.")
    TASKS: Tasks = Field(["four"], description="four: all pages; binary: normal against abnormal heartbeat.")
    FOLDS: Folds = Field([1, 2, 3, 4, 5], description="Outer folds that are tested.")
    SEEDS: Seeds = Field([1], description="Each seed trains on its own partition.")
    EPOCHS: Annotated[int, Ge(1)] | None = Field(None, description="None: as the recipe says.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )
    INNER: bool = Field(False, description="Train the inner folds too and choose the number of epochs there.")


class ImageBeit(Training):
    """21_image_beit."""

    MODEL: Name = Field("beit_micro", description="Name of a model in leadwise.models.registry.")


class ImageDeit(Training):
    """22_image_deit."""

    MODEL: Name = Field("deit_micro", description="Name of a model in leadwise.models.registry.")


class ImageSwinTiny(Training):
    """23_image_swin_tiny."""

    MODEL: Name = Field("swin_micro", description="Name of a model in leadwise.models.registry.")


class ImageVit(Training):
    """24_image_vit."""

    MODEL: Name = Field("vit_micro", description="Name of a model in leadwise.models.registry.")


class ImageVitScratch(Training):
    """25_image_vit_scratch."""

    MODEL: Literal["page_vit", "page_vit_micro"] = Field(
        "page_vit_micro", description="Name of a model in leadwise.models.page_vit."
    )
    VARIANTS: Annotated[list[Literal["plain", "no_decay", "masked"]], Len(1), AfterValidator(_distinct)] = (
        Field(["plain"], description="As published; without weight decay; header and footer white.")
    )


class ImageLeads12(Training):
    """26_image_leads12."""

    CANDIDATES: Annotated[
        list[Literal["leads12_ink", "leads12_signals", "leads12_beats", "leads12_both", "leads12_joined"]],
        Len(1),
        AfterValidator(_distinct),
    ] = Field(
        ["leads12_beats", "leads12_joined"],
        description="Page models among which each outer fold chooses by its inner folds.",
    )


class ImageLeakage(Parameters):
    """27_image_leakage."""

    PAGE_MODEL: Literal["leads12_ink", "leads12_signals", "leads12_beats", "leads12_both"] = Field(
        "leads12_signals", description="The page model that is trained under every protocol."
    )
    LEAD_MODEL: Name = Field("lead_cnn", description="Name of a model in leadwise.models.registry.")
    WEIGHTS: Name = Field("random", description="pretrained, random, or the path of a .safetensors file.")
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.learning.recipes.")
    SEED: Annotated[int, Ge(0)] = Field(1, description="The one seed whose folds are taken.")
    EPOCHS: Annotated[int, Ge(1)] | None = Field(None, description="None: as the recipe says.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )


Losses = Annotated[
    list[Literal["untaught", "published", "consistent", "cross_fitted"]], Len(1), AfterValidator(_distinct)
]


class StudentDistill(Parameters):
    """41_student_distill."""

    LOSSES: Losses = Field(
        ["untaught", "published", "consistent", "cross_fitted"],
        description="Names in leadwise.learning.distill.LOSSES; untaught, the comparison, is among them.",
    )
    REPEATED: Losses = Field(
        ["untaught", "consistent"],
        description="Losses that take every seed; the others take the first alone.",
    )
    LEAD_STUDENTS: Annotated[list[Literal["mobilenetv3_small"]], AfterValidator(_distinct)] = Field(
        ["mobilenetv3_small"],
        description="Published students of single leads, trained untaught and by the published loss.",
    )
    LEAD_FOLDS: Folds = Field([1, 2, 3, 4, 5], description="Outer folds of the students of single leads.")
    WEIGHTS: Name = Field(
        "random",
        description="What students of single leads begin from; student12 begins from random weights.",
    )
    RECIPE: Name = Field("random", description="Recipe of the students of single leads.")
    FOLDS: Folds = Field([1, 2, 3, 4, 5], description="Outer folds that will be tested.")
    SEEDS: Seeds = Field([1], description="Each seed trains on its own partition.")
    EPOCHS: Annotated[int, Ge(1)] | None = Field(None, description="None: as the recipe says.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )

    @field_validator("LOSSES")
    @classmethod
    def _with_untaught(cls, names: list[str]) -> list[str]:
        if "untaught" not in names:
            raise ValueError("must hold 'untaught', with which all others are compared")
        return names

    @model_validator(mode="after")
    def _repeated_with_their_twins(self) -> StudentDistill:
        unknown = [loss for loss in self.REPEATED if loss not in self.LOSSES]
        if unknown:
            raise ValueError(f"REPEATED holds {', '.join(unknown)}, which LOSSES does not")
        if "untaught" not in self.REPEATED:
            raise ValueError("REPEATED must hold 'untaught', with which every seed is compared")
        return self


class StudentExport(Parameters):
    """43_student_export."""

    SHIPPED: Literal["untaught", "published", "consistent", "cross_fitted"] = Field(
        "consistent", description="The loss by which the student that ships is taught."
    )
    LARGE: Name = Field(
        "vit_micro",
        description="The transformer of single leads that is timed beside the student, random weights.",
    )
    EPOCHS: Annotated[int, Ge(1)] | None = Field(None, description="None: as the recipe says.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )
    PAGES: Annotated[int, Ge(5)] = Field(20, description="Pages on which parity and times are measured.")
    FOREIGN: Annotated[int, Ge(10)] = Field(
        300, description="Pictures that are no page of ours, made to see whether all are refused."
    )


class Comparison(Parameters):
    """42_student_test, and what 51_image_models has of it."""

    FOLDS: Folds = Field([1, 2, 3, 4, 5], description="Outer folds whose answers are compared.")
    SEEDS: Seeds = Field([1], description="Seeds whose answers are compared.")
    DRAWS: Annotated[int, Ge(100)] = Field(2000, description="Bootstrap draws over groups.")


def _numbered(numbers: Sequence[int]) -> list[str]:
    return [name for number in numbers for name in NOTEBOOKS if name.startswith(f"{number}_")]


class ImageModels(Comparison):
    """51_image_models."""

    SOURCES: Annotated[list[Literal[21, 22, 23, 24, 26, 42]], AfterValidator(_distinct)] = Field(
        [21, 22, 23, 24, 42, 26],
        description="Numbers of the notebooks whose models are compared; 26, which has the floors, is among them.",
    )

    @field_validator("SOURCES")
    @classmethod
    def _with_floors(cls, numbers: list[int]) -> list[int]:
        if 26 not in numbers:
            raise ValueError("must hold 26, which has the floors")
        return numbers

    def sources(self) -> list[str]:
        """Names of the notebooks in SOURCES, in its order."""
        return _numbered(self.SOURCES)


class SignalModels(Parameters):
    """52_signal_models."""

    SOURCES: Annotated[list[Literal[31, 32]], AfterValidator(_distinct)] = Field(
        [31, 32], description="Numbers of the notebooks whose networks are compared; 32 is among them."
    )
    DRAWS: Annotated[int, Ge(100)] = Field(2000, description="Bootstrap draws over records.")

    @field_validator("SOURCES")
    @classmethod
    def _with_beats(cls, numbers: list[int]) -> list[int]:
        if 32 not in numbers:
            raise ValueError("must hold 32, which has the beats")
        return numbers

    def sources(self) -> list[str]:
        """Names of the notebooks in SOURCES, in its order."""
        return _numbered(self.SOURCES)


#: Every notebook with its parameters, in the order in which a person reads them. What each
#: needs of the others stands in workflow/Snakefile alone.
NOTEBOOKS: dict[str, type[Parameters]] = {
    "11_image_audit": Parameters,
    "12_image_leads": LeadCutting,
    "13_image_folds": FoldMaking,
    "14_signal_records": Parameters,
    "15_signal_beats": SignalBeats,
    "21_image_beit": ImageBeit,
    "22_image_deit": ImageDeit,
    "23_image_swin_tiny": ImageSwinTiny,
    "24_image_vit": ImageVit,
    "25_image_vit_scratch": ImageVitScratch,
    "26_image_leads12": ImageLeads12,
    "27_image_leakage": ImageLeakage,
    "31_signal_attention": SignalAttention,
    "32_signal_networks": SignalNetworksTraining,
    "33_signal_ensemble": SignalEnsemble,
    "34_signal_transfer": SignalTransfer,
    "41_student_distill": StudentDistill,
    "42_student_test": Comparison,
    "43_student_export": StudentExport,
    "51_image_models": ImageModels,
    "52_signal_models": SignalModels,
}


def check_notebook(name: str) -> None:
    """Raise SettingsError with the nearest right word unless ``name`` is a notebook."""
    if name not in NOTEBOOKS:
        raise SettingsError(f"unknown notebook {name!r}: {nearest(name, NOTEBOOKS)}")


def check_parameters(notebook: str, values: dict[str, Any], where: str) -> Parameters:
    """Check a notebook's parameters; ``where`` begins the message of a SettingsError."""
    check_notebook(notebook)
    try:
        return NOTEBOOKS[notebook].model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_say(error, NOTEBOOKS[notebook])}") from None


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
    every = {field for model in NOTEBOOKS.values() for field in model.model_fields}
    for word in defaults:
        if word not in every:
            raise SettingsError(f"{where}: defaults: unknown parameter {word!r}: {nearest(str(word), every)}")
    return {
        notebook: check_parameters(
            notebook,
            _from_the_repository(
                {word: value for word, value in defaults.items() if word in model.model_fields}
                | profile.get(notebook, {})
                | {"PROFILE": name}
            ),
            f"{where}: {notebook}",
        )
        for notebook, model in NOTEBOOKS.items()
    }


def parameters(profile: str, notebook: str) -> Parameters:
    """Read one notebook's parameters under a profile; raises as ``load_profile`` does."""
    check_notebook(notebook)
    return load_profile(profile)[notebook]


def _say(error: ValidationError, model: type[Parameters]) -> str:
    """Say the first of pydantic's complaints in our voice."""
    first = error.errors()[0]
    message = str(first["msg"]).removeprefix("Value error, ")
    if not first["loc"]:  # of several parameters together; the message names them
        return f"{message}."
    word = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"unknown parameter {word!r}: {nearest(word, model.model_fields)}"
    return f"{word}: {message[0].lower()}{message[1:]}, but it is {first['input']!r}."
