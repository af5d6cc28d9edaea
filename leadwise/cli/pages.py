"""Commands for pages, recordings and folders of one's own. Each imports what it needs when it runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadwise.cli.app import Command, Cores, NoLimits, app
from leadwise.cli.progress import bytes_shown, ended_in_order, pages_shown
from leadwise.cli.words import about, complain, refused, say
from leadwise.names import printable

if TYPE_CHECKING:
    from leadwise.audit.facts import Facts
    from leadwise.audit.findings import Finding
    from leadwise.serving.batch import Outcome
    from leadwise.sets.sources import Source, Verdict

ClassFolders = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The folder that holds the class folders.")
]
TableFile = Annotated[Path, typer.Option(metavar="FILE", help="The table to write.")]
PageModelFile = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="For pages, an ONNX file of 43_student_export; else the one shipped."),
]
BeatModelFile = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="For recordings, an ONNX file that names beats; else the one shipped."),
]

Annotator = Annotated[
    str | None,
    typer.Option(
        "--atr",
        metavar="NAME",
        help="Write the beats of each recording beside it, as WFDB annotations RECORD.NAME; NAME is of letters.",
    ),
]


@app.command(cls=Command)
def predict(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILES",
            help="Pages (JPEG, PNG, TIFF, PDF), recordings (WFDB by .hea, EDF, DICOM, a zip of one), or folders "
            "of them; - reads a page from standard input.",
            show_default=False,
        ),
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Answer for a page that comes with leadwise, instead of FILES.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a file, a line each.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print a table: a row a page, or a row a beat.")
    ] = False,
    model: PageModelFile = None,
    beat_model: BeatModelFile = None,
    overlay: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Draw the answer on the page, or a recording as a strip chart: a .png; with many files a folder.",
        ),
    ] = None,
    page: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="The page of a PDF or TIFF; by default the first that is an ECG page."
        ),
    ] = None,
    atr: Annotator = None,
    cores: Cores = None,
    no_limits: NoLimits = False,
) -> None:
    """Answer for printed 12-lead ECGs, and for recordings.

    Example: leadwise predict --example

    Example: leadwise predict page.jpg --overlay answer.png

    Example: leadwise predict scans/ --csv > answers.csv

    Example: leadwise predict 100.hea --overlay strip.png --atr leadwise

    For a page: class, probabilities, leads found, heart rate, quality. Classes are normal, abnormal_heartbeat,
    history_of_mi and mi, as one hospital labelled them; probabilities are calibrated on its pages. For a recording:
    its beats found, each called N, S, V, F or Q (ANSI/AAMI EC57), and the rhythm summed up. Of a page of another
    layout the leads are read and no class is given (see digitize); one that is no ECG or a file that cannot be read
    is refused with the reason.
    Exit status 0: all files were answered; 1: some were refused, not drawn, not written or without a class; 2: it
    could not be done.
    Research use only, not a medical device.
    """
    from leadwise import processes
    from leadwise.errors import InputError
    from leadwise.files import RESOURCES
    from leadwise.recordings.files import is_recording
    from leadwise.serving import batch
    from leadwise.serving.model import load_model
    from leadwise.serving.predict_recording import BEAT_COLUMNS
    from leadwise.workers import LIMITS, NO_LIMITS

    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other: take one.")
    files, contents = _files_of(files, example=example)
    records = sum(map(is_recording, files))
    if as_csv and 0 < records < len(files):
        raise InputError("--csv: a table holds pages, or beats of recordings. Ask for one kind at a time.")
    if atr is not None:
        _refuse_annotator(atr, records)
    targets = batch.picture_targets(files, overlay) if overlay is not None else []
    refused = undrawn = unwritten = unnamed = 0
    columns = (
        BEAT_COLUMNS if records else batch.page_columns(load_model(model).info.classes if as_csv else ())
    )
    answers = batch.answer_all(
        files,
        model=model,
        beat_model=beat_model,
        targets=targets,
        cores=cores or processes.available_cores(),
        limits=NO_LIMITS if no_limits else LIMITS,
        contents=contents,
        page=page,
        atr=atr,
        rows=as_csv,
    )
    if as_csv:
        say(",".join(columns))
    with ended_in_order(), pages_shown("Reading files") as progress:
        for answer in progress(answers, len(files)):
            refused += bool(answer.why)
            undrawn += bool(answer.undrawn)
            unwritten += bool(answer.unwritten)
            unnamed += answer.has_no_class
            _tell(answer, as_json, columns if as_csv else ())
    if overlay is not None and refused + undrawn < len(files):
        say(f"Drawn: {overlay}", err=True)
    if example:
        say(
            "This page comes with leadwise (Khan and Hussain 2021, CC BY 4.0), and the model was trained on it: that "
            f"it is right here is no merit. How it does on pages that it never saw: {RESOURCES / 'MODEL_CARD.md'}",
            err=True,
        )
    if refused and len(files) > 1:
        say(f"{refused} of {len(files)} files were refused.", err=True)
    if unnamed and len(files) > 1:
        say(
            f"{unnamed} of {len(files)} files got no class: pages of another form. Their leads: digitize.",
            err=True,
        )
    if refused or undrawn or unwritten or unnamed:
        raise typer.Exit(1)


def _files_of(files: list[Path] | None, *, example: bool) -> tuple[list[Path], dict[Path, bytes]]:
    """The files that are asked for, and the bytes of those that lie nowhere: the example, or standard input."""
    from leadwise.cli.stdin import with_stdin
    from leadwise.errors import InputError
    from leadwise.serving import batch
    from leadwise.sets.sample import example_page

    if example == bool(files):
        raise InputError(
            "--example answers for a page that comes with leadwise, so it takes no FILES: leave out one or the other."
            if example
            else "FILES is missing: name a page, a recording or a folder, or give --example."
        )
    if example:
        name, content = example_page()
        return [name], {name: content}
    given, stdin = with_stdin(files or ())
    return batch.find_files(given), {batch.STDIN: stdin}


def _refuse_annotator(atr: str, records: int) -> None:
    """Raise InputError where an annotator's name is none, or there is no recording for its beats."""
    from leadwise.errors import InputError
    from leadwise.pages.read import PAGE_SUFFIXES
    from leadwise.recordings.files import SUFFIXES as RECORD_SUFFIXES

    if not (atr.isascii() and atr.isalpha()):
        raise InputError(f"--atr {atr}: an annotator is named in letters alone, such as leadwise.")
    if f".{atr.lower()}" in PAGE_SUFFIXES | RECORD_SUFFIXES:
        raise InputError(
            f"--atr {atr}: a file that ends so is taken for a page or a recording. Name the annotator otherwise, "
            "such as leadwise."
        )
    if not records:
        raise InputError("--atr: beats are written for recordings, and none is among these files.")


def _tell(answer: Outcome, as_json: bool, columns: Sequence[str]) -> None:
    """Print what came of one file: a line of JSON, rows of a table of these columns, or lines of text."""
    if answer.undrawn:
        complain(f"not drawn: {answer.undrawn}")
    if answer.unwritten:
        complain(f"not written: {answer.unwritten}")
    if answer.why and not as_json:
        complain(f"{answer.file}: {answer.why}")
    if as_json:
        typer.echo(answer.json_line())  # which has no control characters
    elif columns:
        typer.echo(answer.csv_lines(columns), nl=False)
    elif not answer.why:
        say(answer.file, bold=True)
        say(*(f"  {line}" for line in answer.lines))


@app.command(cls=Command)
def serve(
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="The address to listen at; 0.0.0.0 lets other machines ask."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0 takes a free one.")
    ] = 8000,
    model: PageModelFile = None,
    beat_model: BeatModelFile = None,
    cores: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes that answer; as many as cores by default."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name under which it may be asked, beside its addresses, localhost and --host; repeatable. "
            "Needed where others reach --host 0.0.0.0 (or ::) by a name, or through a proxy that passes one on.",
        ),
    ] = None,
) -> None:
    """Answer in the browser and over HTTP, until Ctrl+C.

    Example: leadwise serve --port 8000

    Open the address that it prints and drop a page or a record there; POST /predict takes the same from programs
    (/openapi.json describes it). Nothing that is sent is kept, and nothing is fetched from elsewhere. Needs
    leadwise[serve]. Research use only, not a medical device.
    """
    from leadwise import processes
    from leadwise.serving.http.serve import serve as run_server

    cores = cores or processes.available_cores()
    run_server(host, port, model, beat_model, cores, typer.echo, allow_host or ())


@app.command(cls=Command)
def audit(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder that holds the class folders, or the splits.")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all findings, with every file, here.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a report with pictures here.")
    ] = None,
    headers: Annotated[
        bool, typer.Option("--headers/--no-headers", help="Read printed headers that are not known yet.")
    ] = True,
    cores: Cores = None,
    no_limits: NoLimits = False,
) -> None:
    """Say what a folder of pages holds, and whether splits leak.

    Example: leadwise audit ~/ecg-pages --html audit.html

    Any classes, one folder each, with or without folders such as train, val and test above them. Found are byte
    copies, pixel copies, the same trace under another header, printed ids, contradictory labels, leaks, unreadable
    and foreign files, imbalance, and what gives a class away without the heart; each finding has a code (LW001 to
    LW014). Exit status 0: no split leaks; 1: one does; 2: it could not be done, or, whatever was found, a file could
    not be written.
    """
    from leadwise import processes
    from leadwise.audit import findings
    from leadwise.audit.facts import gather
    from leadwise.audit.report import write_report
    from leadwise.files import must_be_writable, write_json
    from leadwise.workers import LIMITS, NO_LIMITS

    for target in filter(None, (json_file, html_file)):
        must_be_writable(target)
    with pages_shown("Looking at pages") as progress:
        limits = NO_LIMITS if no_limits else LIMITS
        facts = gather(folder, headers, cores or processes.available_cores(), progress, limits)
    problems = findings.find(facts)
    _show_audit(facts, problems)
    written = True
    if json_file is not None:
        written = _written(json_file, lambda: write_json(findings.as_json(facts, problems), json_file))
    if html_file is not None:
        written &= _written(html_file, lambda: write_report(facts, problems, html_file))
    if not written or findings.leaks(problems):
        raise typer.Exit(1 if written else 2)


@app.command(cls=Command)
def catalogue(
    folder: ClassFolders,
    out: TableFile,
) -> None:
    """Read all printed headers and write a catalogue of pages.

    Example: leadwise catalogue ~/ecg-pages --out leadwise/resources/pages.csv

    Takes some two minutes for 500 pages.
    """
    from leadwise.files import must_be_writable
    from leadwise.sets.catalogue import rebuild

    must_be_writable(out)
    with about(out, prints=True):
        unread = rebuild(folder, out)
    for page in unread.itertuples():
        say(f"not read: {page.path}: {page.why}", err=True)


@app.command(cls=Command)
def folds(
    folder: ClassFolders,
    out: TableFile,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Partitions, each by its own seed: 1, 2, ...")
    ] = 3,
) -> None:
    """Split distinct pages into folds that share no copy.

    Example: leadwise folds ~/ecg-pages --out folds.csv

    Writes a row a page: its group, its label, and for each partition the fold in which it is tested. grouped_1,
    grouped_2 ... share no copy, no trace and no printed id; beside them stand distinct_1 ..., which share no copy,
    and by_month, where the pages allow it. The folds of the Mendeley set come with leadwise; this made them. Takes
    half a minute for 500 pages.
    """
    from leadwise import processes
    from leadwise.audit.folds import fold_folder
    from leadwise.files import must_be_writable, written_whole
    from leadwise.folds.pages import fingerprint

    must_be_writable(out)
    table, notes = fold_folder(folder, range(1, seeds + 1), processes.available_cores())
    with about(out), written_whole(out) as aside:
        table.to_csv(aside, index=False, lineterminator="\n")
    groups = table["group_id"].nunique()
    for note in notes:
        say(note, err=True)
    say(f"{len(table)} distinct pages in {groups} groups; fingerprint {fingerprint(table)}; written to {out}")


@app.command(cls=Command)
def template(
    folder: ClassFolders,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder for template_ink.png and template_paper.png.")
    ],
) -> None:
    """Find what all pages of one device have in common.

    Example: leadwise template ~/ecg-pages --out leadwise/resources

    That is what is printed in black, and the paper under it. Every other page that was not recorded in 2019-11
    (another file variant) is used, at most 100.
    """
    from leadwise.drawing.template_maker import write_template
    from leadwise.files import must_hold_files
    from leadwise.pages.forms import known_printout
    from leadwise.pages.read import read_page
    from leadwise.sets.catalogue import shipped

    must_hold_files(out)
    pages = shipped()
    pages = pages[~pages["recorded_at"].str.startswith("2019-11")].iloc[::2]
    with about(out):
        write_template(known_printout(), (read_page(folder / path) for path in pages["path"]), out)
    say(f"Written to {out}")


@app.command(cls=Command)
def layouts() -> None:
    """List the layouts of pages that can be read.

    Example: leadwise layouts

    Rows of leads from the top, each from the left; a strip below them lasts as long as all columns, and may repeat
    another lead than the one named here. The first one's printout is known to the pixel.
    """
    from leadwise.pages.forms import forms

    rows: list[tuple[str, ...]] = [("layout", "s a column", "mm/s", "mm/mV", "strips", "rows")]
    for form in forms():
        numbers = (f"{number:g}" for number in (form.column_s, form.speed_mm_per_s, form.gain_mm_per_mv))
        rows.append(
            (form.name, *numbers, " ".join(form.strips), ", ".join(" ".join(row) for row in form.rows))
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())


@app.command(cls=Command)
def sample(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to unpack it.")]) -> None:
    """Unpack the embedded sample: 48 real pages and their copies.

    Example: leadwise sample ~/ecg-sample

    Every file is checked byte by byte before it is written.
    """
    from leadwise.sets.sample import unpack_sample

    with about(folder):
        unpack_sample(folder)
    say(f"The sample is in {folder}")


@app.command(cls=Command)
def fetch(
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="mendeley or mitdb; --verify also finds it out by itself."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it goes; ecg-data/SOURCE by default.")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Check what lies in DIR; fetch nothing.")
    ] = None,
) -> None:
    """Fetch a public set and check it, or check your own.

    Example: leadwise fetch mendeley --to ~/ecg-pages

    Example: leadwise fetch --verify ~/Downloads/ecg-pages

    Every file is checked. mendeley is 928 page images, 0.6 GB; mitdb is 48 half-hour recordings in 144 files,
    0.1 GB. What is there and right is not fetched again, and a download that broke goes on where it was. Exit
    status 0: every file is right; 1: files differ or are missing; 2: it could not be done.
    """
    from leadwise.errors import FetchError
    from leadwise.sets import sources

    if verify is not None and to is not None:
        raise FetchError("--to and --verify exclude each other: fetch to a folder, or check one.")
    if verify is not None:
        which, folder = sources.recognised(verify, source)
        verdict = sources.verify(folder, which)
    elif source is not None:
        from leadwise.sets.fetch import fetch as bring

        which = sources.named(source)
        folder = to or Path("ecg-data") / source
        with bytes_shown(f"{which.title} to {folder}") as tell:
            verdict = bring(which, folder, tell)
    else:
        raise FetchError(
            f"Name what to fetch, {' or '.join(sources.SOURCES)}; or what to check: --verify DIR"
        )
    _show_verdict(which, folder, verdict)
    if verdict.lacking:
        raise typer.Exit(1)


def _show_audit(facts: Facts, problems: list[Finding]) -> None:
    """Print what a folder holds and what was found, each finding with its advice and its first files."""
    from leadwise.audit.findings import verdict

    colours = {"leak": typer.colors.RED, "warning": typer.colors.YELLOW, "note": typer.colors.CYAN}
    for by in ("label", "split") if facts.is_split else ("label",):
        for name, files, distinct in facts.counts(by).itertuples(index=False):
            say(f"  {printable(name) or 'in none':<22}{files:>7} files{distinct:>7} distinct pages")
        say()
    for finding in problems:
        kind = finding.kind
        say(f"{finding.code} {kind.name} ({kind.weight})", colour=colours[kind.weight], bold=True)
        say(f"  {finding.says}")
        for group in finding.files[:2]:
            more = f" and {len(group) - 3} more" if len(group) > 3 else ""
            say(f"    {', '.join(_without_repeated_folder(group[:3]))}{more}")
        if len(finding.files) > 2:
            say(f"    ... {len(finding.files) - 2} more")
        say(f"  {kind.advice}", "")
    for sentence in facts.not_checked:
        say(sentence)
    say(verdict(facts, problems), bold=True)


def _without_repeated_folder(paths: Iterable[str]) -> Iterator[str]:
    """Paths, each without its folder where that is the one before."""
    before = None
    for path in paths:
        folder, _, name = path.rpartition("/")
        yield name if folder == before else path
        before = folder


def _written(target: Path, write: Callable[[], None]) -> bool:
    """Write a file, and say that it is there, or why it is not."""
    try:
        with about(target):
            write()
    except OSError as error:
        complain(f"not written: {refused(error)}")
        return False
    say(f"Written to {target}")
    return True


def _show_verdict(source: Source, folder: Path, verdict: Verdict) -> None:
    """Print how many files are right, and the names of those that are not."""
    for word, paths in vars(verdict).items():
        if word != "right" and paths:
            more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
            say(f"{word}: {', '.join(paths[:5])}{more}", err=True)
    summary = f"{source.title}: {len(verdict.right)} of {len(source.files)} files are right in {folder}"
    if verdict.lacking:
        summary += f". To fetch the others: leadwise fetch {source.name} --to {shlex.quote(str(folder))}"
    say(summary)
