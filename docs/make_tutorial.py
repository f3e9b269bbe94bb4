"""Make the pictures of tutorial.md: ``python docs/make_tutorial.py``, some five minutes.

What belongs here: walking through the tutorial with a real Chromium, on a demonstration that this
program makes for itself in a temporary directory, and a picture of every step. What does not: the
words (``tutorial.md``), and tests of the pages (``reds_pipeline_tests/web/browser``).

The same program gives the same pictures, but for days, codes and the fifth digit of a chance: the
photos are drawn, and the only encoder is ``tiny``. What the commands print goes to standard output,
so that the words of the tutorial can be compared with it.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import time
from pathlib import Path

import click
import requests
from PIL import Image
from playwright.sync_api import (
    FilePayload,
    Locator,
    Page,
    expect,
    sync_playwright,
)
from tutorial_stage import PATIENCE_MS, WIDTH, Tutorial, free_ports

from reds_pipeline.demo.pictures import draw_picture

HERE = Path(__file__).parent
PASSWORD = "a long sentence nobody guesses"
_PHONE = 390
# Nothing that the browser would do on its own account.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_README = "../pictures/page"
# Numbers that the demonstration's own posts do not use.
_CAT, _GIVEN, _DELETED, _FLOWER = 411, 402, 403, 404


def tag_a_photo(tutorial: Tutorial) -> None:
    """Choose, process, take, ask why, tell."""
    page = tutorial.open(height=900)
    tutorial.save("page", page)
    _choose(page, "cat", _CAT)
    page.get_by_label("Your own tags first").fill("on the rug")
    tutorial.save("chosen", page.locator("#upload"))
    page.get_by_role("button", name="Process image").click()
    card = _answered(page)
    tutorial.save("tags", card)
    card.locator(".main-chips [value=accept]").first.check()
    card.get_by_label("What is missing?").fill("cats of Pixelfed")
    card.get_by_label("Describe the photo").fill("A drawn cat, sitting, seen from the front.")
    card.get_by_role("button", name="Copy tags").click()
    tutorial.save("line", card.locator(".use"))
    tutorial.save(_README, card)
    card.get_by_text("Why?", exact=True).click()
    card.get_by_role("button", name="Show", exact=True).click()
    heat = card.locator(".heat")
    expect(heat).to_be_visible(timeout=PATIENCE_MS)
    _bring_up(card.locator("details.why"))
    tutorial.save("why", card.locator("details.why"))
    card.get_by_role("button", name="Tell REDS").click()
    expect(card.locator(".feedback-answer")).not_to_be_empty(timeout=PATIENCE_MS)
    tutorial.save("told", card.locator(".feedback"))
    page.context.close()


def tag_on_a_phone(tutorial: Tutorial) -> None:
    """The same page on a small screen."""
    page = tutorial.open(width=_PHONE, height=844)
    _choose(page, "flower", _FLOWER)
    page.get_by_role("button", name="Process image").click()
    _bring_up(_answered(page))
    tutorial.save("phone", page)
    page.context.close()


def look_at_a_panorama(tutorial: Tutorial) -> None:
    """What is cut off, and how the three ways of looking disagree."""
    page = tutorial.open()
    both = [draw_picture(name, 407).resize((600, 400)) for name in ("flower", "car", "car")]
    wide = Image.new("RGB", (1800, 400))
    for place, picture in enumerate(both):
        wide.paste(picture, (600 * place, 0))
    page.get_by_label("Choose a file").set_input_files([_file("panorama", wide)])
    page.get_by_role("button", name="Process image").click()
    card = _answered(page)
    card.get_by_text("Other ways of looking").click()
    card.get_by_role("button", name="Compare three ways").click()
    expect(card.locator(".views table")).to_be_visible(timeout=PATIENCE_MS)
    tutorial.save("views", card.locator(".answer"))
    page.context.close()


def give_and_delete(tutorial: Tutorial) -> None:
    """Give two photos for training, and take the second one back."""
    page = tutorial.open()
    _give(page, "cat", _GIVEN)
    card = _give(page, "cat", _DELETED, tutorial)
    tutorial.save("code", card.locator(".code"))
    card.get_by_role("button", name="Copy code").click()
    code = card.locator(".code-text").inner_text()
    page.get_by_role("link", name="Delete an upload").first.click()
    page.get_by_label("The code").fill(code)
    page.get_by_role("button", name="Look what is kept").click()
    tutorial.save("kept", page.locator("main"))
    page.get_by_role("button", name="Delete the photo").click()
    expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    tutorial.save("deleted", page.locator("main"))
    page.context.close()


def review(tutorial: Tutorial) -> None:
    """Sign in as the operator and keep the photo that was given."""
    page = tutorial.open()
    page.get_by_role("link", name="Review").click()
    tutorial.save("login", page.locator("main"))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("body[data-ready]")
    page.goto(f"{tutorial.page}/review?reason=contributed&state=&decision=")
    page.wait_for_selector("body[data-ready]")
    cell = page.locator(".cell").first
    expect(cell).to_be_visible(timeout=PATIENCE_MS)
    cell.focus()
    page.keyboard.press("b")
    tutorial.save("review", page)
    page.keyboard.press("k")
    expect(page.locator("#save-words")).to_have_text("All saved", timeout=PATIENCE_MS)
    page.context.close()


def train_again(tutorial: Tutorial) -> None:
    """Retrain, compare both versions in MLflow, and see a page that was open all the time."""
    page = tutorial.open(height=820)
    tutorial.reds("retrain")
    compare(tutorial)
    newest = max(_versions(tutorial), key=int)
    if _champion(tutorial) != newest:
        tutorial.reds("promote", newest, "--reason", "the tutorial looked at both")
    for _ in range(PATIENCE_MS // 1000):
        _choose(page, "cat", _CAT)
        page.get_by_role("button", name="Process image").click()
        _answered(page)
        if page.locator("#taken-over").is_visible():
            break
        time.sleep(1)
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#taken-over")).to_be_visible()
    tutorial.save("taken_over", page)
    page.context.close()


def compare(tutorial: Tutorial) -> None:
    """Show the two trainings side by side, and which version serves."""
    versions = _versions(tutorial)
    runs = json.dumps([versions[number] for number in sorted(versions, key=int)][-2:])
    page = tutorial.browser.new_page(viewport={"width": WIDTH, "height": 820})
    page.goto(f"{tutorial.mlflow}/#/compare-runs?runs={runs}&experiments=%5B%221%22%5D")
    page.get_by_role("button", name="Close").click(timeout=PATIENCE_MS)
    page.get_by_text("Visualizations").click()
    only_different = page.get_by_role("switch", name="Parameters - Show diff only")
    only_different.click()
    _bring_up(page.get_by_text("Parameters", exact=True))
    tutorial.save("comparison", page)
    page.goto(f"{tutorial.mlflow}/#/models/reds-tagger")
    expect(page.get_by_text("champion").first).to_be_visible(timeout=PATIENCE_MS)
    tutorial.save("versions", page)
    page.close()


def _choose(page: Page, name: str, number: int) -> None:
    page.get_by_label("Choose a file").set_input_files([_file(name, draw_picture(name, number))])


def _file(name: str, picture: Image.Image) -> FilePayload:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92)
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def _answered(page: Page) -> Locator:
    expect(page.locator(".card-title").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".working")).to_have_count(0, timeout=PATIENCE_MS)
    return page.locator(".card").first


def _give(page: Page, name: str, number: int, tutorial: Tutorial | None = None) -> Locator:
    _choose(page, name, number)
    page.get_by_label("Your own tags first").fill(name)
    page.locator("[name=consent]").check()
    if tutorial is not None:
        page.locator(".consent summary").click()
        tutorial.save("consent", page.locator(".consent"))
        page.locator(".consent summary").click()
    page.get_by_role("button", name="Process image").click()
    return _answered(page)


def _bring_up(part: Locator) -> None:
    part.evaluate("part => part.scrollIntoView({ block: 'start' })")


def _versions(tutorial: Tutorial) -> dict[str, str]:
    """Return the run of each version of the model of classes."""
    answer = requests.get(
        f"{tutorial.mlflow}/api/2.0/mlflow/model-versions/search",
        params={"filter": "name='reds-tagger'"},
        timeout=60,
    )
    return {each["version"]: each["run_id"] for each in answer.json()["model_versions"]}


def _champion(tutorial: Tutorial) -> str:
    answer = requests.get(
        f"{tutorial.mlflow}/api/2.0/mlflow/registered-models/alias",
        params={"name": "reds-tagger", "alias": "champion"},
        timeout=60,
    )
    return str(answer.json()["model_version"]["version"])


@click.command(help=__doc__.splitlines()[0])
@click.option(
    "--pictures", type=click.Path(path_type=Path), default=HERE / "tutorial", show_default=True
)
def make(pictures: Path) -> None:
    """Walk through the whole tutorial."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise click.ClickException("There is no Chromium here; install it with apt-get.")
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        tutorial = Tutorial(Path(directory) / "reds", pictures, free_ports(), browser)
        tutorial.reds("demo")
        with tutorial.up():
            tag_a_photo(tutorial)
            tag_on_a_phone(tutorial)
            look_at_a_panorama(tutorial)
            give_and_delete(tutorial)
        tutorial.reds("feedback")
        line = tutorial.reds("password", "--stdin", typed=PASSWORD)
        with (tutorial.home / "reds.toml").open("a") as settings:
            settings.write(line)
        tutorial.reds("retrain")
        with tutorial.up():
            review(tutorial)
            train_again(tutorial)
        tutorial.reds("history")
        browser.close()


if __name__ == "__main__":
    make()
