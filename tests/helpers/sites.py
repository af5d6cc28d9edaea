"""What is wrong with a site that should open from disk."""

from __future__ import annotations

import re
from html.parser import HTMLParser
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


class Live(HTMLParser):
    """Finds in HTML what a browser would run, or fetch from a place that the text names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        runs = tag in {"script", "iframe", "object", "embed", "base"}
        runs |= any(name.startswith("on") or (value or "").startswith("javascript:") for name, value in attrs)
        if runs or (tag == "img" and dict(attrs).get("src") == "x"):
            self.found.append(self.get_starttag_text() or tag)


def live(html: str) -> list[str]:
    """The tags of a page, or of a part of one, that run something."""
    parser = Live()
    parser.feed(html)
    return parser.found


def policies(site: Path) -> dict[str, dict[str, str]]:
    """By page of a site: what its Content-Security-Policy allows, by directive."""
    found = {}
    for path, soup in pages(site).items():
        (meta,) = soup.head.select("meta[http-equiv=Content-Security-Policy]")
        told = (one.split(" ", 1) for one in meta["content"].split("; "))
        found[path.name] = dict(told)
    return found
