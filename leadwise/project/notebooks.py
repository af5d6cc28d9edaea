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
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    create_model,
    model_validator,
)

from leadwise.errors import SettingsError, nearest
from leadwise.models.networks import named, network

T = TypeVar("T")


def _distinct(values: list[T]) -> list[T]:
    if len(set(values)) < len(values):
        raise ValueError("names one twice")
    return values


def _network(**facts: Any) -> AfterValidator:
    """Of a parameter: the name of a network whose row says all this (`leadwise.models.networks.named`)."""
    names = named(**facts)
    return AfterValidator(lambda name: network(name, names).name)


def _check_known(parameter: str, values: Iterable[str], whole: str, known: Iterable[str]) -> None:
    unknown = [value for value in values if value not in known]
    if unknown:
        raise ValueError(f"{parameter} holds {unknown[0]}, which {whole} does not")


AnyOf = Annotated[list[T], AfterValidator(_distinct)]
Some = Annotated[list[T], Field(min_length=1), AfterValidator(_distinct)]
Name = Annotated[str, Field(min_length=1)]
Seeds = Some[NonNegativeInt]
Folds = Some[Annotated[int, Field(ge=1, le=5)]]
Draws = Annotated[int, Field(ge=100)]
"""Of the bootstrap, over records, patients or groups of pages."""


class Parameters(BaseModel):
    """Parameters that every notebook has."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)

    PROFILE: Name = "sample"
    """Results go to runs/<PROFILE>; 'sample' works on the sample."""


class LeadCutting(Parameters):
    """12_image_leads."""

    CHECKED: PositiveInt = 100
    """Pages that are distorted, and foreign ones that are drawn, to see what is still found."""


class AnyPage(Parameters):
    """17_image_any_page."""

    DRAWN: PositiveInt = 15
    """Pages that are drawn of each layout, read, and compared with what they show."""
    CHECKED: PositiveInt = 40
    """Pages of the set that are read once more, as if their layout were not known."""
    OWN: Name | None = None
    """A folder of your pages, of which the first are shown with what is read of them."""


class Partitions(Parameters):
    """13_image_folds and 15_signal_beats."""

    SEEDS: Seeds = [1]
    """One partition for each seed; leaky protocols of beats take the first alone."""


class Epochs(Parameters):
    """How long networks are trained."""

    EPOCHS: PositiveInt | None = None
    """None: as the recipe says."""
    MAX_STEPS: PositiveInt | None = None
    """Stops every epoch after so many steps: shows that all runs, teaches nothing."""


class Recipes(Epochs):
    """What every notebook has that trains by a recipe."""

    WEIGHTS: Name = "random"
    """What networks begin from: random, the path of a .safetensors file, or pretrained where such are published."""
    RECIPE: Name = "random"
    """Name of a recipe in `leadwise.models.networks`."""


class Tested(Recipes):
    """What every notebook has that trains networks and tests them."""

    TEST: bool = True
    """False: a trial. Inner folds alone are trained and answered for, and test folds stay closed."""

    @model_validator(mode="after")
    def _a_trial_has_inner_folds(self) -> Tested:
        if not self.TEST and (why := self._no_inner_folds()):
            raise ValueError(f"TEST: false answers inner folds alone, and there are none: {why}")
        return self

    def _no_inner_folds(self) -> str:
        """Why there are none, or what to do about it; empty where there are some."""
        return "nothing is chosen here"


class SignalAttention(Tested):
    """31_signal_attention. EPOCHS are those of leaky_windows."""

    PROTOCOLS: Some[Literal["leaky_windows", "patient_folds"]] = ["leaky_windows", "patient_folds"]
    """As published, and by person."""
    SEEDS: Seeds = [1]
    """Each seed trains on its own partition."""
    EPOCHS_BY_PERSON: PositiveInt = 4
    """Of patient_folds, fixed."""
    ATTENDED: PositiveInt = 200
    """Windows, at most, over which attention is looked at in each fold."""


SignalNetwork = Annotated[str, _network(family=("beat_rhythm", "heartbeat"))]
_SIGNAL_NETWORKS = ["heartbeat_cnn", "heartbeat_mlp", "heartbeat_autoencoder", "beat_rhythm"]


class SignalNetworksTraining(Tested):
    """32_signal_networks. Its lists are names in `leadwise.models.networks`."""

    MODELS: Some[SignalNetwork] = _SIGNAL_NETWORKS
    REPEATED: AnyOf[SignalNetwork] = ["beat_rhythm"]
    """Networks that take every seed; the others take the first alone."""
    LEAKY: AnyOf[SignalNetwork] = _SIGNAL_NETWORKS
    """Networks that are also trained as published work does."""
    FIXED: AnyOf[SignalNetwork] = ["heartbeat_mlp", "heartbeat_autoencoder"]
    """Networks with the recipe's epochs; the others choose them inside DS1. The autoencoder is fixed."""
    SEEDS: Seeds = [1]
    """Each seed has its own inner folds and first weights."""

    @model_validator(mode="after")
    def _of_the_models(self) -> SignalNetworksTraining:
        named_beside = (*self.REPEATED, *self.LEAKY, *self.FIXED)
        _check_known("REPEATED, LEAKY or FIXED", named_beside, "MODELS", self.MODELS)
        for name in self.MODELS:
            if network(name).learned_first and name not in self.FIXED:
                raise ValueError(f"FIXED must hold {name}, which begins from one training of each split")
        return self

    def _no_inner_folds(self) -> str:
        return "" if set(self.MODELS) - set(self.FIXED) else "FIXED holds all of MODELS"


class SignalEnsemble(Parameters):
    """33_signal_ensemble."""

    PROTOCOLS: Some[Literal["interpatient_held_out", "leaky_beats"]] = [
        "interpatient_held_out",
        "leaky_beats",
    ]
    """By person, and as published."""
    DRAWS: Draws = 2000


class SignalRhythm(Parameters):
    """35_signal_rhythm."""

    WEIGHTS: Literal["random", "published"] = "random"
    """random: trees are fitted here; published: those of the file that ships answer."""
    TEST: bool = True
    """False: a trial. Inner answers alone; the records that test stay closed."""

    @model_validator(mode="after")
    def _a_trial_fits(self) -> SignalRhythm:
        if self.WEIGHTS == "published" and not self.TEST:
            raise ValueError(
                "TEST: false answers for what was left out of a fit, and published trees are not fitted"
            )
        return self


class SignalBeatsJoined(Tested):
    """36_signal_beats_joined."""

    SEEDS: Seeds = [1]
    """Each has its own first weights and trees; how they are joined is chosen by the first."""
    UNITS: PositiveInt = 80_000
    """Beats an epoch where the network learns from two sets."""

    def _no_inner_folds(self) -> str:
        return ""


class SignalTransfer(Tested):
    """34_signal_transfer. WEIGHTS are those of the source; random: it is trained here."""

    MODEL: Annotated[str, _network(family="heartbeat", convolutional=True)] = "heartbeat_cnn"
    """A network of single beats that has convolutions."""
    SEEDS: Seeds = [1]
    """Each seed has its own folds; leaky ones take the first alone."""
    SOURCE_EPOCHS: PositiveInt | None = None
    """On MIT-BIH; None: as the recipe says."""
    DRAWS: Draws = 2000


class CrossFitting(Tested):
    """What every notebook has that trains networks of pages or leads on outer folds."""

    TASKS: Some[Literal["four", "binary"]] = ["four"]
    """four: all pages; binary: normal against abnormal heartbeat."""
    FOLDS: Folds = [1, 2, 3, 4, 5]
    """Outer folds that are tested."""
    SEEDS: Seeds = [1]
    """Each seed trains on its own partition."""
    INNER: bool = False
    """Train the inner folds too and choose the number of epochs there."""

    def _no_inner_folds(self) -> str:
        return "" if self.INNER else "set INNER: true"


class ImageVitScratch(CrossFitting):
    """25_image_vit_scratch."""

    MODEL: Annotated[str, _network(family="page_vit")] = "page_vit_micro"
    VARIANTS: Some[Literal["plain", "no_decay", "masked"]] = ["plain"]
    """As published; without weight decay; header and footer white."""


class ImageLeads12(CrossFitting):
    """26_image_leads12."""

    CANDIDATES: Some[Annotated[str, _network(family="leads12")]] = ["leads12_beats", "leads12_joined"]
    """Page models among which each outer fold chooses by its inner folds."""
    WEIGHTS: Name = "random"
    """As above; or published: nothing is trained, and published networks answer for pages that they never saw."""

    @model_validator(mode="after")
    def _published_are_no_trial(self) -> ImageLeads12:
        if self.WEIGHTS == "published" and not (self.TEST and self.INNER):
            raise ValueError(
                "WEIGHTS: published answers for inner and test folds alike: INNER and TEST must be true"
            )
        return self


class ImageLeakage(Recipes):
    """27_image_leakage."""

    PAGE_MODEL: Annotated[str, _network(family="leads12")] = "leads12_signals"
    """The page model that is trained under every protocol."""
    LEAD_MODEL: Annotated[str, _network(answers_for="leads")] = "lead_cnn"
    """The network of single leads that is trained beside it."""
    SEED: NonNegativeInt = 1
    """The one seed whose folds are taken."""
    SIZES: AnyOf[PositiveInt] = []
    """Numbers of pages from which the page model learns too, under `grouped`."""


Loss = Literal["untaught", "published", "consistent", "cross_fitted"]


class StudentDistill(Tested):
    """41_student_distill. WEIGHTS and RECIPE are those of students of single leads; student12 begins from random."""

    LOSSES: Some[Loss] = ["untaught", "published", "consistent", "cross_fitted"]
    """Names in `leadwise.learning.distill.LOSSES`; untaught, the comparison, is among them."""
    REPEATED: Some[Loss] = ["untaught", "consistent"]
    """Losses that take every seed; the others take the first alone."""
    LEAD_STUDENTS: AnyOf[Annotated[str, _network(answers_for="leads", any_size=True)]] = ["mobilenetv3_small"]
    """Published students of single leads, trained untaught and by the published loss."""
    LEAD_FOLDS: Folds = [1, 2, 3, 4, 5]
    """Outer folds of the students of single leads."""
    FOLDS: Folds = [1, 2, 3, 4, 5]
    """Outer folds that will be tested."""
    SEEDS: Seeds = [1]
    """Each seed trains on its own partition."""

    @model_validator(mode="after")
    def _with_untaught(self) -> StudentDistill:
        for parameter, losses in (("LOSSES", self.LOSSES), ("REPEATED", self.REPEATED)):
            if "untaught" not in losses:
                raise ValueError(f"{parameter} must hold 'untaught', with which all others are compared")
        _check_known("REPEATED", self.REPEATED, "LOSSES", self.LOSSES)
        return self


class StudentExport(Epochs):
    """43_student_export."""

    SHIPPED: Loss = "consistent"
    """The loss by which the student that ships is taught."""
    LARGE: Annotated[str, _network(answers_for="leads")] = "vit_micro"
    """The transformer of single leads that is timed beside the student, random weights."""
    PAGES: Annotated[int, Field(ge=5)] = 20
    """Pages on which parity and times are measured."""
    FOREIGN: Annotated[int, Field(ge=10)] = 300
    """Pictures that are no page of ours, made to see whether all are refused."""


GridColour = Literal["red", "pink", "blue", "green", "grey", "black", "none"]


class ImageInk(Parameters):
    """28_image_ink."""

    STEPS: PositiveInt = 6000
    """Of training, BATCH crops each. None is chosen: what is told apart is looked at once, at the end."""
    BATCH: PositiveInt = 4
    CROPS: PositiveInt = 3000
    """That are kept in memory, 0.33 MB each; an eighth of them is drawn before the first step."""
    HELD: PositiveInt = 12
    """Pieces of pages of recordings held out for each colour of grid, flat and photographed."""
    GRIDS: Some[GridColour] = ["red", "pink", "blue", "green", "grey", "black", "none"]
    """Colours of grids that are told apart."""
    SEED: NonNegativeInt = 1
    """Of first weights and crops; real pages of fold 1 of this seed are held out."""


class ImageNames(Parameters):
    """29_image_names."""

    STEPS: PositiveInt = 3000
    """Of training, BATCH crops each. None is chosen: what is read is looked at once, at the end."""
    BATCH: PositiveInt = 24
    PAGES: PositiveInt = 300
    """Drawn pages that are kept in memory, 2 MB each; 40 of them are drawn before the first step."""
    HELD: PositiveInt = 100
    """Pages of recordings held out, on eight crops of which names are read."""
    SEED: NonNegativeInt = 1
    """Of first weights, pages and crops."""


class Comparison(Parameters):
    """42_student_test, and what 51_image_models has of it."""

    FOLDS: Folds = [1, 2, 3, 4, 5]
    """Outer folds whose answers are compared."""
    SEEDS: Seeds = [1]
    """Seeds whose answers are compared."""
    DRAWS: Draws = 2000


_FAMILIES = {
    "21_image_beit": "beit",
    "22_image_deit": "deit",
    "23_image_swin_tiny": "swin",
    "24_image_vit": "vit",
}
LEAD_NETWORKS = tuple(_FAMILIES)
"""The notebooks that train a network of single leads each, a family each."""

_OF_PAGES = (*LEAD_NETWORKS, "42_student_test", "26_image_leads12")
"""Those whose models answer for all pages, out of fold; the last has the floors."""

_OF_RECORDS = ("31_signal_attention", "32_signal_networks")


def _number(name: str) -> int:
    return int(name.partition("_")[0])


def _numbers_of(names: Sequence[str], always: int, what: str) -> AfterValidator:
    """Of a parameter: numbers of some of these notebooks, `always` among them, since it has `what`."""

    def checked(numbers: list[int]) -> list[int]:
        if not set(numbers) <= set(map(_number, names)):
            raise ValueError(f"must hold numbers of {', '.join(names)}")
        if always not in numbers:
            raise ValueError(f"must hold {always}, which has {what}")
        return numbers

    return AfterValidator(checked)


class ImageModels(Comparison):
    """51_image_models."""

    SOURCES: Annotated[AnyOf[int], _numbers_of(_OF_PAGES, 26, "the floors")] | None = None
    """Numbers of the notebooks whose models are compared, 26 (the floors) among them; None: all."""

    def sources(self) -> list[str]:
        """Names of the notebooks in SOURCES, in its order."""
        return list(_OF_PAGES) if self.SOURCES is None else _numbered(self.SOURCES, _OF_PAGES)


class ImageHearts(Epochs):
    """30_image_hearts. Epochs are fixed: where it is tested nothing is chosen."""

    SEEDS: Seeds = [1]
    """Each has its own first weights and batches; what ships is their mean."""
    DRAWS: Draws = 2000


class ImageDrawnLeads(Parameters):
    """37_image_drawn_leads. How pages are learned is what the notebooks in SOURCES were run with."""

    SOURCES: Some[Literal[21, 22, 23, 24]] = [21, 22, 24]
    """Numbers of the notebooks whose networks begin from drawn leads, and with whose answers they are compared."""
    DRAWN_EPOCHS: PositiveInt = 2
    """Of drawn leads. Fixed: where it is tested nothing is chosen."""
    MAX_STEPS: PositiveInt | None = None
    """Stops every epoch of drawn leads after so many steps."""
    SEED: NonNegativeInt = 1
    """Of first weights and batches of drawn leads."""
    TEST: bool = True
    """False: a trial. Inner folds alone are trained and answered for, and test folds stay closed."""
    DRAWS: Draws = 2000

    def sources(self) -> list[str]:
        """Names of the notebooks in SOURCES, in its order."""
        return _numbered(self.SOURCES, LEAD_NETWORKS)


class ImageElsewhere(Parameters):
    """53_image_elsewhere."""

    DRAWN: PositiveInt = 25
    """Recordings of each part that are also drawn as pages and read again."""
    DRAWS: Draws = 2000


class SignalModels(Parameters):
    """52_signal_models."""

    SOURCES: Annotated[AnyOf[int], _numbers_of(_OF_RECORDS, 32, "the beats")] = [31, 32]
    """Numbers of the notebooks whose networks are compared; 32 is among them."""
    DRAWS: Draws = 2000

    def sources(self) -> list[str]:
        """Names of the notebooks in SOURCES, in its order."""
        return _numbered(self.SOURCES, _OF_RECORDS)


def _numbered(numbers: Sequence[int], names: Sequence[str]) -> list[str]:
    return [name for number in numbers for name in names if _number(name) == number]


_GPU_MINUTES = 720  # what is asked for where networks are trained


@dataclass(frozen=True)
class Notebook:
    """What there is to know of a notebook before it is opened.

    `data` names the sets that it looks at: ``pages``, or folders below ``$LEADWISE_SIGNALS``. The first is what it
    is about, opened by itself or by what it needs; where the embedded sample serves for that, its figures mean
    nothing. `needs` names the notebooks whose files it reads, or gives them for its parameters. `gpu` and `memory_mb`
    are what it asks of a cluster that gives less by default; the one of higher `priority` begins first.
    """

    name: str
    data: tuple[str, ...] = ("pages",)
    needs: tuple[str, ...] | Callable[[Any], tuple[str, ...]] = ()
    parameters: type[Parameters] = Parameters
    gpu: bool = False
    memory_mb: int | None = None
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
        asked = {"gpu": 1, "runtime": _GPU_MINUTES} if self.gpu else {}
        return asked | ({"mem_mb": self.memory_mb} if self.memory_mb else {})

    def needed(self, parameters: Parameters | None = None) -> tuple[str, ...]:
        """Names of the notebooks whose files it reads under some parameters, or else under its defaults."""
        if not callable(self.needs):
            return self.needs
        return self.needs(parameters or self.parameters.model_validate({}))


def in_a_table(*rows: Notebook) -> Mapping[str, Notebook]:
    """Rows by name. Raises SettingsError for a name that stands twice, or a need that stands in no row above."""
    table: dict[str, Notebook] = {}
    for row in rows:
        if row.name in table:
            raise SettingsError(f"two notebooks are called {row.name!r}: each has one row, so rename one.")
        for need in row.needed():
            if need not in table:
                raise SettingsError(
                    f"{row.name} needs {need!r}, and no notebook above it is called so: {nearest(need, table)}"
                )
        table[row.name] = row
    return MappingProxyType(table)


_PAGE_DATA = ("11_image_audit", "12_image_leads", "13_image_folds")  # what Run.page_data reads


def _of_all_page_models(parameters: ImageModels) -> tuple[str, ...]:
    costs_of_students = ("41_student_distill",) if "42_student_test" in parameters.sources() else ()
    return (*_PAGE_DATA, *parameters.sources(), *costs_of_students)


def _of_drawn_leads(parameters: ImageDrawnLeads) -> tuple[str, ...]:
    return (*_PAGE_DATA, *parameters.sources())


def _of_all_signal_models(parameters: SignalModels) -> tuple[str, ...]:
    return ("14_signal_records", "15_signal_beats", *parameters.sources(), "36_signal_beats_joined")


def _lead_network(name: str, family: str) -> Notebook:
    """The row of a network of single leads. All ask for the same and are published together."""
    model: Any = (Annotated[str, _network(family=family)], f"{family}_micro")
    parameters = create_model(f"LeadNetwork_{family}", __base__=CrossFitting, MODEL=model)
    return Notebook(name, parameters=parameters, needs=_PAGE_DATA, gpu=True, memory_mb=32_000)


NOTEBOOKS = in_a_table(
    Notebook("11_image_audit"),
    Notebook(
        "12_image_leads",
        parameters=LeadCutting,
        data=("pages", "ptbxl60"),
        needs=("11_image_audit",),
        figures=("page_to_leads.png", "einthoven.png"),
    ),
    Notebook("13_image_folds", parameters=Partitions, needs=("11_image_audit", "12_image_leads")),
    Notebook("14_signal_records", data=("mitdb",)),
    Notebook(
        "15_signal_beats",
        parameters=Partitions,
        data=("mitdb", "heartbeat"),
        needs=("14_signal_records",),
    ),
    Notebook("17_image_any_page", parameters=AnyPage, needs=("11_image_audit",), figures=("photograph.png",)),
    *(_lead_network(name, family) for name, family in _FAMILIES.items()),
    Notebook("25_image_vit_scratch", parameters=ImageVitScratch, needs=_PAGE_DATA, gpu=True),
    Notebook(
        "26_image_leads12",
        parameters=ImageLeads12,
        needs=_PAGE_DATA,
        gpu=True,
        priority=1,  # the student waits for it
        figures=("beside_the_rate.png",),
    ),
    Notebook(
        "27_image_leakage",
        parameters=ImageLeakage,
        needs=_PAGE_DATA,
        gpu=True,
        figures=("falling_score.png", "learning_curve.png"),
    ),
    Notebook(
        "28_image_ink",
        parameters=ImageInk,
        data=("pages", "ptbxl_fold10", "mitdb"),
        needs=("11_image_audit", "13_image_folds"),
        gpu=True,
    ),
    Notebook("29_image_names", parameters=ImageNames, data=("ptbxl_fold10",), gpu=True),
    Notebook(
        "30_image_hearts",
        parameters=ImageHearts,
        data=("pages", "ptbxl_fold10", "ptbxl425", "ptbxl60"),
        needs=_PAGE_DATA,
        gpu=True,
        figures=("hearts.png",),
        ships=("hearts.onnx",),
    ),
    Notebook(
        "31_signal_attention",
        parameters=SignalAttention,
        data=("mitdb",),
        needs=("14_signal_records", "15_signal_beats"),
        gpu=True,
        memory_mb=32_000,
    ),
    Notebook(
        "32_signal_networks",
        parameters=SignalNetworksTraining,
        data=("mitdb",),
        needs=("15_signal_beats",),
        gpu=True,
        memory_mb=32_000,
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
        figures=("three_ways.png",),
    ),
    Notebook(
        "35_signal_rhythm",
        parameters=SignalRhythm,
        data=("mitdb", "cinc2017", "ptbxl_fold10"),
        needs=("14_signal_records",),
        figures=("episodes.png",),
        ships=("af_stretch.onnx",),
    ),
    Notebook(
        "36_signal_beats_joined",
        parameters=SignalBeatsJoined,
        data=("mitdb", "svdb"),
        needs=("14_signal_records", "15_signal_beats"),
        gpu=True,
        memory_mb=32_000,
    ),
    Notebook(
        "37_image_drawn_leads",
        parameters=ImageDrawnLeads,
        data=("pages", "ptbxl_fold10", "ptbxl425", "ptbxl60"),
        needs=_of_drawn_leads,
        gpu=True,
        memory_mb=32_000,
    ),
    Notebook(
        "41_student_distill",
        parameters=StudentDistill,
        needs=(*_PAGE_DATA, "26_image_leads12"),
        gpu=True,
    ),
    Notebook(
        "42_student_test",
        parameters=Comparison,
        needs=(*_PAGE_DATA, "26_image_leads12", "41_student_distill"),
        figures=("what_teaching_gives.png",),
    ),
    Notebook(
        "43_student_export",
        parameters=StudentExport,
        needs=(*_PAGE_DATA, "26_image_leads12", "41_student_distill", "42_student_test"),
        figures=("answer.png",),
        ships=("student12.onnx",),
    ),
    Notebook("51_image_models", parameters=ImageModels, needs=_of_all_page_models),
    Notebook(
        "52_signal_models",
        parameters=SignalModels,
        data=("mitdb",),
        needs=_of_all_signal_models,
        figures=("price_windows.png", "price_beats.png", "beside_papers.png", "record.png"),
    ),
    Notebook(
        "53_image_elsewhere",
        parameters=ImageElsewhere,
        data=("ptbxl_fold10", "ptbxl425", "ptbxl60"),
        figures=("elsewhere.png",),
    ),
)
"""Every notebook by its name, in the order in which a person reads them."""


def check_notebook(name: str) -> None:
    """Raise SettingsError with the nearest right word unless `name` is a notebook."""
    if name not in NOTEBOOKS:
        raise SettingsError(f"unknown notebook {name!r}: {nearest(name, NOTEBOOKS)}")


def with_needs(name: str, profile: Mapping[str, Parameters]) -> list[str]:
    """A notebook and all that it needs under the parameters of a profile, those that come first first."""
    names = {name}
    for row in reversed(list(NOTEBOOKS.values())):  # what a row needs stands above it
        if row.name in names:
            names.update(row.needed(profile[row.name]))
    return [row for row in NOTEBOOKS if row in names]


def ends(profile: Mapping[str, Parameters]) -> list[str]:
    """The notebooks that no other one needs under the parameters of a profile: with their needs, all there are."""
    needed = {need for row in NOTEBOOKS.values() for need in row.needed(profile[row.name])}
    return [name for name in NOTEBOOKS if name not in needed]


def audit_of(name: str) -> str:
    """The notebook that first sees the data that a notebook is about."""
    about = NOTEBOOKS[name].data[0]
    return next(row.name for row in NOTEBOOKS.values() if row.data[0] == about)
