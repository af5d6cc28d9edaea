"""The commands: help comes at once, since each imports what it needs when it runs."""

from __future__ import annotations

import traceback

import typer

from leadwise.cli import (
    pages,  # noqa: F401 - their commands
    project,  # noqa: F401
)
from leadwise.cli.app import app
from leadwise.errors import LeadwiseError


def main() -> None:
    """Run the command line; what leadwise raises on purpose is one sentence and exit status 2."""
    try:
        app()
    except LeadwiseError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise SystemExit(2) from None
    except Exception:  # Python would end with 1, which says that a split leaks
        traceback.print_exc()
        raise SystemExit(2) from None
