"""Names from outside in tables and in Markdown."""

from __future__ import annotations

import pandas as pd
import pytest
from sites import live

from leadwise.project.literal import literal, show_tables_as_text
from leadwise.publishing.report import _html

NAMES = ("<img src=x onerror=alert(1)>", "<script>x", '"><svg onload=alert(1)>', "[x](javascript:alert(1))")


@pytest.fixture
def styled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pd.DataFrame, "style", pd.DataFrame.style)  # what is changed here is put back
    show_tables_as_text()


@pytest.mark.usefixtures("styled")
@pytest.mark.parametrize("name", NAMES)
def test_a_table_shows_a_name_as_it_is_in_cells_and_labels_and_whatever_the_format(name: str) -> None:
    table = pd.DataFrame({name: [name, None], "share": [0.25, 1.0]}, index=[name, "other"])
    styles = [
        table.style,
        table.style.hide(),
        table.style.hide().format(precision=3, na_rep="not read"),
        table.style.format({"share": "{:.0%}"}),
        table.T.style.format("{}"),
        table.style.format_index(precision=1, axis=1),
    ]
    assert [tag for style in styles for tag in live(style._repr_html_())] == []
    assert live(table._repr_html_()) == []


@pytest.mark.usefixtures("styled")
def test_numbers_are_formatted_as_ever() -> None:
    shown = pd.DataFrame({"share": [0.25, None]}).style.format("{:.0%}", na_rep="none")._repr_html_()
    assert ">25%<" in shown
    assert ">none<" in shown


@pytest.mark.parametrize("name", [*NAMES, "a_b_c *d* `e`", "line\n\n# head", "<!-- gone"])
def test_a_name_in_markdown_is_its_own_words_and_nothing_else(name: str) -> None:
    from bs4 import BeautifulSoup

    html = _html(f"One folder is called {literal(name)}.")
    soup = BeautifulSoup(html, "html.parser")
    assert [tag.name for tag in soup.find_all()] == ["p"]
    assert soup.p.get_text().split() == f"One folder is called {name}.".split()
