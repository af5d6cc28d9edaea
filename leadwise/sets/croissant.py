"""What programs read of the audited set: Croissant metadata of the tables that ship with leadwise.

Croissant (MLCommons, format 1.0, http://mlcommons.org/croissant/1.0) is schema.org's Dataset with words for files and
for the columns in them. Sums and sizes are taken from the files, so `leadwise tables` writes it anew.
"""

from __future__ import annotations

from typing import Any

from leadwise.files import RESOURCES, sha256
from leadwise.names import CAUTION, CLASSES

_OWN_WORDS = (
    "citeAs", "column", "data", "dataType", "equivalentProperty", "examples", "extract", "field",
    "fileObject", "fileProperty", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key",
    "md5", "parentField", "path", "recordSet", "references", "regex", "repeated", "replace",
    "samplingRate", "separator", "source", "subField", "transform",
)  # fmt: skip
"""The words of the format that schema.org does not have."""

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    **{word: f"cr:{word}" for word in _OWN_WORDS},
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}

_KINDS = {"text": "sc:Text", "whole": "sc:Integer", "truth": "sc:Boolean", "time": "sc:DateTime"}

_TABLES: dict[str, tuple[str, str, dict[str, tuple[str, str]]]] = {
    "pages": (
        "pages.csv",
        "A row a distinct page, with what is printed on it.",
        {
            "page_id": ("text", "The first twelve hex digits of the page's sha256."),
            "path": ("text", "The first of its files, in natural order."),
            "label": ("text", f"Its class by the folder that it lies in: {', '.join(CLASSES)}."),
            "copies": ("whole", "Files of the published set that hold exactly these bytes."),
            "sha256": ("text", "sha256 of each of its files' bytes."),
            "width_px": ("whole", "Width in pixels."),
            "height_px": ("whole", "Height in pixels."),
            "recording_id": ("text", "The printed id: a running number of the device, not a person."),
            "sex": ("text", "As printed: male or female."),
            "recorded_at": ("time", "The printed time, to the second, without a zone."),
            "heart_rate_bpm": ("whole", "The printed heart rate, beats a minute."),
            "lead_off": ("truth", "Whether the page says that a lead was off."),
        },
    ),
    "folds": (
        "folds.csv",
        "In which fold a page is tested, under each protocol and seed.",
        {
            "page_id": ("text", "The page, as in pages.csv."),
            "group_id": (
                "text",
                "Pages that share a printed id: never on both sides of a split of grouped_*.",
            ),
            "label": ("text", "Its class."),
            **{
                f"{protocol}_{seed}": ("whole", f"The fold, by {words}; seed {seed}.")
                for protocol, words in (("grouped", "printed id"), ("distinct", "page, ids ignored"))
                for seed in (1, 2, 3)
            },
            "by_month": ("whole", "The fold, by month of recording."),
        },
    ),
    "files": (
        "mendeley.csv",
        "A row a file of the published set; the files themselves are fetched with `leadwise fetch mendeley`.",
        {
            "path": ("text", "Its path in the published set."),
            "sha256": ("text", "sha256 of the file's bytes, as in pages.csv."),
            "bytes": ("whole", "Its size."),
        },
    ),
}
"""By the name of the record set: its file, what a row is, and its columns, the first of which is its key.

Which columns join them stands in words: mlcroissant 1.1 turns a reference into a join, and fails in it.
"""


def metadata() -> dict[str, Any]:
    """The metadata as JSON-LD; its files lie beside it, so that their addresses are their names."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "ecg-images-of-cardiac-patients-audited",
        "description": "The ECG Images dataset of Cardiac Patients (Khan and Hussain 2021), audited: its distinct "
        "pages with what is printed on them, its files with their sums, and folds that share no copy and no printed "
        f"id. The images themselves are not part of it. {CAUTION}",
        "url": "https://doi.org/10.17632/gwbz3fsgp8.2",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "version": "2.0.0",
        "datePublished": "2021-01-01",
        "inLanguage": "en",
        "isLiveDataset": False,
        "creator": [
            {"@type": "sc:Person", "name": "Ali Haider Khan"},
            {"@type": "sc:Person", "name": "Muzammil Hussain"},
        ],
        "citeAs": "Khan, Ali Haider; Hussain, Muzammil (2021), ECG Images dataset of Cardiac Patients, Mendeley "
        "Data, V2, doi: 10.17632/gwbz3fsgp8.2",
        "rai:dataCollection": "Printed 12-lead ECGs of one hospital in Multan, Pakistan, made by one device.",
        "rai:dataLimitations": "Who labelled the pages, by which criteria, and whether MI means acute, was not "
        "published. A printed id is not a person, so no split by patient is possible.",
        "rai:dataBiases": "Most pages are of men; the class abnormal_heartbeat is largely fast rhythms; how often a "
        "page was copied gives its class away. Counts stand in DATASET_CARD.md.",
        "rai:personalSensitiveInformation": "No names. Sex, time of recording and a running number are printed.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": file,
                "name": file,
                "description": what,
                "contentUrl": file,
                "contentSize": f"{(RESOURCES / file).stat().st_size} B",
                "encodingFormat": "text/csv",
                "sha256": sha256(RESOURCES / file),
            }
            for file, what, _ in _TABLES.values()
        ],
        "recordSet": [_record_set(name, *table) for name, table in _TABLES.items()],
    }


def _record_set(name: str, file: str, what: str, columns: dict[str, tuple[str, str]]) -> dict[str, Any]:
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "description": words,
            "dataType": _KINDS[kind],
            "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
        }
        for column, (kind, words) in columns.items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": what,
        "key": {"@id": f"{name}/{next(iter(columns))}"},
        "field": fields,
    }
