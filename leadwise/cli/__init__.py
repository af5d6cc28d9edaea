"""The commands: help comes at once, since each imports what it needs when it runs."""

from __future__ import annotations

import sys
import traceback

from leadwise.cli import (
    digitize,  # noqa: F401 - their commands
    pages,  # noqa: F401
    project,  # noqa: F401
)
from leadwise.cli.app import app
from leadwise.cli.words import complain, ended_by
from leadwise.errors import LeadwiseError


def main() -> None:
    """Run the command line.

    What leadwise raises on purpose, and what the system refuses (a full disk, a folder that is not yours), is one
    sentence and exit status 2; where nobody reads on, it ends quietly.
    """
    if sys.stdout is None:
        complain(
            "standard output is closed, so there is nowhere to print to. Send it to /dev/null, or to a file."
        )
        raise SystemExit(2)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except LeadwiseError as error:
        complain(str(error))
        raise SystemExit(2) from None
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "leadwise":
            raise
        complain(
            f"{error.name} is not installed, and this command needs it: pip install 'leadwise[notebooks]' brings all "
            "that the commands use, 'leadwise[data]' and 'leadwise[serve]' parts of it; in a clone `make env`."
        )
        raise SystemExit(2) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # else it is some library's own
            raise SystemExit(ended_by(error)) from None
        traceback.print_exc()
        raise SystemExit(2) from None  # Python would end with 1, which says that a split leaks
