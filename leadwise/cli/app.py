"""The one command and its options; its subcommands stand in `pages` and `project`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from leadwise.cli.words import ended_by, say
from leadwise.errors import SettingsError, nearest
from leadwise.names import CAUTION, VERSION

Cores = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Cores to use; all that there are by default.")
]

NoLimits = Annotated[
    bool,
    typer.Option(
        "--no-limits",
        help="Give each file all the time and memory that it takes; by default 60 s (recordings of over 10 MB more) "
        "and 2.4 GB; `serve` gives 20 s.",
    ),
]


class Command(TyperCommand):
    """A command whose help calls its arguments by their names alone, and not also by types of Python."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """FOLDER, and not {FOLDER}."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def get_params(self, ctx: Any) -> list[Any]:
        """FOLDER, and not FOLDER <path>."""
        params: list[Any] = super().get_params(ctx)
        for param in params:
            if param.param_type_name == "argument":
                param.display_type_rich = lambda ctx: None  # noqa: ARG005
        return params


class _Commands(TyperGroup):
    """The subcommands. Each knows -V; a pipe that nobody reads is told here, since typer would end with 1."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        _show_version(rest[:1] in (["-V"], ["--version"]))
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise SystemExit(ended_by(error)) from None


app = typer.Typer(
    name="leadwise",
    cls=_Commands,
    help="Printed 12-lead ECGs: leads, folds that share no copy, networks, a distilled student, honest scores."
    f"\n\n{CAUTION} Begin with: leadwise run",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked_for: bool) -> None:
    if is_asked_for:
        say(f"leadwise {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options that stand before a command."""


@app.command("help", cls=Command)
def show_help(
    context: typer.Context,
    command: Annotated[str | None, typer.Argument(metavar="COMMAND", help="One of the commands.")] = None,
) -> None:
    """Show what there is, or what a command takes.

    Example: leadwise help predict
    """
    above: Any = context.parent
    if command is None:
        say(*above.get_help().splitlines())
        return
    subcommand = above.command.get_command(above, command)
    if subcommand is None:
        raise SettingsError(f"{command!r} is no command: {nearest(command, above.command.commands)}")
    with above.scope(cleanup=False):
        inside = subcommand.make_context(command, [], parent=above, resilient_parsing=True)
        say(*inside.get_help().splitlines())
