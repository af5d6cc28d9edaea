"""The picture of an answer that docs/serve.md shows: `leadwise serve` in Chromium, a sample page chosen.

python tests/benchmarks/picture_serve.py [--out analysis/figures/serve.png]
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from served import running

from leadwise.files import written_whole

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    """Open the page, choose, wait, and write what is seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "analysis" / "figures" / "serve.png")
    parser.add_argument("--sample", default="infarction", help="normal, infarction or disputed")
    parser.add_argument("--scheme", default="light", choices=("light", "dark"))
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("there is no Chromium: install Debian's chromium, or name one in CHROMIUM")
    with running(1) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": 1280, "height": 1560},
            color_scheme=given.scheme,
            reduced_motion="reduce",
        )
        page.goto(f"http://{server.host}:{server.port}")
        page.click(f"[data-sample={given.sample}]")
        page.wait_for_selector("#answer .shares")
        page.wait_for_selector("#work", state="hidden")
        page.mouse.move(2, 2)
        page.evaluate("scrollTo(0, document.getElementById('answer').offsetTop - 75)")
        end = page.locator(".scroll").bounding_box()
        assert end is not None
        shot = page.screenshot(clip={"x": 0, "y": 0, "width": 1280, "height": end["y"] + end["height"] + 50})
        browser.close()
    with Image.open(io.BytesIO(shot)) as seen, written_whole(given.out) as aside:
        seen.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            aside, optimize=True
        )
    print(f"Written to {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
