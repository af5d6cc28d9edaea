"""The networks: one row each, the only place that says what there is and with which numbers it is trained.

A row is found by its name (`network`), a list of names by what rows say (`named`), the numbers of a training by
`recipe`. Importing this loads no torch: a row names its builder, which is loaded when it is asked for.

A recipe called `published` holds the values of published work, `random` is for random weights. Those of the four
transformers are from the published work on these pages (Kilimci et al. 2025, Image and Vision Computing 105666, and
its notebooks), which fine-tunes pre-trained weights; its learning rates do not train random ones. The `micro`
networks carry the same ideas at a size that a laptop trains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from leadwise.errors import SettingsError, nearest
from leadwise.recordings import beat_views, heartbeats, windows

if TYPE_CHECKING:
    from torch import nn

Precision = Literal["fp32", "bf16", "auto"]
AnswersFor = Literal["leads", "pages", "recordings"]
MeanStd = tuple[tuple[float, float, float], tuple[float, float, float]]

IMAGENET: MeanStd = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF: MeanStd = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))  # what the checkpoints of ViT and BEiT were trained with
PAPER_ZERO: MeanStd = ((1.0, 1.0, 1.0), (0.25, 0.25, 0.25))  # white paper becomes 0: for random weights


@dataclass(frozen=True)
class Recipe:
    """AdamW, linear warm-up over the share `warmup` of all steps, then `schedule`: linear decay or constant.

    `precision` is fp32, bf16, or auto: bf16 where a GPU has it, else fp32. `batch` counts examples (lead crops, or
    pages of a page model); `source` says where the numbers come from. A class weighs its frequency to the power of
    minus `class_weights` in the loss, none as if it were rarer than the share `rarest`; `focal` is the gamma by which
    answers that are sure count less (Lin et al. 2017). `augment` is `leadwise.learning.augment`, for page models.
    Raises `SettingsError` for another precision.
    """

    learning_rate: float
    weight_decay: float
    warmup: float
    batch: int
    epochs: int
    source: str
    schedule: str = "linear"
    precision: Precision = "auto"
    class_weights: float = 0.0
    rarest: float = 0.0
    focal: float = 0.0
    label_smoothing: float = 0.0
    augment: bool = False
    adam_beta2: float = 0.999

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            known = nearest(self.precision, get_args(Precision))
            raise SettingsError(f"No precision is called {self.precision!r}; {known}")


@dataclass(frozen=True)
class Network:
    """What is known of a network.

    It `answers_for` single leads, whole pages or recordings (their windows and beats), and takes `views` by these
    names: ``pixels`` are lead crops, uint8 ``(N, height, width)``; ``page`` is RGB uint8 ``(N, 182, 256, 3)``;
    ``window`` ``(N, 3600)`` is ten seconds at 360 Hz, ``heartbeat`` ``(N, 187)`` a beat of the Kachuee format; others
    are those of `leadwise.sets.views` and `leadwise.recordings.beat_views`. `builder` is ``module:function``, called
    with the number of classes and `options`.

    Of single leads: `input_px` is the side of the square input (0 for all others), which only a network of `any_size`
    may have otherwise, and `mean_std` normalises it. A transformer cuts its input into patches of `patch_px` (height
    and width where they differ); Swin attends within windows of `window` patches a side. Of recordings: `samples` is
    the length of the first view, since a network that takes the largest over time would answer for any.

    `checkpoint` is where published weights come from, with its tag, None where there are none at this size;
    `revision` is their commit on the hub, None as long as it is unknown: then the newest is taken. `parts` tells by a
    pattern in its name to which part a parameter belongs. `learned_first` names the network of the same parts from
    which it begins, on the same rows; where `convolutional`, what its convolutions learned may be frozen and taken to
    other beats. `published_as` is by whom it was published and what it is called there, None for ours.
    """

    name: str
    family: str
    answers_for: AnswersFor
    builder: str
    views: tuple[str, ...]
    recipes: Mapping[str, Recipe]
    options: Mapping[str, Any] = field(default_factory=dict)
    input_px: int = 0
    mean_std: MeanStd = PAPER_ZERO
    any_size: bool = False
    patch_px: int | tuple[int, int] | None = None
    window: int | None = None
    samples: int | None = None
    checkpoint: str | None = None
    revision: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    learned_first: str | None = None
    convolutional: bool = False
    published_as: str | None = None

    def make(self, classes: int, *, pretrained: bool = False) -> nn.Module:
        """Build the bare network; random weights come from torch's generator, published ones from the hub."""
        module, function = self.builder.split(":")
        began = {"checkpoint": self.checkpoint, "revision": self.revision} if pretrained else {}
        made: nn.Module = getattr(import_module(module), function)(classes, **self.options, **began)
        return made


def network(name: str, among: Iterable[str] | None = None) -> Network:
    """The network of this name, which is one of those `among` where these are given.

    Raises `SettingsError` with the nearest right name.
    """
    known = tuple(NETWORKS if among is None else among)
    if name in known:
        return NETWORKS[name]
    problem = (
        f"{name!r} is no network that fits here" if name in NETWORKS else f"No network is called {name!r}"
    )
    raise SettingsError(f"{problem}; {nearest(name, known)}")


def recipe(model: str, name: str) -> Recipe:
    """The recipe called `name` of a network.

    Raises `SettingsError` for an unknown network, or a name that it has no recipe of.
    """
    recipes = network(model).recipes
    if name not in recipes:
        raise SettingsError(f"{model!r} has no recipe called {name!r}; {nearest(name, recipes)}")
    return recipes[name]


def named(**wanted: Any) -> tuple[str, ...]:
    """Names of the networks whose rows say all this, in the order of the table.

    ``named(family="heartbeat", convolutional=True)``; of a tuple any one will do. Raises `SettingsError` for an
    unknown family.
    """
    allowed = {key: value if isinstance(value, tuple) else (value,) for key, value in wanted.items()}
    families = {row.family for row in NETWORKS.values()}
    for family in allowed.get("family", ()):
        if family not in families:
            raise SettingsError(f"No family of networks is called {family!r}; {nearest(family, families)}")
    return tuple(
        name
        for name, row in NETWORKS.items()
        if all(getattr(row, key) in any_of for key, any_of in allowed.items())
    )


def expanded(words: Iterable[Any]) -> list[Any]:
    """The same list with ``all of FAMILY`` and ``all of FAMILY but NAME and NAME`` written out, in the table's order.

    Raises `SettingsError` for an unknown family, for a name that it does not hold, and for any other ``all of ...``.
    """
    names: list[Any] = []
    for word in words:
        if not (isinstance(word, str) and word.startswith("all of ")):
            names.append(word)
            continue
        words_of = _ALL_OF.fullmatch(word)
        if words_of is None:
            raise SettingsError(
                f"{word!r} is not understood: write 'all of FAMILY' or 'all of FAMILY but NAME', more names after "
                "'and'."
            )
        family = named(family=words_of["family"])
        left_out = {network(name, family).name for name in (words_of["but"] or "").split(" and ") if name}
        names += [name for name in family if name not in left_out]
    return names


_ALL_OF = re.compile(r"all of (?P<family>\w+)(?: but (?P<but>\w+(?: and \w+)*))?")


def table(rows: Iterable[Network]) -> Mapping[str, Network]:
    """The rows by name, in their order. Raises `SettingsError` for a name given twice and a recipe without source."""
    by_name: dict[str, Network] = {}
    for row in rows:
        if row.name in by_name:
            raise SettingsError(f"Two networks are called {row.name!r}: give one of them another name.")
        for name, numbers in row.recipes.items():
            if not numbers.source.strip():
                raise SettingsError(
                    f"The recipe {name!r} of {row.name!r} has no source: say where its numbers come from."
                )
        by_name[row.name] = row
    return MappingProxyType(by_name)


# --- single leads --------------------------------------------------------------------------

_PARTS_OF_LEADS = {
    "relative position bias": r"relative_position_bias",
    "attention": r"\.attn\.|\.attention\.",
    "MLP": r"\.mlp\.|\.intermediate\.|\.output\.dense",
    "merging of patches": r"downsample",
    "patch embedding": r"patch_embed",
    "tokens and positions": r"cls_token|dist_token|pos_embed|position_embeddings",
    "head": r"head|classifier",
    "norms and scales": r"norm|gamma|lambda|\.ls",
}
_lead = partial(Network, answers_for="leads", views=("pixels",), parts=_PARTS_OF_LEADS)
_hugging_face = partial(_lead, builder="leadwise.models.lead_nets:hugging_face")
_timm = partial(_lead, builder="leadwise.models.lead_nets:timm_net")

_DEIT, _SWIN = "deit_base_distilled_patch16_224", "swin_tiny_patch4_window7_224"
# 96 px, width 96 (Swin 48 to 192), four blocks: each family's own traits at a size for two cores
_MICRO: dict[str, Any] = {"img_size": 96, "patch_size": 12, "embed_dim": 96, "depth": 4, "num_heads": 3}
_SWIN_MICRO: dict[str, Any] = {
    "img_size": 96, "embed_dim": 48, "depths": (1, 2, 1), "num_heads": (2, 4, 8), "window_size": 6,
}  # fmt: skip

_PAPER = "published notebooks, training/*.ipynb"
_BASE = "ours: usual for a transformer from random weights"
_LEARNS = "ours: learns within five epochs, seen on an inner fold of the whole set; not tuned"
_SMALL = {"random": Recipe(1e-3, 0.05, 0.10, 32, 20, _LEARNS)}

_LEADS = (
    _hugging_face(
        "beit_base", "beit", options={"kind": "Beit"}, input_px=224, mean_std=HALF, patch_px=16,
        checkpoint="microsoft/beit-base-patch16-224", published_as="Bao et al. 2022, BEiT-B/16",
        recipes={
            "published": Recipe(6e-5, 0.0, 0.08, 64, 25, _PAPER, precision="fp32"),
            "random": Recipe(3e-4, 0.05, 0.10, 64, 25, _BASE),
        },
    ),
    _timm(
        "deit_base", "deit", options={"architecture": _DEIT}, input_px=224, mean_std=IMAGENET, patch_px=16,
        checkpoint=f"{_DEIT}.fb_in1k", published_as="Touvron et al. 2021, DeiT-B, distilled",
        recipes={
            "published": Recipe(4e-5, 0.01, 0.08, 64, 15, _PAPER, precision="fp32"),
            "random": Recipe(3e-4, 0.05, 0.10, 64, 15, _BASE),
        },
    ),
    _timm(
        "swin_tiny", "swin", options={"architecture": _SWIN, "drop_path_rate": 0.1},
        input_px=224, mean_std=IMAGENET, patch_px=4, window=7,
        checkpoint=f"{_SWIN}.ms_in1k", published_as="Liu et al. 2021, Swin-T",
        recipes={
            "published": Recipe(4e-5, 0.01, 0.10, 80, 35, _PAPER, precision="fp32"),
            "random": Recipe(3e-4, 0.05, 0.10, 80, 35, _BASE),
        },
    ),
    _hugging_face(
        "vit_base", "vit", options={"kind": "ViT"}, input_px=224, mean_std=HALF, patch_px=16,
        checkpoint="google/vit-base-patch16-224", published_as="Dosovitskiy et al. 2021, ViT-B/16",
        recipes={
            "published": Recipe(9e-6, 0.0, 0.10, 64, 30, _PAPER, precision="fp32"),
            "random": Recipe(3e-4, 0.05, 0.10, 64, 30, _BASE),
        },
    ),
    _timm(
        "beit_micro", "beit", input_px=_MICRO["img_size"], patch_px=_MICRO["patch_size"], recipes=_SMALL,
        options={"architecture": "beit_base_patch16_224", **_MICRO, "drop_path_rate": 0.1},
    ),
    _timm(
        "deit_micro", "deit", input_px=_MICRO["img_size"], patch_px=_MICRO["patch_size"], recipes=_SMALL,
        options={"architecture": _DEIT, **_MICRO},
    ),
    _timm(
        "swin_micro", "swin", input_px=_SWIN_MICRO["img_size"], patch_px=4, window=_SWIN_MICRO["window_size"],
        recipes=_SMALL, options={"architecture": _SWIN, **_SWIN_MICRO},
    ),
    _timm(
        "vit_micro", "vit", input_px=_MICRO["img_size"], patch_px=_MICRO["patch_size"], recipes=_SMALL,
        options={"architecture": "vit_base_patch16_224", **_MICRO},
    ),
    _lead(
        "lead_cnn", "cnn", builder="leadwise.models.lead_cnn:LeadCnn", input_px=64, any_size=True,
        recipes={"random": Recipe(2e-3, 0.05, 0.10, 384, 15, "ours: a first try, nothing chosen")},
    ),
    _lead(
        "mobilenetv3_small", "mobilenet", builder="leadwise.models.lead_nets:mobilenet",
        input_px=224, mean_std=IMAGENET, any_size=True,
        checkpoint="torchvision mobilenet_v3_small IMAGENET1K_V1",
        published_as="Howard et al. 2019, MobileNetV3-Small",
        recipes={
            "published": Recipe(5e-5, 0.01, 0.0, 64, 10, _PAPER, schedule="constant", precision="fp32"),
            "random": Recipe(1e-3, 0.01, 0.10, 32, 20, _LEARNS),
        },
    ),
)  # fmt: skip

# --- whole pages ---------------------------------------------------------------------------

_PARTS_OF_PAGES = {
    "lead pictures": r"^ink\.",
    "lead signals": r"^(signal|layers|lead)\.",
    "usual beats": r"^beat\.",
    "places and class token": r"^(place|answer)$",
    "attention over leads": r"^mix\.",
    "all leads joined": r"^page\.",
    "head": r"^head\.",
}
_OURS = Recipe(
    2e-3, 0.05, 0.10, 32, 40, "ours: learning rate and weights as first tries; epochs are chosen on inner folds",
    class_weights=0.5, label_smoothing=0.05, augment=True,
)  # fmt: skip
_HEARTS = Recipe(
    3e-3, 0.05, 0.10, 64, 10, "ours: of a trial that had answered for the recordings that test it; fixed before 30",
    augment=True,
)  # fmt: skip
_PICTURE = Recipe(
    1e-4, 1.0, 0.0, 32, 50, "published notebook vit_ecg_model.ipynb (its decay reaches biases and norms too)",
    schedule="constant", precision="fp32", adam_beta2=0.99,
)  # fmt: skip


def _attending(name: str, *views: str, recipe: Recipe = _OURS) -> Network:
    return Network(
        name, "leads12", "pages", "leadwise.models.leads12:PageClassifier", views, {"random": recipe},
        options={"views": views}, parts=_PARTS_OF_PAGES,
    )  # fmt: skip


def _joined(name: str, family: str, source: str, **sizes: Any) -> Network:
    return Network(
        name, family, "pages", "leadwise.models.joined_leads:JoinedLeads", ("signals", "rhythm"),
        {"random": replace(_OURS, learning_rate=3e-3, epochs=60, source=source), "hearts": _HEARTS},
        options=sizes, parts=_PARTS_OF_PAGES,
    )  # fmt: skip


def _picture(
    name: str, recipes: Mapping[str, Recipe], published_as: str | None = None, **sizes: Any
) -> Network:
    return Network(
        name, "page_vit", "pages", "leadwise.models.page_vit:PagePicture", ("page",), recipes,
        options=sizes, patch_px=sizes["patch_px"], published_as=published_as,
    )  # fmt: skip


_PAGES = (
    _attending("leads12_ink", "ink", "ink_strip"),
    _attending("leads12_signals", "signals", "rhythm"),
    _attending("leads12_beats", "signals", "rhythm", "beats"),
    # a step takes five times as long
    _attending("leads12_both", "ink", "ink_strip", "signals", "rhythm", recipe=replace(_OURS, epochs=30)),
    _joined(
        "leads12_joined", "leads12", "ours: as the student; epochs are chosen on inner folds",
        plan=((1, 24, 9), (24, 32, 9), (32, 48, 7), (48, 64, 5)), lead=32, page=96,
    ),
    _joined(
        "student12", "student", "ours: a long schedule, the same for every loss; nothing chosen",
        plan=((1, 16, 9), (16, 24, 9), (24, 32, 7), (32, 48, 5)), lead=24, page=64,
    ),
    _picture(
        "page_vit", {"published": _PICTURE, "random": replace(_PICTURE, precision="auto")},
        "MahsaBakhtiari, vit_ecg_model", patch_px=(7, 8), width=512, depth=8, heads=32, mlp=2048,
    ),
    _picture(
        "page_vit_micro", {"random": replace(_OURS, learning_rate=1e-3, augment=False, source=_LEARNS)},
        patch_px=(14, 16), width=96, depth=4, heads=4, mlp=384,
    ),
)  # fmt: skip

# --- recordings ----------------------------------------------------------------------------

_RECORDS = Recipe(
    1e-3, 1e-5, 0.0, 32, 8, "published train.py; its halving rate and early stop on a leaked set are not followed",
    schedule="constant",
)  # fmt: skip
_BEATS = Recipe(
    1e-3, 0.0, 0.05, 32, 8,
    "published coursework on beats; for its plateau and early stop, a linear decay over fixed epochs",
)  # fmt: skip
_BEAT_RHYTHM = Recipe(
    3e-3, 0.03, 0.15, 256, 4, "ours: as tried on records left out of DS1; epochs are chosen on inner folds",
    class_weights=0.5, rarest=0.02, label_smoothing=0.05, augment=True,
)  # fmt: skip
_beat_rhythm = partial(
    Network, family="beat_rhythm", answers_for="recordings", builder="leadwise.models.beat_rhythm:BeatRhythm",
    views=("beat", "usual_beat", "intervals"), samples=beat_views.CUT.samples, recipes={"random": _BEAT_RHYTHM},
)  # fmt: skip


def _heartbeat(
    name: str, builder: str, by: str | None = None, *, family: str = "heartbeat", recipe: Recipe = _BEATS,
    options: Mapping[str, Any] | None = None, convolutional: bool = False, learned_first: str | None = None,
) -> Network:  # fmt: skip
    return Network(
        f"heartbeat_{name}", family, "recordings", f"leadwise.models.heartbeat_nets:{builder}", ("heartbeat",),
        {"random": recipe}, options=options or {}, samples=heartbeats.LENGTH, convolutional=convolutional,
        learned_first=learned_first, published_as=by,
    )  # fmt: skip


_RECORDINGS = (
    Network(
        "attention_windows", "attention", "recordings", "leadwise.models.signal_nets:AttentionNet", ("window",),
        {"random": _RECORDS}, samples=windows.LENGTH, published_as="Al-Khlewee, attention-based ECG classifier",
    ),
    _beat_rhythm("beat_rhythm"),
    _beat_rhythm("beat_rhythm_plain"),  # the same for a training without twins (`leadwise.learning.segments`)
    _heartbeat("cnn", "baseline", "ceylanmesut, CNN", convolutional=True),
    _heartbeat("mlp", "mlp", "ceylanmesut, MLP", recipe=replace(_BEATS, epochs=20)),
    _heartbeat(
        "vanilla", "vanilla_cnn", "ceylanmesut, vanilla CNN", options={"as_published": True}, convolutional=True,
        recipe=replace(_BEATS, epochs=5),
    ),
    _heartbeat("vanilla_meant", "vanilla_cnn", options={"as_published": False}, convolutional=True),
    # few epochs for these, at more than the 1e-4 of the coursework, which asks for tens of them
    _heartbeat(
        "rnn", "Recurrent", "ceylanmesut, RNN", options={"cell": "RNN", "both_ways": False},
        recipe=replace(_BEATS, learning_rate=3e-4, epochs=4),
    ),
    _heartbeat(
        "fourier", "fourier", "ceylanmesut, Fourier", options={"masked": False}, convolutional=True,
        recipe=replace(_BEATS, epochs=5),
    ),
    _heartbeat(
        "fourier_meant", "fourier", options={"masked": True}, convolutional=True, recipe=replace(_BEATS, epochs=5)
    ),
    _heartbeat(
        "bilstm", "Recurrent", "ceylanmesut, BiLSTM", options={"cell": "LSTM", "both_ways": True},
        recipe=replace(_BEATS, epochs=3),
    ),
    _heartbeat(
        "resnet398", "resnet", "ceylanmesut, residual net of 398 layers", options={"units": 44},
        convolutional=True, recipe=replace(_BEATS, batch=128, epochs=10),
    ),
    _heartbeat(
        "resnet38", "resnet", options={"units": 4}, convolutional=True,
        recipe=replace(_BEATS, batch=128, epochs=3),
    ),
    _heartbeat(
        "dilated", "DilatedBiLstm", "ceylanmesut, dilated CNN and BiLSTM", convolutional=True,
        recipe=replace(_BEATS, focal=2.0, epochs=3),
    ),
    _heartbeat("autoencoder", "Autoencoder", learned_first="heartbeat_reconstruction"),
    _heartbeat("transformer", "HeartbeatTransformer"),
    _heartbeat(
        "reconstruction", "Reconstruction", family="reconstruction",  # it gives the beat back and names no class
        recipe=replace(_BEATS, source="ours: as the classifiers'; epochs fixed"),
    ),
)  # fmt: skip

NETWORKS = table((*_LEADS, *_PAGES, *_RECORDINGS))
"""Every network by its name."""
