"""The page of `leadwise serve` in a real browser: dropped on, by keyboard, on a phone, in the dark."""

from __future__ import annotations

import base64
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from read_pages import pdf_of_6x2

from leadwise.names import LEADS
from leadwise.sets.sample import unpack_sample

CAUTION = "Research use only, not a medical device"
CLASSES = "#answer [aria-labelledby=said-label] .shares li"
HEARTS = "#answer .hearts"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no Chromium: install Debian's chromium, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, served: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh window at the page; fails where the page's own script did, or asked anybody else."""
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
    settings |= getattr(request, "param", {})
    context = browser.new_context(**settings)
    opened = context.new_page()
    errors: list[str] = []
    elsewhere: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "request",
        lambda asked: (
            elsewhere.append(asked.url) if not asked.url.startswith((served, "data:", "blob:")) else None
        ),
    )
    opened.goto(served)
    opened.wait_for_selector("#samples img")
    yield opened
    context.close()
    assert not errors
    assert not elsewhere


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return min(unpack_sample(tmp_path_factory.mktemp("pages")).rglob("MI*.jpg"))


def serious(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    return [f"{found['id']}: {found['help']}" for found in Axe().run(page).response["violations"]]


def test_a_sample_page_is_answered_with_boxes_traces_and_meaning(page: Page) -> None:
    expect(page.get_by_text(CAUTION)).to_be_in_viewport()
    page.click("[data-sample=infarction]")
    answer = page.locator("#answer")
    expect(answer.locator("h2")).to_have_text("Most like pages labelled MI", timeout=30_000)
    expect(answer.locator("h2")).to_be_focused()
    expect(page.get_by_text(CAUTION)).to_be_in_viewport()
    assert page.locator(".page polygon").count() == 13
    assert page.locator("svg.ecg path.t:not(.p)").count() == 13
    names = page.locator("svg.ecg text").all_text_contents()
    assert set(names) == {*LEADS, "rhythm strip"}
    assert page.locator(CLASSES).count() == 4
    expect(answer.get_by_text("It is not the chance that a person is ill")).to_be_visible()
    assert page.locator(f"{HEARTS} .shares li").count() == 5
    expect(page.locator(HEARTS).get_by_text("no diagnosis")).to_be_visible()
    assert page.locator(".moved li").count() == 13
    expect(answer.get_by_text("Which leads moved the answer")).to_be_visible()
    expect(answer.get_by_text("No warnings")).to_be_visible()


def test_a_page_that_is_dropped_is_answered_and_can_be_taken_home(
    page: Page, sample: Path, tmp_path: Path
) -> None:
    data = base64.b64encode(sample.read_bytes()).decode()
    page.evaluate(
        """([name, bytes]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([Uint8Array.from(atob(bytes), one => one.charCodeAt(0))], name));
            document.getElementById("drop").dispatchEvent(
                new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        ["my page.jpg", data],
    )
    page.wait_for_selector("#answer .shares", timeout=30_000)
    taken = {}
    for button in ("json", "csv", "wfdb"):
        with page.expect_download() as coming:
            page.click(f"#{button}")
        taken[button] = tmp_path / coming.value.suggested_filename
        coming.value.save_as(taken[button])
    assert [path.name for path in taken.values()] == ["my page.json", "my page.csv", "my page-wfdb.zip"]
    told = json.loads(taken["json"].read_text(encoding="utf-8"))
    assert told["file"] == "my page.jpg"
    assert "picture" not in told
    assert taken["csv"].read_text(encoding="utf-8").startswith("time_s,I_mv,II_mv")
    with zipfile.ZipFile(taken["wfdb"]) as archive:
        assert sorted(archive.namelist()) == ["leadwise.dat", "leadwise.hea"]


def test_a_page_of_another_form_is_drawn_with_its_leads_and_has_no_class(page: Page, tmp_path: Path) -> None:
    page.set_input_files("#file", {"name": "exam.pdf", "mimeType": "application/pdf", "buffer": pdf_of_6x2()})
    answer = page.locator("#answer")
    expect(answer.locator("h2")).to_have_text("Leads read, no class given", timeout=30_000)
    expect(answer.get_by_text("this is another")).to_be_visible()
    expect(page.get_by_text(CAUTION)).to_be_in_viewport()
    assert page.locator("svg.ecg path.t:not(.p)").count() == 12
    assert page.locator(CLASSES).count() == 0
    assert page.locator(f"{HEARTS} .shares li").count() == 5
    assert not serious(page)
    names = []
    for button in ("json", "csv", "wfdb", "overlay"):
        with page.expect_download() as coming:
            page.click(f"#{button}")
        coming.value.save_as(tmp_path / coming.value.suggested_filename)
        names.append(coming.value.suggested_filename)
    assert names == ["exam.json", "exam.csv", "exam-wfdb.zip", "exam_overlay.png"]
    assert json.loads((tmp_path / "exam.json").read_text(encoding="utf-8"))["form"] == "6x2"


def answer_with(page: Page, warnings: list[str], **hearts: Any) -> None:
    """Open a sample page, with other warnings, and other words of hearts, than the server answers."""

    def changed(route: Route) -> None:
        told = route.fetch().json()
        route.fulfill(json=told | {"warnings": warnings, "hearts": told["hearts"] | hearts})

    page.route("**/predict?*", changed)
    page.click("[data-sample=infarction]")
    page.wait_for_selector(HEARTS, timeout=30_000)


def test_a_contradiction_stands_where_hearts_answers_and_is_no_fault_of_reading(page: Page) -> None:
    answer_with(page, ["contradiction: made"], contradiction="contradiction: made")
    expect(page.locator(HEARTS).get_by_text("Contradiction: made.")).to_be_visible()
    expect(page.locator("#answer").get_by_text("No warnings")).to_be_visible()


def test_why_a_page_has_no_answer_of_hearts_is_said(page: Page) -> None:
    answer_with(page, [], probabilities={}, why_none="hearts says nothing: made")
    expect(page.locator(HEARTS).get_by_text("Hearts says nothing: made.")).to_be_visible()
    assert page.locator(f"{HEARTS} .shares").count() == 0
    assert not serious(page)


def test_all_of_it_works_by_keyboard(page: Page) -> None:
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.sample") == "normal":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer .shares", timeout=30_000)
    region = page.locator(".scroll")
    region.focus()
    narrow = page.evaluate("document.querySelector('svg.ecg').clientWidth")
    page.keyboard.press("+")
    page.keyboard.press("+")
    wide = page.evaluate("document.querySelector('svg.ecg').clientWidth")
    assert wide > 1.5 * narrow
    page.keyboard.press("0")
    assert page.evaluate("document.querySelector('svg.ecg').clientWidth") == narrow
    page.get_by_label("Look at").select_option("V3")
    assert page.evaluate("document.querySelector('svg.ecg').clientWidth") > 2 * narrow
    assert page.locator(".page g.lit").text_content() == "V3"


def test_several_files_are_answered_one_after_the_other_and_a_bad_one_is_said_to_be(
    page: Page, sample: Path, tmp_path: Path
) -> None:
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam", encoding="utf-8")
    page.set_input_files("#file", [sample, tmp_path / "letter.jpg"])
    expect(page.locator("#many button")).to_have_count(2, timeout=30_000)
    expect(page.get_by_role("alert").first).to_contain_text("Not an image that can be read")
    page.locator("#many button").first.click()
    expect(page.locator(CLASSES)).to_have_count(4)


def test_a_recording_shows_its_beats_ten_seconds_at_a_time(page: Page) -> None:
    if not (folder := os.environ.get("LEADWISE_SIGNALS")):
        pytest.skip("LEADWISE_SIGNALS is not set: it names the folder with MIT-BIH in mitdb/")
    page.set_input_files("#file", [Path(folder) / "mitdb" / f"100{end}" for end in (".hea", ".dat")])
    expect(page.locator("#answer h2")).to_contain_text("A recording of 30:05 min", timeout=60_000)
    assert 8 <= page.locator(".beat").count() <= 16
    assert "normal" in page.locator("#answer .shares").inner_text() or page.locator(".beat:not(.N)").count()
    first = page.locator("svg.ecg path.t:not(.p)").first.get_attribute("d")
    page.locator("input[type=range]").focus()
    page.keyboard.press("PageUp")
    assert page.locator("svg.ecg path.t:not(.p)").first.get_attribute("d") != first
    assert not serious(page)


@pytest.mark.parametrize(
    "page",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {
            "viewport": {"width": 360, "height": 740},
            "is_mobile": True,
            "has_touch": True,
            "color_scheme": "dark",
        },
    ],
    indirect=True,
    ids=["light", "dark", "phone"],
)
def test_it_is_accessible_before_and_after_and_fits_its_width(page: Page) -> None:
    assert not serious(page)
    page.click("[data-sample=disputed]")
    page.wait_for_selector("#answer .shares", timeout=30_000)
    page.wait_for_selector("#work", state="hidden")
    page.locator("summary").first.click()
    assert not serious(page)
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    expect(page.get_by_text(CAUTION)).to_be_in_viewport()


def test_a_server_that_is_gone_is_said_to_be(page: Page, sample: Path) -> None:
    page.route("**/predict*", lambda route: route.abort())
    page.set_input_files("#file", sample)
    expect(page.get_by_role("alert").first).to_contain_text("The server did not answer")


def test_a_busy_server_is_asked_again(page: Page, sample: Path) -> None:
    asked = []

    def busy_once(route: Any) -> None:
        asked.append(1)
        if len(asked) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"code": "full", "detail": "full"})
        else:
            route.continue_()

    page.route("**/predict*", busy_once)
    page.set_input_files("#file", sample)
    page.wait_for_selector("#answer .shares", timeout=30_000)
    assert len(asked) == 2


PHONES = pytest.mark.parametrize(
    "page",
    [
        {"viewport": {"width": width, "height": 740}, "is_mobile": True, "has_touch": True}
        for width in (390, 320)
    ],
    indirect=True,
    ids=["390", "320"],
)


def answered(page: Page) -> None:
    page.click("[data-sample=normal]")
    page.wait_for_selector("#answer .shares", timeout=30_000)
    page.wait_for_selector("#work", state="hidden")


@PHONES
def test_on_a_phone_it_says_where_v1_to_v6_are_and_no_word_is_cut(page: Page) -> None:
    answered(page)
    expect(page.locator(".beyond")).to_have_text("Move it sideways: V1 to V6 lie to the right →")
    expect(page.locator(".beyond")).to_be_visible()
    cut = page.evaluate(
        """() => {
            const select = document.querySelector(".tools select"), style = getComputedStyle(select);
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = style.font;
            const arrow = 20, padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
            const room = select.clientWidth - padding - arrow;
            return pen.measureText("whole page").width > room;
        }"""
    )
    assert not cut
    page.get_by_label("Look at").select_option("V6")
    expect(page.locator(".beyond")).to_be_hidden()


def test_in_a_wide_window_nothing_lies_beyond(page: Page) -> None:
    answered(page)
    expect(page.locator(".beyond")).to_be_hidden()


@pytest.mark.parametrize("page", [{"viewport": {"width": 320, "height": 225}}], indirect=True, ids=["400 %"])
def test_at_400_per_cent_the_head_leaves_the_window_to_the_answer(page: Page) -> None:
    answered(page)
    expect(page.locator("header")).not_to_be_in_viewport()


@pytest.mark.parametrize("width", [1280, 390])
def test_without_javascript_a_form_gives_a_page_that_can_be_read(
    browser: Browser, served: str, sample: Path, tmp_path: Path, width: int
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 740})
    opened = context.new_page()
    opened.goto(served)
    expect(opened.locator("#file")).to_be_in_viewport(ratio=1)
    opened.set_input_files("#file", sample)
    opened.get_by_role("button", name="Answer").click()
    expect(opened.locator("h1")).to_have_text("Most like pages labelled MI", timeout=30_000)
    expect(opened.locator("img")).to_be_visible()
    expect(opened.get_by_text(f"{CAUTION}.", exact=True)).to_be_visible()
    opened.get_by_role("link", name="Another file").click()
    (tmp_path / "<b>letter.jpg").write_text("Dear Sir or Madam", encoding="utf-8")
    opened.set_input_files("#file", tmp_path / "<b>letter.jpg")
    opened.get_by_role("button", name="Answer").click()
    expect(opened.locator("h1")).to_have_text("No answer")
    expect(opened.locator("p").first).to_contain_text("<b>letter.jpg")
    context.close()
