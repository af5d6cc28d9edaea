"""What is wrong with a site that should open from disk."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup


def pages(site: Path) -> dict[Path, BeautifulSoup]:
    return {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in site.rglob("*.html")
    }


def broken_links(site: Path) -> list[str]:
    """Links and pictures of a site whose file, or whose place in it, is not there, or that lead out of it."""
    parsed = pages(site.resolve())
    broken = []
    for path, soup in parsed.items():
        for tag in soup.select("[href], [src]"):
            target = tag.get("href") or tag.get("src")
            if re.match(r"(https?|data|mailto):", target):
                continue
            file, _, anchor = unquote(target).partition("#")
            found = (path.parent / file).resolve() if file else path
            inside = found.is_relative_to(site.resolve()) and found.is_file()
            if not inside or (anchor and not parsed[found].find(id=anchor)):
                broken.append(f"{path.name}: {target}")
    return broken


def fetched(site: Path) -> list[str]:
    """What a browser would fetch from elsewhere, or run, while it shows a site."""
    found = []
    for path, soup in pages(site).items():
        loading = soup.select("script, link[href], iframe, img[src^=http], source, object, embed")
        styles = [tag.get_text() for tag in soup.find_all("style")]
        loading += [text for text in styles if re.search(r"@import|url\(\s*['\"]?(https?:)?//", text)]
        found += [f"{path.name}: {str(one)[:90]}" for one in loading]
    return found
