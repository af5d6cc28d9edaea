"""What the data set's card says in numbers, counted in the tables that ship with leadwise."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from leadwise.files import RESOURCES
from leadwise.folds.pages import fingerprint, published
from leadwise.names import CLASSES
from leadwise.publishing.markdown import as_table
from leadwise.publishing.render import Published
from leadwise.scores.draws import bootstrap_share
from leadwise.scores.table import score_of, selected, written
from leadwise.sets.catalogue import seen_by_eye, shipped
from leadwise.sets.ids import agreement_by_chance, id_falls, page_pairs

WORDS = {
    "normal": "normal",
    "abnormal_heartbeat": "abnormal heartbeat",
    "history_of_mi": "history of MI",
    "mi": "MI",
}


def set_files(_: Published) -> str:
    """How many files are copies, by class."""
    pages = shipped()
    files = _files()
    same = files.groupby("sha256").size()
    copies = int(len(files) - len(same))
    rows = []
    for label, of_class in _by_class(pages):
        often = ", ".join(
            f"{n} ({count} {'page' if count == 1 else 'pages'})"
            for n, count in of_class["copies"].value_counts().sort_index().items()
        )
        count = of_class["copies"].sum()
        rows.append((WORDS[label], count, len(of_class), count - len(of_class), often))
    rows.append(("all", len(files), len(pages), copies, ""))
    return (
        f"The published set holds {len(files)} files of {files['bytes'].sum() / 1e6:.0f} MB in all. They are "
        f"{len(pages)} different pages: **{copies} files are byte-for-byte copies** of another file of the same "
        "class. How often a page was copied gives its class away.\n\n"
        + as_table(("class", "files", "distinct pages", "copies", "files a page"), rows)
    )


def set_counts(_: Published) -> str:
    """Pages by class and sex, lead off, printed heart rate."""
    pages = shipped()
    rows = []
    for label, of_class in [*_by_class(pages), ("all", pages)]:
        rate = of_class["heart_rate_bpm"]
        sexes = [int((of_class["sex"] == sex).sum()) for sex in ("female", "male")]
        rates = (
            f"{rate.median():.0f} ({rate.min()} to {rate.max()})",
            int((rate > 90).sum()),
            int((rate < 60).sum()),
        )
        rows.append((WORDS.get(label, label), len(of_class), *sexes, int(of_class["lead_off"].sum()), *rates))
    heads = (
        "class",
        "pages",
        "female",
        "male",
        '"Lead Off"',
        "bpm, median (range)",
        "over 90 bpm",
        "under 60 bpm",
    )
    return as_table(heads, rows)


def set_months(_: Published) -> str:
    """Pages by class and month, and the size of their files."""
    pages = shipped().merge(_files().drop_duplicates("sha256")[["sha256", "bytes"]], on="sha256")
    month = pages["recorded_at"].str[:7].rename("month")
    counts = pd.crosstab(pages["label"], month, margins=True, margins_name="all").loc[[*CLASSES, "all"]]
    rows = [(WORDS.get(label, label), *row) for label, *row in counts.itertuples()]
    kilobytes = pages.groupby(month)["bytes"].median() / 1e3
    rows.append(("file, median", *(f"{size:.0f} kB" for size in kilobytes), ""))
    width, height = pages[["width_px", "height_px"]].drop_duplicates().to_numpy().tolist()[0]
    span = f"{pages['recorded_at'].min()[:10]} to {pages['recorded_at'].max()[:10]}"
    alike = len(pages[["width_px", "height_px"]].drop_duplicates()) == 1
    size = f"all {width} x {height} px" if alike else "of several sizes"
    return f"Printed dates run from {span}; pages are {size}.\n\n" + as_table(
        ("class", *counts.columns), rows
    )


def set_ids(_: Published) -> str:
    """What a printed id is."""
    pages = shipped()
    of_id = pages.groupby("recording_id")
    several = of_id["label"].agg("nunique") > 1
    pairs = page_pairs(pages)
    soon = pairs[pairs["same_id"] & pairs["minutes"].between(1, 5)]
    agree = bootstrap_share(soon["same_label"].to_numpy(), soon["recording_id"])
    folds = published()
    groups = folds.groupby("group_id").size()
    two_sexes = int((of_id["sex"].agg("nunique") > 1).sum())
    return (
        f"{of_id.ngroups} ids stand on {len(pages)} pages, the most frequent on {of_id.size().max()}; "
        f"{int(several.sum())} ids ({int(of_id.size()[several].sum())} pages) carry several classes, and "
        f"{two_sexes or 'none'} both sexes. In order of printed time the number only rises, but for "
        f"{len(id_falls(pages))} times that it was set back: a running number of the device, given out more than "
        f"once. Of the {len(soon)} pairs of pages of one id that were printed one to five minutes apart, "
        f"{agree.value:.0%} ({agree.low:.0%} to {agree.high:.0%}; ids drawn) agree in class; of any two pages "
        f"{agreement_by_chance(pages):.0%} do. **An id is not shown to be a person**, nor shown never to be one: "
        f"keeping the pages of one id together is a precaution, and this set allows no split by patient. The "
        f"published folds (`folds.csv`, fingerprint `{fingerprint(folds)}`) keep {int((groups > 1).sum())} groups of "
        f"several pages ({int(groups[groups > 1].sum())} pages) whole."
    )


def set_labels(published: Published) -> str:
    """What the labels can bear."""
    pages = shipped()
    count = pages["label"].value_counts()
    women = pages[pages["sex"] == "female"].groupby("label").size()
    shares = ", ".join(
        f"{words} {written(score_of(published.scores, 'accuracy', **_OF_FOUR, model=model), '.1%')}"
        for model, words in (
            ("rate", "the printed heart rate alone is right on"),
            ("base_rates", "always answering the largest class on"),
        )
    )
    return (
        f"- **Few infarctions.** {count['mi']} MI pages, {women['mi']} of women; {count['history_of_mi']} of history "
        f"of MI, {women['history_of_mi']} of women. An interval of any recall of MI is wide.\n"
        f"- **Print tells much.** Out of fold, {shares} of all pages (protocol `grouped`); a model has to be "
        "more than that.\n"
        f"- **Mostly men.** {women.sum()} of {len(pages)} pages are of women."
    )


def set_rates(_: Published) -> str:
    """What the labels say of fast and of slow hearts."""
    pages = shipped()
    rate = pages.groupby("label")["heart_rate_bpm"]
    abnormal = rate.get_group("abnormal_heartbeat")
    slow = pages[pages["heart_rate_bpm"] < 60].groupby("label")["heart_rate_bpm"]
    called = ", ".join(
        f"{len(rates)} as {WORDS[str(label)]} (down to {rates.min()} bpm)"
        for label, rates in sorted(slow, key=lambda one: CLASSES.index(one[0]))
    )
    return (
        f'- **"Abnormal heartbeat" is largely "fast".** {int((abnormal > 90).sum())} of its {len(abnormal)} pages '
        f"exceed 90 bpm; no normal page exceeds {rate.max()['normal']}. By these labels sinus tachycardia cannot be "
        "told from an arrhythmia.\n"
        f"- **Slow is not abnormal here.** No abnormal page is below {abnormal.min()} bpm. The {slow.size().sum()} "
        f"pages below 60 bpm are labelled {called}: a slow rate, sinus bradycardia too, stands under other labels, "
        "and no slow or pausing arrhythmia can be learned."
    )


def set_reading(published: Published) -> str:
    """How the printed fields were read, and how that was checked."""
    of_reading = selected(published.scores, notebook="12_image_leads", profile="cpu")
    right, read = (score_of(of_reading, name) for name in ("header_right", "header_read"))
    n = int((seen_by_eye().query("part == 'header'")["drawn"] == "at random").sum())
    return (
        f"Printed fields were read by optical character recognition on {read.value:.1%} of pages. On {n} pages "
        f"drawn at random whoever made the catalogue compared its values with the print by eye, the values beside "
        f"it, so not blind and not a second reading: {written(right, '.1%')} were right."
    )


SET_WRITERS: dict[str, Callable[[Published], str]] = {
    "set_files": set_files,
    "set_counts": set_counts,
    "set_months": set_months,
    "set_ids": set_ids,
    "set_rates": set_rates,
    "set_labels": set_labels,
    "set_reading": set_reading,
}
"""By the name between the marks: what writes it."""

_OF_FOUR = {"profile": "cpu", "task": "four", "protocol": "grouped", "seeds": "1/2/3", "condition": ""}


def _files() -> pd.DataFrame:
    return pd.read_csv(RESOURCES / "mendeley.csv")


def _by_class(pages: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(label, pages[pages["label"] == label]) for label in CLASSES]
