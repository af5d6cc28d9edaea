"""One step of a published network, by its published recipe, from a checkpoint of the published form.

python paper_step.py NAME FOLDER [drawn], with HF_HOME naming an empty folder and HF_HUB_OFFLINE=1. Values are
random; names of tensors and configurations are those on the hub, where the two of transformers have twelve layers
and here one. With `drawn` there is no checkpoint: a step on drawn leads of a recording comes first, and the step on
pages begins from what that left. Prints what came of it as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from leadwise.folds.partition import Partition
from leadwise.learning import drawn_leads
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.study import Study
from leadwise.models import registry
from leadwise.models.networks import network, recipe
from leadwise.models.weights_file import read_metadata
from leadwise.names import SUPERCLASSES, TASKS
from leadwise.sets.ptbxl import by_folds
from leadwise.sets.sample import unpack_recordings

WIDTH, LABELS, PATCHES, PATCH_PX = 768, 1000, 196, 16
CROPS_A_BATCH = 4

CONFIGS = {
    "google/vit-base-patch16-224": {
        "architectures": ["ViTForImageClassification"], "model_type": "vit", "qkv_bias": True,
    },
    "microsoft/beit-base-patch16-224": {
        "architectures": ["BeitForImageClassification"], "model_type": "beit", "vocab_size": 8192,
        "drop_path_rate": 0.1, "layer_scale_init_value": 0.1, "use_absolute_position_embeddings": False,
        "use_mask_token": False, "use_mean_pooling": True, "use_relative_position_bias": True,
        "use_shared_relative_position_bias": False,
    },
}  # fmt: skip
"""As they stand on the hub, but for the names of the classes and the number of layers."""

COMMON = {
    "attention_probs_dropout_prob": 0.0, "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "hidden_size": WIDTH,
    "image_size": 224, "initializer_range": 0.02, "intermediate_size": 4 * WIDTH, "layer_norm_eps": 1e-12,
    "num_attention_heads": 12, "num_channels": 3, "num_hidden_layers": 1, "patch_size": PATCH_PX,
    "id2label": {str(number): f"LABEL_{number}" for number in range(LABELS)},
    "label2id": {f"LABEL_{number}": number for number in range(LABELS)},
}  # fmt: skip


def _pair(name: str, out: int, into: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}


def shapes_of(repo: str) -> dict[str, tuple[int, ...]]:
    """By its name in the file on the hub: the shape of each tensor of a network of one layer."""
    kind = "beit" if "beit" in repo else "vit"
    layer, inside = f"{kind}.encoder.layer.0", f"{kind}.encoder.layer.0.attention.attention"
    shapes: dict[str, tuple[int, ...]] = {
        f"{kind}.embeddings.cls_token": (1, 1, WIDTH),
        f"{kind}.embeddings.patch_embeddings.projection.weight": (WIDTH, 3, PATCH_PX, PATCH_PX),
        f"{kind}.embeddings.patch_embeddings.projection.bias": (WIDTH,),
        **_pair(f"{inside}.query", WIDTH, WIDTH),
        **_pair(f"{inside}.key", WIDTH, WIDTH),
        **_pair(f"{inside}.value", WIDTH, WIDTH),
        **_pair(f"{layer}.attention.output.dense", WIDTH, WIDTH),
        **_pair(f"{layer}.intermediate.dense", 4 * WIDTH, WIDTH),
        **_pair(f"{layer}.output.dense", WIDTH, 4 * WIDTH),
        **_norm(f"{layer}.layernorm_before"),
        **_norm(f"{layer}.layernorm_after"),
        **_pair("classifier", LABELS, WIDTH),
    }
    if kind == "vit":
        return shapes | {
            "vit.embeddings.position_embeddings": (1, PATCHES + 1, WIDTH),
            **_norm("vit.layernorm"),
        }
    shapes.pop(f"{inside}.key.bias")
    table = f"{inside}.relative_position_bias.relative_position_bias_table"
    scales = {f"{layer}.lambda_{number}": (WIDTH,) for number in (1, 2)}
    return shapes | scales | {table: (732, 12), **_norm("beit.pooler.layernorm")}


def put_into_cache(repo: str, tensors: Mapping[str, Tensor], config: Mapping[str, object]) -> None:
    """Lay a repository of the hub where its cache has it, as if it had been fetched."""
    folder = Path(os.environ["HF_HOME"]) / "hub" / f"models--{repo.replace('/', '--')}"
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    (snapshot / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file({name: value.contiguous() for name, value in tensors.items()}, snapshot / "model.safetensors")


def publish(name: str) -> dict[str, Tensor]:
    """Put a checkpoint of the published form into the cache; its tensors but those of its heads."""
    row = network(name)
    assert row.checkpoint is not None
    torch.manual_seed(3)
    if row.checkpoint in CONFIGS:
        shapes = shapes_of(row.checkpoint)
        tensors = {key: 0.02 * torch.randn(shape) for key, shape in shapes.items()}
        put_into_cache(row.checkpoint, tensors, COMMON | CONFIGS[row.checkpoint])
    else:
        drawn = timm.create_model(row.checkpoint, pretrained=False).state_dict()
        # none as a new network has it, so that it is seen whether each was taken
        tensors = {key: value + 0.01 * torch.randn(value.shape) for key, value in drawn.items()}
        put_into_cache(f"timm/{row.checkpoint}", tensors, {"architecture": row.checkpoint.partition(".")[0]})
    return {key: value for key, value in tensors.items() if "head" not in key and "classifier" not in key}


def teach(name: str, folder: Path) -> tuple[str, dict[str, Tensor]]:
    """One step on drawn leads: the file that it left, and what is in it."""
    path = folder / f"{name}_drawn.safetensors"
    few = replace(recipe(name, drawn_leads.RECIPE), batch=CROPS_A_BATCH)
    drawn_leads.recipe = lambda *_: few
    recordings = by_folds(unpack_recordings(folder / "recordings"))["folds_1_to_9"][:1]
    stated = recordings[list(SUPERCLASSES)].to_numpy(bool)
    drawn_leads.teach(name, recordings["path"], stated, path, "1" * 12, seed=1, epochs=1, max_steps=1)
    return str(path), load_file(path)


def main(name: str, folder: Path, begins: str = "pretrained") -> None:
    weights, tensors = teach(name, folder) if begins == "drawn" else (begins, publish(name))
    built = registry.build(name, 2, weights)
    values = [value.flatten() for value in built.state_dict().values()]
    taken = [any(torch.equal(value.flatten(), own) for own in values) for value in tensors.values()]
    del built, values
    ids = np.array(["a", "b"], dtype=object)
    rows = {1: np.array([0]), 2: np.array([1])}
    part = Partition(1, rows, ids, ids, np.array(TASKS["binary"], dtype=object), tested=(1, 2))
    crops = np.random.default_rng(0).integers(0, 256, (2, 12, 60, 100), dtype=np.uint8)
    settings = SimpleNamespace(PROFILE="tests", WEIGHTS=weights, RECIPE="published", EPOCHS=1, MAX_STEPS=1)
    published = recipe(name, "published")
    study = Study.of(
        settings, "binary", name, "0" * 12, folds=(1,), seeds=(1,), inner=False,
        recipe=replace(published, batch=CROPS_A_BATCH),
    )  # fmt: skip
    results = cross_fit(study, crops, {1: part}, folder)
    (weights,) = (folder / "weights").glob("*.safetensors")
    told = read_metadata(weights)
    answers = results.test_units("binary")[[f"prob_{one}" for one in TASKS["binary"]]].to_numpy()
    came = {
        "tensors": len(taken), "taken": sum(taken), "began_from": told["began_from"], "answers": answers.tolist(),
        "loss": float(results.history["loss"].dropna().iloc[-1]), "steps": int(results.history["step"].max()),
        "learning_rate": published.learning_rate,
    }  # fmt: skip
    print(json.dumps(came))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
