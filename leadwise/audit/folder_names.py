"""What the names of folders say of the pages in them: which split, which class."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from leadwise.files import files_below
from leadwise.pages.read import IMAGE_SUFFIXES
from leadwise.sets.catalogue import class_of

_ROLES = frozenset(
    """train training trainset trainval val valid validation validate dev development test testing testset
    holdout eval evaluation unseen""".split()  # noqa: SIM905 - words are easier to read so
)
_FOLDS = frozenset(("fold", "folds", "split", "splits", "cv"))
_SAY_NOTHING = frozenset(
    """image images img imgs data dataset set ecg ecgs page pages file files internal external the out
    k""".split()  # noqa: SIM905
)


class Places:
    """What the folders' names say, once all of them are known.

    A file's split is the folder named train, val, test or the like above it, with the fold's folder where there is
    one (``fold_1/train``). Its class is the first of its other folders, below those that (nearly) all files share.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        images = [
            path
            for path in files_below(folder, {})
            if path.suffix.lower() in IMAGE_SUFFIXES and path.parent != folder
        ]
        between = [path.relative_to(folder).parts[:-1] for path in images]
        self.is_split = any(_split_in(parts) for parts in between)
        folders = [parts for parts in between if _split_in(parts) or not self.is_split]
        plain = [_without_split(parts) for parts in folders]
        self._above = _shared_by_nearly_all(plain)
        names_of_class: dict[tuple[str, str], set[str]] = {}
        names: dict[str, str] = {}
        for parts, rest in zip(folders, plain, strict=True):
            if (name := self._name(rest)) is not None:
                names.setdefault(name.casefold(), name)
                names_of_class.setdefault((_split_in(parts), class_of(name) or ""), set()).add(
                    name.casefold()
                )
        # names that stand for the known classes are those classes, unless two folders would become one
        known = all(class_of(name) for name in names.values()) and all(
            len(same) == 1 for same in names_of_class.values()
        )
        self._classes = {key: (class_of(name) or name) if known else name for key, name in names.items()}

    def label_of(self, parts: tuple[str, ...]) -> str | None:
        """The class of a file in these folders; "" for one in a split but in no class, None elsewhere."""
        name, split = self._name(_without_split(parts)), _split_in(parts)
        if name is None or (self.is_split and not split and name.casefold() not in self._classes):
            return "" if split else None
        return self._classes.get(name.casefold(), name)

    def split_of(self, path: str) -> str:
        """The split in which a file lies, or nothing."""
        return _split_in(tuple(path.split("/")[:-1]))

    def empty(self, files: pd.DataFrame, closed: Iterable[str]) -> tuple[str, ...]:
        """Class folders below which no readable image lies, relative to the folder.

        Nobody knows that of one that is closed, or holds such a folder.
        """
        below = (*files["path"], *closed)
        filled = {*closed, *(str(above) for path in below for above in PurePosixPath(path).parents)}
        empty = []
        for path in sorted(self._folder.rglob("*")):
            parts = path.relative_to(self._folder).parts
            name = None if parts[-1:] and _words_of(parts[-1]) else self._name(_without_split(parts))
            is_class = name is not None and len(_without_split(parts)) == len(self._above) + 1
            hidden = any(part.startswith(".") for part in parts)
            if is_class and not hidden and "/".join(parts) not in filled and path.is_dir():
                empty.append("/".join(parts))
        return tuple(empty)

    def _name(self, rest: tuple[str, ...]) -> str | None:
        depth = len(self._above)
        return _plain(rest[depth]) if len(rest) > depth and rest[:depth] == self._above else None


_NEARLY_ALL = 0.98


def _shared_by_nearly_all(folders: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The folders that stand above all classes: each holds nearly all files, no file itself, and names no class."""
    above: tuple[str, ...] = ()
    while True:
        here = [parts for parts in folders if parts[: len(above)] == above]
        counts = Counter(parts[len(above)] for parts in here if len(parts) > len(above) + 1)
        name, count = counts.most_common(1)[0] if counts else ("", 0)
        inside = [parts for parts in here if parts[: len(above) + 1] == (*above, name)]
        deeper = {parts[len(above) + 1] for parts in inside if len(parts) > len(above) + 1}
        if not count or count < _NEARLY_ALL * len(folders) or count < len(inside) or class_of(name):
            return above
        if len(counts) > 1 and len(deeper) < 2:  # a large class, and not what holds the classes
            return above
        above = (*above, name)


def _plain(name: str) -> str:
    """A folder's name written in one way: an umlaut may be stored as one sign or as two."""
    return unicodedata.normalize("NFC", name).strip()


def _words_of(name: str) -> str:
    """What a folder's name says of a split, ``role`` or ``fold``, or nothing.

    It is a split where all its words are of splits or say nothing: ``train_images`` or ``1_train``, but not
    ``stress test positive``.
    """
    words = {word for word in re.split(r"[^a-z]+", name.lower().replace("hold out", "holdout")) if word}
    if words & _ROLES and words <= _ROLES | _SAY_NOTHING:
        return "role"
    return "fold" if words & _FOLDS and words <= _FOLDS | _SAY_NOTHING else ""


def _split_in(parts: tuple[str, ...]) -> str:
    """The split's folders, joined: ``train``, ``fold_1``, ``fold_1/train``."""
    return "/".join(part.lower() for part in parts if _words_of(part))


def _without_split(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for part in parts if not _words_of(part))


def fold_of(split: str) -> str:
    """Within which fold a split stands: a page may well be tested in one fold and trained on in another."""
    parts = split.split("/")
    roles = any(_words_of(part) == "role" for part in parts)
    return "/".join(part for part in parts if _words_of(part) == "fold") if roles else ""
