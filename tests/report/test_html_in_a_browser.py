"""The page in a real browser: Debian's chromium and chromium-driver, where they are installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pages
import pytest

selenium = pytest.importorskip("selenium", reason="selenium is not installed")

from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="no Chromium: `apt-get install chromium chromium-driver`"
)
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --window-size=1280,900"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER or ""
    for option in (*OPTIONS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def leak(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("leak")
    page = folder / "page.html"
    page.write_text(pages.page_of(pages.written(folder, pages.LEAK)), encoding="utf-8")
    return page.as_uri()


@pytest.fixture
def show(browser: Any, leak: str) -> Iterator[Callable[..., Any]]:
    """Open a page as a new visitor; nothing may be said on the console."""

    def opened(url: str = leak, width: int = 1280, **media: str) -> Any:
        browser.set_window_size(width, 900)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get(url)
        browser.execute_script("localStorage.clear()")
        browser.get("about:blank")
        browser.get(url)
        return browser

    yield opened
    assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def cells(browser: Any, table: int, column: int) -> list[str]:
    rows = browser.find_elements(By.CSS_SELECTOR, "table.sortable")[table].find_elements(By.CSS_SELECTOR, "tbody tr")
    return [row.find_elements(By.TAG_NAME, "td")[column].text for row in rows]


def ground(element: WebElement) -> str:
    return str(element.value_of_css_property("background-color"))


def test_the_page_loads_nothing_and_breaks_no_policy(show: Callable[..., Any]) -> None:
    browser = show()
    assert browser.title == "2 findings · evalguard"
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_nothing_of_a_hostile_project_runs(show: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(pages.page_of(pages.hostile(tmp_path)), encoding="utf-8")
    browser = show(page.as_uri())
    assert browser.execute_script("return window.attacked ?? 'safe'") == "safe"
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert pages.ATTACK in browser.find_element(By.TAG_NAME, "main").text


def test_tables_are_sorted_by_the_buttons_in_their_heads(show: Callable[..., Any]) -> None:
    browser = show()
    assert cells(browser, 2, 2) == ["net", "model"]
    head = browser.find_elements(By.CSS_SELECTOR, "table.all th")[2]
    button = head.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    assert cells(browser, 2, 2) == ["model", "net"]
    assert head.get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.SPACE)
    assert cells(browser, 2, 2) == ["net", "model"]
    assert head.get_attribute("aria-sort") == "descending"
    assert len(browser.find_elements(By.CSS_SELECTOR, "table.all th[aria-sort]")) == 1


def test_the_theme_is_the_systems_until_it_is_chosen(show: Callable[..., Any]) -> None:
    browser = show(prefers_color_scheme="light")
    body = browser.find_element(By.TAG_NAME, "body")
    light = ground(body)
    browser = show(prefers_color_scheme="dark")
    body = browser.find_element(By.TAG_NAME, "body")
    dark = ground(body)
    assert light != dark
    button = browser.find_element(By.ID, "theme")
    seen = []
    for _ in range(3):
        button.click()
        seen.append((button.text, ground(body)))
    assert seen == [("Theme: light", light), ("Theme: dark", dark), ("Theme: system", dark)]


def test_keys_go_from_finding_to_finding_unless_switched_off(show: Callable[..., Any]) -> None:
    browser = show(prefers_reduced_motion="reduce")

    def at() -> str:
        return str(browser.switch_to.active_element.get_attribute("id"))

    visited = []
    for key in "jjkjx":
        webdriver.ActionChains(browser).send_keys(key).perform()
        visited.append(at())
    assert visited == ["f1", "f2", "f1", "f2", "f2"]
    switch = browser.find_element(By.ID, "keys")
    switch.click()
    assert switch.get_attribute("aria-pressed") == "false"
    webdriver.ActionChains(browser).send_keys("k").perform()
    assert at() == "keys"


def test_the_first_stop_of_the_tab_key_skips_to_the_findings(show: Callable[..., Any]) -> None:
    browser = show(prefers_reduced_motion="reduce")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    link = browser.switch_to.active_element
    assert link.text == "Skip to the findings"
    assert link.is_displayed()
    assert link.value_of_css_property("outline-style") == "solid"
    link.send_keys(Keys.ENTER)
    assert browser.current_url.endswith("#findings")


def test_steps_and_calls_can_be_followed(show: Callable[..., Any]) -> None:
    browser = show(prefers_reduced_motion="reduce")
    second = browser.find_element(By.ID, "f2")
    second.find_element(By.CSS_SELECTOR, "a.step").send_keys(Keys.ENTER)
    target = browser.find_element(By.CSS_SELECTOR, ":target")
    assert target.get_attribute("class") == "note"
    second.find_element(By.CSS_SELECTOR, "a.call").click()
    target = browser.find_element(By.CSS_SELECTOR, ":target")
    assert target.find_element(By.CSS_SELECTOR, ".title").text == "evaluate"
    assert 0 <= target.rect["y"] - browser.execute_script("return window.scrollY") < 900


def test_without_scripts_all_is_there_but_the_buttons(show: Callable[..., Any], leak: str) -> None:
    browser = show()
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(leak)
    assert len(browser.find_elements(By.CSS_SELECTOR, "article.finding")) == 2
    assert [button for button in browser.find_elements(By.TAG_NAME, "button") if button.is_displayed()] == []
    assert browser.find_element(By.CSS_SELECTOR, "#f2 td.band.either").is_displayed()


@pytest.mark.parametrize("width", [1280, 500])
def test_a_narrow_window_scrolls_the_code_and_not_the_page(show: Callable[..., Any], width: int) -> None:
    browser = show(width=width)
    wide, inner = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= inner


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_bands_can_be_told_apart_in_a_picture(show: Callable[..., Any], theme: str) -> None:
    """Each state looks unlike every other, also where all colours are grey."""
    browser = show(prefers_color_scheme=theme)
    browser.execute_script("document.documentElement.style.filter = 'grayscale(1)'")
    pictures = {}
    for state in ("train", "eval", "either", "unknown"):
        swatch = browser.find_element(By.CSS_SELECTOR, f".swatch.{state}")
        browser.execute_script("arguments[0].firstElementChild.style.visibility = 'hidden'", swatch)
        pictures[state] = swatch.screenshot_as_png
    assert len(set(pictures.values())) == 4
