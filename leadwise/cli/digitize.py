"""``leadwise digitize``: from printed pages to files of millivolts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadwise.cli.app import Command, Cores, NoLimits, app
from leadwise.cli.progress import ended_in_order, pages_shown
from leadwise.cli.words import about, complain, say


@app.command(cls=Command)
def digitize(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES", help="Pages (JPEG, PNG, TIFF, BMP, WebP, PDF, HEIC), or folders of them."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the results go.")],
    page: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The one page to read of each file; else all that are ECGs."),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help="What to write of a page: csv, wfdb, npy.")
    ] = "csv,wfdb",
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Also draw the traces over the page: NAME_overlay.png.")
    ] = False,
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N", help="Read the I-th of N parts of the files: 1/8 to 8/8 on eight machines."
        ),
    ] = "1/1",
    cores: Cores = None,
    no_limits: NoLimits = False,
) -> None:
    """Read the leads of printed ECGs, in millivolts.

    Example: leadwise digitize scan.png --out signals --overlay

    Example: leadwise digitize archive/ --out signals --format npy --shard 3/8

    Of each page, NAME being its file's name without suffix: NAME.csv (time_s and a column a lead, mV at 500 Hz, 0 s
    is the start of the first column, empty where a lead is not printed; a strip is II_strip), NAME.hea and NAME.dat
    (the same as a WFDB record), NAME.npy, and NAME.json: form, start and length of each lead, scale, quality,
    warnings. Further ECGs of one file are NAME_page2 ...; a second file of one name is NAME-2. digitized.csv has a
    row a page. No class is given; see predict. A page that cannot be read, or not be trusted, is refused with the
    reason. Earlier results of a NAME are replaced; where another file or a page to read stands in the place of one,
    nothing of that page is written, and the reason is told.
    Exit status 0: all files were read; 1: some were refused, or not written; 2: it could not be done.
    Research use only, not a medical device.
    """
    from leadwise import processes
    from leadwise.files import written_whole
    from leadwise.pages.read import PAGE_SUFFIXES
    from leadwise.serving import digitize_files, digitize_many
    from leadwise.serving.batch import find_files
    from leadwise.workers import LIMITS, NO_LIMITS

    wanted = digitize_many.Wanted(out, page, digitize_files.formats_of(formats), overlay)
    which = digitize_files.Shard.of_text(shard)
    every = find_files(files, PAGE_SUFFIXES)
    names = digitize_files.names_of(every, page)
    own = which.among(every)
    digitize_many.prepare(out)
    outcomes = digitize_many.digitize_all(
        own, names, wanted, cores or processes.available_cores(), NO_LIMITS if no_limits else LIMITS
    )
    refused = unwritten = warned = pages = 0
    rows = [",".join(digitize_files.COLUMNS) + "\n"]
    with ended_in_order(), pages_shown("Reading pages") as progress:
        for outcome in progress(outcomes, len(own)):
            rows.append(outcome.csv_lines(digitize_files.COLUMNS))
            pages += 1
            refused += bool(outcome.why)
            unwritten += bool(outcome.undrawn)
            warned += any(row["warnings"] for row in outcome.rows)
            if outcome.why or outcome.undrawn:
                complain(f"{outcome.file}: {outcome.why or f'not written: {outcome.undrawn}'}")
            else:
                say(f"{outcome.file}: {out / outcome.rows[0]['name']}.*", bold=True)
                say(*(f"  {line}" for line in outcome.lines))
    table = out / which.table
    with about(table), written_whole(table) as aside:
        aside.write_text("".join(rows), encoding="utf-8")
    read = pages - refused - unwritten
    say(
        f"{len(own)} files: {read} pages were read, {warned} with warnings; {refused} were refused. All: {table}",
        err=True,
    )
    if refused or unwritten:
        raise typer.Exit(1)
