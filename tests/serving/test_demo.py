"""The demo in a real Chromium."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List
from urllib.parse import urlsplit

import pytest
import spacy

pytest.importorskip("streamlit", reason='needs pip install "spacy-elmo-ner[demo]"')
pytest.importorskip("spacy_streamlit", reason='needs "spacy-elmo-ner[demo]"')
pytest.importorskip("selenium", reason="needs selenium")

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow
SLIDER = "[data-testid=stSlider] :is([role=slider], input)"
SCRIPT = "<script>document.title = 'run'</script><img src=x onerror=\"document.title='run'\">"


class Page:
    """What a visitor sees and does."""

    def __init__(self, browser: Any, downloads: Path) -> None:
        self.browser, self.downloads = browser, downloads

    def one(self, selector: str) -> Any:
        return self.until(
            lambda: self.browser.find_elements(By.CSS_SELECTOR, selector)
        )[0]

    def tables(self) -> List[Any]:
        return list(
            self.browser.find_elements(By.CSS_SELECTOR, "[data-testid=stDataFrame]")
        )

    def marks(self) -> List[List[str]]:
        """What each mark holds: text, label, probability."""
        elements = self.browser.find_elements(By.CSS_SELECTOR, "mark.entity")
        texts = [element.get_property("innerText") for element in elements]
        return [[*text.rsplit(maxsplit=2)] for text in texts]

    def says(self, sentence: str) -> None:
        self.until(lambda: sentence in self.browser.page_source)

    def text(self) -> str:
        """What the marked text shows."""
        found: str = self.one("div.entities").get_property("innerText")
        return found

    def enter(self, text: str) -> None:
        area = self.one("textarea")
        area.send_keys(Keys.CONTROL, "a")
        area.send_keys(Keys.DELETE)
        area.send_keys(text)
        area.send_keys(Keys.CONTROL, Keys.ENTER)

    def until(self, condition: Callable[[], Any]) -> Any:
        for _ in range(900):
            try:
                found = condition()
                if found:
                    return found
            except StaleElementReferenceException:
                pass  # the page was drawn anew
            time.sleep(0.1)
        raise AssertionError(self.browser.find_element(By.TAG_NAME, "body").text)

    def hosts(self) -> List[str]:
        """The hosts that the page has asked for something."""
        events = [
            json.loads(entry["message"])["message"]
            for entry in self.browser.get_log("performance")
        ]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [
            urlsplit(url).hostname or ""
            for url in urls
            if url.startswith(("http", "ws"))
        ]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or chromium is None:
        pytest.skip("needs chromium and chromedriver")
    downloads = tmp_path_factory.mktemp("downloads")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"),
        *("--window-size=1200,820", "--disable-background-networking"),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(downloads)}
    )
    # named, so that selenium looks for no other to download
    service = webdriver.ChromeService(executable_path=driver)
    browser = webdriver.Chrome(options=options, service=service)
    yield Page(browser, downloads)
    browser.quit()


def test_connections_are_noted(watched: Dict[str, str]) -> None:
    code = "import socket; socket.getaddrinfo('localhost', 80)"
    environment = {**os.environ, **watched}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert Path(watched["CONNECTIONS"]).read_text().splitlines() == ["'localhost'"]


def test_a_visitor_tries_a_text(
    page: Page,
    pipeline: str,
    serving: Callable[..., Any],
    watched: Dict[str, str],
    tmp_path: Path,
) -> None:
    ruler = spacy.blank("en")
    ruler.add_pipe("entity_ruler").add_patterns([{"label": "<b>", "pattern": "John"}])
    ruler.to_disk(tmp_path / "ruler")
    nlp = spacy.load(pipeline)
    nlp.get_pipe("elmo_ner").cfg["scores_key"] = "found"
    with serving("demo", pipeline, tmp_path / "ruler", environment=watched) as server:
        page.browser.get(server.url)

        # the example
        page.until(lambda: ["John", "PER"] in [mark[:2] for mark in page.marks()])
        picture = page.browser.get_screenshot_as_png()
        (tmp_path / "demo.png").write_bytes(picture)

        # a text is typed; what is code elsewhere is text here
        text = f"Anna met *John* in Lima. {SCRIPT} at $5$ :red[now]."
        page.enter(text)
        page.until(lambda: ["Anna", "PER"] in [mark[:2] for mark in page.marks()])
        doc = nlp(text)
        expected = [
            (ent.text, ent.label_, f"{score:.2f}")
            for ent, score in zip(
                doc.ents, doc.spans["found"].attrs["scores"], strict=True
            )
        ]
        assert [tuple(mark) for mark in page.marks()] == expected
        assert SCRIPT in page.text() and page.text().count("*") == 2
        assert "at $5$ :red[now]." in page.text()
        assert page.browser.title == "Named entities"
        colors = {
            mark.value_of_css_property("background-color")
            for mark in page.browser.find_elements(By.CSS_SELECTOR, "mark.entity")
        }
        assert "rgba(119, 170, 221, 1)" in colors  # PER
        (tmp_path / "script.png").write_bytes(page.browser.get_screenshot_as_png())

        # downloaded
        page.one("[data-testid=stDownloadButton] button").click()
        file = page.downloads / "entities.csv"
        page.until(file.is_file)
        with file.open(encoding="utf8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [row["text"] for row in rows] == [ent.text for ent in doc.ents]
        assert [float(row["probability"]) for row in rows] == pytest.approx(
            doc.spans["found"].attrs["scores"], abs=1e-4
        )

        # the readings are shown when they are asked for
        # the expander before it is spacy-streamlit's, of labels
        page.browser.find_elements(By.TAG_NAME, "summary")[-1].click()
        page.until(lambda: len(page.tables()) == 2 and page.tables()[1].is_displayed())
        (tmp_path / "readings.png").write_bytes(page.browser.get_screenshot_as_png())

        # a threshold of 1 leaves nothing
        page.one(SLIDER).send_keys(Keys.END)
        page.until(lambda: "No entities were found." in page.browser.page_source)
        assert page.marks() == []
        page.one(SLIDER).send_keys(Keys.HOME)
        page.until(page.marks)

        # a file from right to left, one that is not UTF-8, and one that is too long
        upload = page.one("input[type=file]")
        hebrew = tmp_path / "hebrew.txt"
        hebrew.write_text(
            "\ufeffשלום, John Smith נסע.\r\n\r\n    ועוד", encoding="utf8"
        )
        upload.send_keys(str(hebrew))
        page.until(lambda: "שלום" in page.text())
        assert page.one("div.entities").value_of_css_property("direction") == "rtl"
        for name, content, sentence in (
            ("latin.txt", b"caf\xe9", "The file is not UTF-8."),
            ("long.txt", b"a " * 100_000, "The text has 200,000 characters"),
            ("huge.txt", b"a" * 10_000_000, "must be 1.0MB or smaller"),
        ):
            (tmp_path / name).write_bytes(content)
            page.one("input[type=file]").send_keys(str(tmp_path / name))
            page.says(sentence)

        # another pipeline, whose entities have no probabilities
        page.browser.refresh()
        page.until(page.marks)
        page.one("[data-testid=stSelectbox] input").click()
        page.one("[role=option]:nth-of-type(2)").click()
        page.until(lambda: page.marks() == [["John", "<b>"]])

        assert {*page.hosts()} == {"127.0.0.1"}
    noted = Path(watched["CONNECTIONS"])
    lines = {*noted.read_text().splitlines()} if noted.exists() else set()
    assert all("127.0.0.1" in line or "localhost" in line for line in lines), lines
