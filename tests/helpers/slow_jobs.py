"""Jobs that take as long, and answer as much, as their file's name says: ``sleep-2.jpg``, ``bytes-1000.jpg``.

Run as a script it is a `leadwise serve` on a free port with one process that does such jobs.
"""

from __future__ import annotations

import sys
import time

from starlette.responses import Response

from leadwise import cli
from leadwise.serving.http import desk
from leadwise.serving.http.jobs import Job


def do(job: Job) -> Response:
    """Sleep, or answer with so many bytes."""
    what, _, much = job.files[0].name.removesuffix(".jpg").partition("-")
    if what == "sleep":
        time.sleep(float(much))
    return Response(
        bytes(int(much)) if what == "bytes" else b'{"kind": "page"}', media_type="application/json"
    )


def nothing() -> None:
    """To warm up."""


if __name__ == "__main__":
    import slow_jobs  # whose functions another process can import, as it cannot those of a script

    desk.do, desk._warm = slow_jobs.do, slow_jobs.nothing
    sys.argv = ["leadwise", "serve", "--port", "0", "--cores", "1"]
    cli.main()
