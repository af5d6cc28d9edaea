"""The commands. Each imports what it needs when it runs, so that help comes at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadwise import __version__
from leadwise.errors import LeadwiseError

app = typer.Typer(
    name="leadwise",
    help="Printed 12-lead ECGs: leads, folds that cannot leak, networks, a distilled student, honest scores."
    "\n\nResearch use only, not a medical device. Begin with: leadwise run",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leadwise {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before a command."""


@app.command()
def run(
    profile: Annotated[
        str, typer.Option(help="A file of workflow/profiles: sample, cpu, paper, or your own.")
    ] = "sample",
    only: Annotated[
        str | None, typer.Option(metavar="NOTEBOOK", help="This notebook and what it needs.")
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Cores to use; all that there are by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run again what is done already.")] = False,
) -> None:
    """Run the notebooks that are not done, each after what it needs.

    Example: leadwise run --profile sample --only 24_image_vit

    Results go to runs/PROFILE (LEADWISE_RUNS names another folder than runs). LEADWISE_DATA names the
    folder with your pages; without it, and in the profile sample, the embedded sample serves.
    """
    from leadwise import workflow

    outcome = workflow.run(profile, only, cores, force=force)
    if outcome.error:
        typer.secho(outcome.error, fg=typer.colors.RED, err=True)
        raise typer.Exit(1)
    if not outcome.ran:
        typer.echo("Nothing to do: all is done already (--force runs it again).")
    _show_results(profile, only)


@app.command()
def catalogue(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the class folders.")],
    out: Annotated[Path, typer.Option(help="The table to write.")],
) -> None:
    """Read every page's printed header and write the catalogue of the distinct pages.

    Example: leadwise catalogue ~/ecg-pages --out leadwise/resources/pages.csv

    Takes some two minutes for 500 pages.
    """
    from leadwise.data.catalogue import rebuild

    for page in rebuild(folder, out).itertuples():
        typer.secho(f"not read: {page.path}: {page.why}", err=True)


@app.command()
def folds(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the class folders.")],
    out: Annotated[Path, typer.Option(help="The table to write.")],
    seeds: Annotated[int, typer.Option(min=1, help="Partitions, each by its own seed: 1, 2, ...")] = 3,
) -> None:
    """Split a folder's distinct pages into five folds that share no copy, no trace and no printed id.

    Example: leadwise folds ~/ecg-pages --out folds.csv

    Writes a row a page: its group, its label, and for each partition the fold in which it is tested. The folds of
    the Mendeley set come with leadwise; this made them. Takes half a minute for 500 pages.
    """
    from leadwise.data.folds import fingerprint, fold_folder
    from leadwise.files import written_whole

    table = fold_folder(folder, range(1, seeds + 1))
    with written_whole(out) as aside:
        table.to_csv(aside, index=False, lineterminator="\n")
    groups = table["group_id"].nunique()
    typer.echo(
        f"{len(table)} distinct pages in {groups} groups; fingerprint {fingerprint(table)}; written to {out}"
    )


@app.command()
def template(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the class folders.")],
    out: Annotated[Path, typer.Option(help="The folder for template_ink.png and template_paper.png.")],
) -> None:
    """Find what all pages of one device have in common: what is printed in black, and the paper under it.

    Example: leadwise template ~/ecg-pages --out leadwise/resources

    Every other page that was not recorded in 2019-11 (another file variant) is used, at most 100.
    """
    from leadwise.data.catalogue import shipped
    from leadwise.pages.read import read_page
    from leadwise.pages.template import write_template

    pages = shipped()
    pages = pages[~pages["recorded_at"].str.startswith("2019-11")].iloc[::2]
    write_template((read_page(folder / path) for path in pages["path"]), out)
    typer.echo(f"Written to {out}")


@app.command()
def sample(folder: Annotated[Path, typer.Argument(help="Where to unpack it.")]) -> None:
    """Unpack the embedded sample, 48 real pages and their copies, and check it byte by byte.

    Example: leadwise sample ~/ecg-sample
    """
    from leadwise.data.sample import unpack_sample

    typer.echo(f"The sample is in {unpack_sample(folder)}")


def _show_results(profile: str, only: str | None) -> None:
    """Print where the executed notebooks and the summary table are, and the table."""
    from leadwise import paths, settings, workflow

    folder = paths.runs_folder() / profile
    typer.echo("\nExecuted notebooks:")
    for name in [only] if only else settings.NOTEBOOKS:
        executed = folder / name / "notebook.ipynb"
        typer.echo(f"  {executed if executed.is_file() else f'{executed.parent} (run by hand)'}")
    if other := workflow.made_by_other_code(profile):
        typer.echo(f"Made before the code last changed (--force runs them again): {', '.join(other)}")
    summary = folder / "51_image_models" / "summary.csv"
    if only in (None, "51_image_models") and summary.is_file():
        import pandas as pd

        from leadwise.evaluation.tables import print_table

        typer.echo(f"\nSummary table: {summary}\n")
        meaningless = " (sample: these figures mean nothing)" if profile == "sample" else ""
        print_table(pd.read_csv(summary), f"Profile {profile}{meaningless}")


def main() -> None:
    """Run the command line; what leadwise raises on purpose is one sentence and exit status 2."""
    try:
        app()
    except LeadwiseError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise SystemExit(2) from None
