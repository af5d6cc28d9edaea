"""A file of a recording, told by its name, and opened by who knows its format."""

from __future__ import annotations

from pathlib import Path

from leadwise.errors import InputError, MissingInput
from leadwise.recordings.dicom_files import open_dicom
from leadwise.recordings.edf_files import open_edf
from leadwise.recordings.sources import Source
from leadwise.recordings.wfdb_files import open_wfdb

SUFFIXES = frozenset({".hea", ".dat", ".mat", ".edf", ".dcm", ".zip", ".xml"})
"""What names a recording, in small or capital letters; a zip holds one, XML is refused by its kind."""

_CONVERTERS = {
    b"<RestingECG": "GE MUSE's XML. The program muse2wfdb (`pip install muse2wfdb`) writes it as WFDB",
    b"<restingecgdata": "Philips' XML. The package sierraecg (`pip install sierraecg`) reads it",
    b"<AnnotatedECG": "HL7's annotated ECG, which is not read. Write its leads as WFDB or EDF",
}
_LOOKED_AT = 4096


def open_file(path: Path, scratch: Path) -> Source:
    """Open a recording: EDF, DICOM, or the header of a WFDB record, whose links go into the folder `scratch`.

    Raises `MissingInput` where there is no such file, `InputError` where it cannot be read or has no ECG.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise MissingInput(f"{path.name}: no such file.")
    if suffix == ".xml":
        with path.open("rb") as file:
            raise InputError(f"{path.name}: {xml_in_words(file.read(_LOOKED_AT))}.")
    if suffix == ".edf":
        return open_edf(path)
    return open_dicom(path) if suffix == ".dcm" else open_wfdb(path, scratch)


def is_recording(path: Path) -> bool:
    """Whether a path names a recording: by its suffix, or by that of the header beside it."""
    return path.suffix.lower() in SUFFIXES or (not path.exists() and header_beside(path).is_file())


def header_beside(path: Path) -> Path:
    """The header of a record that is named by its header, its signals, or without suffix; capitals do not count."""
    if path.suffix.lower() in (".edf", ".dcm", ".zip", ".hea", ".xml"):
        return path
    stem = path.name[: -len(path.suffix)] if path.suffix.lower() in (".dat", ".mat") else path.name
    for ending in (".hea", ".HEA"):
        if (header := path.with_name(stem + ending)).is_file():
            return header
    return path.with_name(f"{stem}.hea")


def xml_in_words(content: bytes) -> str:
    """Why an XML file is not read, and which program turns it into what is, where its kind is known."""
    head = content[:_LOOKED_AT]
    known = next((words for mark, words in _CONVERTERS.items() if mark in head), None)
    return known or "XML of no kind that is known here. Write its leads as WFDB or EDF"
