"""The one command and its options; its subcommands stand in `pages` and `project`."""

from __future__ import annotations

from typing import Annotated

import typer

from leadwise.names import VERSION

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
        typer.echo(f"leadwise {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before a command."""
