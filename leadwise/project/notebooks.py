"""The one home of the notebooks: a row each in NOTEBOOKS, and the parameters that each has.

Each model below is the list of a notebook's knobs: the same UPPERCASE names stand in the
notebook's ``parameters`` cell, there with the values of the profile ``sample``. NOTEBOOKS, at the end, says
the rest of a notebook that can be said before it is opened: what it needs, what data it looks at, what it
asks of a cluster, what of it is published. Snakefile, publishing and README's tables come from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Len
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    create_model,
    field_validator,
    model_validator,
)

from leadwise.errors import SettingsError, nearest
from leadwise.models.networks import named, network


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("names one twice")
    return values


def network_of(**wanted: Any) -> AfterValidator:
    """Of a parameter: the name of a network whose row says all this (`leadwise.models.networks.named`)."""
    names = named(**wanted)
    return AfterValidator(lambda name: network(name, names).name)


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
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.models.networks.")
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


SignalNetwork = Annotated[str, network_of(family=("beat_rhythm", "heartbeat"))]
SignalNetworks = Annotated[list[SignalNetwork], AfterValidator(_distinct)]


class SignalNetworksTraining(Parameters):
    """32_signal_networks."""

    MODELS: Annotated[SignalNetworks, Len(1)] = Field(
        ["heartbeat_cnn", "heartbeat_mlp", "heartbeat_autoencoder", "beat_rhythm"],
        description="Names in leadwise.models.networks.",
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
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.models.networks.")
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
        for name in self.MODELS:
            if network(name).learned_first and name not in self.FIXED:
                raise ValueError(f"FIXED must hold {name}, which begins from one training of each split")
        return self


class SignalEnsemble(Parameters):
    """33_signal_ensemble."""

    PROTOCOLS: Annotated[
        list[Literal["interpatient_held_out", "leaky_beats"]], Len(1), AfterValidator(_distinct)
    ] = Field(["interpatient_held_out", "leaky_beats"], description="By person, and as published.")
    DRAWS: Annotated[int, Ge(100)] = Field(2000, description="Bootstrap draws over records.")


class SignalTransfer(Parameters):
    """34_signal_transfer."""

    MODEL: Annotated[str, network_of(family="heartbeat", convolutional=True)] = Field(
        "heartbeat_cnn", description="A network of single beats that has convolutions."
    )
    WEIGHTS: Name = Field(
        "random", description="random: the source is trained here; or its .safetensors file."
    )
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.models.networks.")
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
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.models.networks.")
    TASKS: Tasks = Field(["four"], description="four: all pages; binary: normal against abnormal heartbeat.")
    FOLDS: Folds = Field([1, 2, 3, 4, 5], description="Outer folds that are tested.")
    SEEDS: Seeds = Field([1], description="Each seed trains on its own partition.")
    EPOCHS: Annotated[int, Ge(1)] | None = Field(None, description="None: as the recipe says.")
    MAX_STEPS: Annotated[int, Ge(1)] | None = Field(
        None, description="Stops every epoch after so many steps: shows that all runs, teaches nothing."
    )
    INNER: bool = Field(False, description="Train the inner folds too and choose the number of epochs there.")


class LeadNetwork(Training):
    """What every notebook has that trains a network of single leads, and is compared in 51."""


class ImageVitScratch(Training):
    """25_image_vit_scratch."""

    MODEL: Annotated[str, network_of(family="page_vit")] = Field(
        "page_vit_micro", description="Name of a network in leadwise.models.networks."
    )
    VARIANTS: Annotated[list[Literal["plain", "no_decay", "masked"]], Len(1), AfterValidator(_distinct)] = (
        Field(["plain"], description="As published; without weight decay; header and footer white.")
    )


class ImageLeads12(Training):
    """26_image_leads12."""

    CANDIDATES: Annotated[
        list[Annotated[str, network_of(family="leads12")]],
        Len(1),
        AfterValidator(_distinct),
    ] = Field(
        ["leads12_beats", "leads12_joined"],
        description="Page models among which each outer fold chooses by its inner folds.",
    )


class ImageLeakage(Parameters):
    """27_image_leakage."""

    PAGE_MODEL: Annotated[str, network_of(family="leads12")] = Field(
        "leads12_signals", description="The page model that is trained under every protocol."
    )
    LEAD_MODEL: Annotated[str, network_of(answers_for="leads")] = Field(
        "lead_cnn", description="Name of a network of single leads in leadwise.models.networks."
    )
    WEIGHTS: Name = Field("random", description="pretrained, random, or the path of a .safetensors file.")
    RECIPE: Name = Field("random", description="Name of a recipe in leadwise.models.networks.")
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
    LEAD_STUDENTS: Annotated[
        list[Annotated[str, network_of(answers_for="leads", any_size=True)]], AfterValidator(_distinct)
    ] = Field(
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
    LARGE: Annotated[str, network_of(answers_for="leads")] = Field(
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


def lead_networks() -> tuple[str, ...]:
    """The notebooks that train a network of single leads each."""
    return tuple(row.name for row in _ROWS if issubclass(row.parameters, LeadNetwork))


def _number(name: str) -> int:
    return int(name.partition("_")[0])


def _numbered(numbers: Sequence[int]) -> list[str]:
    return [row.name for number in numbers for row in _ROWS if _number(row.name) == number]


def _of_pages() -> list[str]:
    """The notebooks whose models answer for all pages, out of fold; the one with the floors is last."""
    return [*lead_networks(), "42_student_test", "26_image_leads12"]


class ImageModels(Comparison):
    """51_image_models."""

    SOURCES: Annotated[list[int], AfterValidator(_distinct)] | None = Field(
        None,
        description="Numbers of the notebooks whose models are compared, 26 (the floors) among them; None: all.",
    )

    @field_validator("SOURCES")
    @classmethod
    def _compared(cls, numbers: list[int] | None) -> list[int] | None:
        for number in numbers or ():
            if number not in map(_number, _of_pages()):
                raise ValueError(f"must hold numbers of {', '.join(_of_pages())}")
        if numbers is not None and 26 not in numbers:
            raise ValueError("must hold 26, which has the floors")
        return numbers

    def sources(self) -> list[str]:
        """Names of the notebooks in SOURCES, in its order."""
        return _of_pages() if self.SOURCES is None else _numbered(self.SOURCES)


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


@dataclass(frozen=True)
class Notebook:
    """What there is to know of a notebook before it is opened.

    `data` names the sets that it looks at: ``pages``, or folders below ``$LEADWISE_SIGNALS``. The first is what it
    is about, opened by itself or by what it needs; where the embedded sample serves for that, its figures mean
    nothing. `needs` names the notebooks whose files it reads, or gives them for its parameters. `memory_mb` and
    `minutes` are what it asks of a cluster that gives less by default; the one of higher `priority` begins first.
    """

    name: str
    data: tuple[str, ...]
    needs: tuple[str, ...] | Callable[[Any], tuple[str, ...]] = ()
    parameters: type[Parameters] = Parameters
    gpu: bool = False
    memory_mb: int | None = None
    minutes: int | None = None
    priority: int = 0
    figures: tuple[str, ...] = ()
    """Its pictures that documents show; published with its scores."""
    ships: tuple[str, ...] = ()
    """Its models that go with the package."""

    @property
    def on_recordings(self) -> bool:
        """Whether it is about recordings, and not about pages."""
        return self.data[0] != "pages"

    @property
    def variable(self) -> str:
        """The environment variable that names its data."""
        return "LEADWISE_SIGNALS" if self.on_recordings else "LEADWISE_DATA"

    @property
    def resources(self) -> dict[str, int]:
        """What it asks of a cluster, in Snakemake's words."""
        asked = {"gpu": int(self.gpu), "mem_mb": self.memory_mb, "runtime": self.minutes}
        return {what: amount for what, amount in asked.items() if amount}

    def needed(self, own: Parameters | None = None) -> tuple[str, ...]:
        """Names of the notebooks whose files it reads under some parameters, or else under its defaults."""
        return self.needs(own or self.parameters.model_validate({})) if callable(self.needs) else self.needs


def in_a_table(rows: Iterable[Notebook]) -> Mapping[str, Notebook]:
    """Rows by name. Raises SettingsError for a name that stands twice, or a need that stands in no row above."""
    found: dict[str, Notebook] = {}
    for row in rows:
        if row.name in found:
            raise SettingsError(f"two notebooks are called {row.name!r}: each has one row, so rename one.")
        for need in row.needed():
            if need not in found:
                raise SettingsError(
                    f"{row.name} needs {need!r}, and no notebook above it is called so: {nearest(need, found)}"
                )
        found[row.name] = row
    return MappingProxyType(found)


_PAGE_DATA = ("11_image_audit", "12_image_leads", "13_image_folds")  # what Run.page_data reads


def _of_all_page_models(own: ImageModels) -> tuple[str, ...]:
    costs_of_students = ("41_student_distill",) if "42_student_test" in own.sources() else ()
    return (*_PAGE_DATA, *own.sources(), *costs_of_students)


def _of_all_signal_models(own: SignalModels) -> tuple[str, ...]:
    return ("14_signal_records", "15_signal_beats", *own.sources())


def _lead_network(name: str, family: str, default: str) -> Notebook:
    """The row of a network of single leads: a family a notebook. All ask for the same and are published together."""
    model: tuple[Any, Any] = (
        Annotated[str, network_of(family=family)],
        Field(default, description="Name of a network in leadwise.models.networks."),
    )
    return Notebook(
        name,
        parameters=create_model(f"LeadNetwork_{family}", __base__=LeadNetwork, MODEL=model),
        data=("pages",),
        needs=_PAGE_DATA,
        gpu=True,
        memory_mb=32_000,
        minutes=720,
    )


_ROWS = (
    Notebook("11_image_audit", data=("pages",)),
    Notebook(
        "12_image_leads",
        parameters=LeadCutting,
        data=("pages", "ptbxl60"),
        needs=("11_image_audit",),
        figures=("page_to_leads.png", "einthoven.png"),
    ),
    Notebook(
        "13_image_folds",
        parameters=FoldMaking,
        data=("pages",),
        needs=("11_image_audit", "12_image_leads"),
    ),
    Notebook("14_signal_records", data=("mitdb",)),
    Notebook(
        "15_signal_beats",
        parameters=SignalBeats,
        data=("mitdb", "heartbeat"),
        needs=("14_signal_records",),
    ),
    _lead_network("21_image_beit", "beit", "beit_micro"),
    _lead_network("22_image_deit", "deit", "deit_micro"),
    _lead_network("23_image_swin_tiny", "swin", "swin_micro"),
    _lead_network("24_image_vit", "vit", "vit_micro"),
    Notebook(
        "25_image_vit_scratch",
        parameters=ImageVitScratch,
        data=("pages",),
        needs=_PAGE_DATA,
        gpu=True,
        minutes=720,
    ),
    Notebook(
        "26_image_leads12",
        parameters=ImageLeads12,
        data=("pages",),
        needs=_PAGE_DATA,
        gpu=True,
        minutes=720,
        priority=1,  # the student waits for it
        figures=("beside_the_rate.png",),
    ),
    Notebook(
        "27_image_leakage",
        parameters=ImageLeakage,
        data=("pages",),
        needs=_PAGE_DATA,
        gpu=True,
        minutes=720,
        figures=("falling_score.png",),
    ),
    Notebook(
        "31_signal_attention",
        parameters=SignalAttention,
        data=("mitdb",),
        needs=("14_signal_records", "15_signal_beats"),
        gpu=True,
        memory_mb=32_000,
        minutes=720,
    ),
    Notebook(
        "32_signal_networks",
        parameters=SignalNetworksTraining,
        data=("mitdb",),
        needs=("15_signal_beats",),
        gpu=True,
        memory_mb=32_000,
        minutes=720,
        ships=("beat_rhythm.onnx",),
    ),
    Notebook(
        "33_signal_ensemble",
        parameters=SignalEnsemble,
        data=("mitdb",),
        needs=("15_signal_beats", "32_signal_networks"),
        figures=("score_by_number.png",),
    ),
    Notebook(
        "34_signal_transfer",
        parameters=SignalTransfer,
        data=("mitdb", "ptbxl425", "ptbxl60", "ptbdb"),
        needs=("15_signal_beats",),
        gpu=True,
        minutes=720,
        figures=("three_ways.png",),
    ),
    Notebook(
        "41_student_distill",
        parameters=StudentDistill,
        data=("pages",),
        needs=(*_PAGE_DATA, "26_image_leads12"),
        gpu=True,
        minutes=720,
    ),
    Notebook(
        "42_student_test",
        parameters=Comparison,
        data=("pages",),
        needs=(*_PAGE_DATA, "26_image_leads12", "41_student_distill"),
        figures=("what_teaching_gives.png",),
    ),
    Notebook(
        "43_student_export",
        parameters=StudentExport,
        data=("pages",),
        needs=(*_PAGE_DATA, "26_image_leads12", "41_student_distill", "42_student_test"),
        figures=("answer.png",),
        ships=("student12.onnx",),
    ),
    Notebook(
        "51_image_models",
        parameters=ImageModels,
        data=("pages", "ptbxl425", "ptbxl60"),
        needs=_of_all_page_models,
    ),
    Notebook(
        "52_signal_models",
        parameters=SignalModels,
        data=("mitdb",),
        needs=_of_all_signal_models,
        figures=("price_windows.png", "price_beats.png", "beside_papers.png", "record.png"),
    ),
)

NOTEBOOKS = in_a_table(_ROWS)
"""Every notebook by its name, in the order in which a person reads them."""


def check_notebook(name: str) -> None:
    """Raise SettingsError with the nearest right word unless `name` is a notebook."""
    if name not in NOTEBOOKS:
        raise SettingsError(f"unknown notebook {name!r}: {nearest(name, NOTEBOOKS)}")


def with_needs(name: str, profile: Mapping[str, Parameters]) -> list[str]:
    """A notebook and all that it needs under the parameters of a profile, those that come first first."""
    found = {name}
    for row in reversed(list(NOTEBOOKS.values())):  # what a row needs stands above it
        if row.name in found:
            found.update(row.needed(profile[row.name]))
    return [row for row in NOTEBOOKS if row in found]


def ends(profile: Mapping[str, Parameters]) -> list[str]:
    """The notebooks that no other one needs under the parameters of a profile: with their needs, all there are."""
    needed = {need for row in NOTEBOOKS.values() for need in row.needed(profile[row.name])}
    return [name for name in NOTEBOOKS if name not in needed]


def audit_of(name: str) -> str:
    """The notebook that first sees the data that a notebook is about."""
    about = NOTEBOOKS[name].data[0]
    return next(row.name for row in NOTEBOOKS.values() if row.data[0] == about)
