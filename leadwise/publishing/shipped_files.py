"""The models that ship, each with its card: which bytes they are, and whether just these were scored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from leadwise.files import RESOURCES, sha256
from leadwise.publishing.render import Published

CARD_OF: Mapping[str, str] = {
    "af_stretch.onnx": "RHYTHM_CARD.md",
    "beat_rhythm.onnx": "BEAT_CARD.md",
    "hearts.onnx": "HEARTS_CARD.md",
    "student12.onnx": "MODEL_CARD.md",
}
"""By the name of the file."""

COMMAND = "leadwise score-shipped"

_SCORED_BY_ITS_NOTEBOOK = {
    "af_stretch.onnx": "leadwise run --profile cpu --only 35_signal_rhythm",
    "hearts.onnx": "leadwise run --profile cpu --only 30_image_hearts",
}

_TRAINED_AS_IT_IS_SCORED = frozenset({"hearts.onnx"})

FOLD_STUDENTS = "calibrated=yes;loss=consistent"
"""The condition of the student that ships, in the scores of its fold students: its loss, and how it answers."""

ATRIAL: Mapping[str, str] = {"atrial_premature": "A", "aberrated": "a"}
"""Early beats from the atria, which may look like V: how rows call them, and the annotators' signs."""

_DIGITS = 12
_TOLD = re.compile(r"`([^`]+\.onnx)`, sha256 `([0-9a-f]{64})`")


def called(digest: str) -> str:
    """What rows of scores call a file by its sha256, in their condition: ``file=<12 digits>``."""
    return digest[:_DIGITS]


def checksum(name: str) -> Callable[[Published], str]:
    """A remark beneath a table: which file it is of, by its bytes."""

    def remark(_: Published) -> str:
        command = _SCORED_BY_ITS_NOTEBOOK.get(name, COMMAND)
        told = f"`{name}`, sha256 `{sha256(RESOURCES / name)}`; `{command}`"
        if name in _TRAINED_AS_IT_IS_SCORED:
            return f"{told} trained it and scored these bytes; trained again it has others."
        return f"{told} scores it again from these bytes."

    return remark


def faults(published: Published, resources: Path) -> list[str]:
    """What is wrong with the cards of the files in `resources`, a sentence each: another checksum, or no score."""
    scored = set(published.scores["file"]) if "file" in published.scores else set()
    sentences = []
    for name, card in CARD_OF.items():
        digest = sha256(resources / name)
        told = dict(_TOLD.findall((resources / card).read_text(encoding="utf-8"))).get(name, "none")
        if told != digest:
            sentences.append(
                f"{card}: the sha256 of {name} is {digest}, and the card tells {told}. `leadwise tables` writes it."
            )
        if called(digest) not in scored:
            sentences.append(
                f"{card}: no published score is of these bytes of {name} (sha256 {called(digest)}...). Score it: "
                f"{_SCORED_BY_ITS_NOTEBOOK.get(name, COMMAND)}, then leadwise publish --profile cpu."
            )
    return sentences
