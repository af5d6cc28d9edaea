"""`leadwise serve` with a request for each argument, whose files it names, and then some seconds in which it rests.

python serve_a_while.py SECONDS page.jpg 100.hea,100.dat
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx2


def main(seconds: float, requests: list[str]) -> None:
    command = [sys.executable, "-m", "leadwise", "serve", "--port", "0", "--cores", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            found = (re.search(r"http://[\d.:]+", line) for line in server.stdout or ())
            address = next(match[0] for match in found if match)
            for files in requests:
                form = [("file", (Path(path).name, Path(path).read_bytes())) for path in files.split(",")]
                answer = httpx2.post(f"{address}/predict", files=form, timeout=60)
                print(answer.status_code, answer.text[:200], flush=True)
                answer.raise_for_status()
            time.sleep(seconds)
        finally:
            server.terminate()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
