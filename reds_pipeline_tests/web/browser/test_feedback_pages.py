"""Deleting an upload and answering without a script, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.feedback.desk import FeedbackDesk
from reds_pipeline.resources import Platform
from reds_pipeline_tests.feedback.makers import desk_of, given, recommended, taken_photo
from reds_pipeline_tests.tagging.served_home import make_served_home
from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.serving import served

_ANSWER = """(token) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/feedback";
  for (const [name, value] of [["answer", token], ["verdict-1", "accept"], ["own", "Sofa"]]) {
    const field = document.createElement("input");
    [field.name, field.value] = [name, value];
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Platform:
    """Return a home without a model: deleting needs none."""
    root = tmp_path_factory.mktemp("uploads") / "home"
    return make_served_home(root, versions=0, database=mlflow_database).platform


@pytest.fixture(scope="module")
def site(platform: Platform) -> Iterator[str]:
    with served(platform.home.root, is_tagging=True) as address:
        yield address


@pytest.fixture
def giver(platform: Platform) -> FeedbackDesk:
    return desk_of(platform.home, platform.ledger)


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]


@pytest.mark.req("R-IMP-6")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_person_looks_at_an_upload_and_deletes_it(
    make_context: MakeContext, platform: Platform, site: str, giver: FeedbackDesk, scripts: bool
) -> None:
    mine = given(giver, taken_photo(1))
    giver.shown(recommended("cat"), own_tags=("sofa",), contribution=mine.id)
    page = make_context(java_script_enabled=scripts).new_page()
    page.goto(f"{site}/uploads")
    page.get_by_label("The code").fill("ABCD")
    page.get_by_role("button", name="Look what is kept").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("No photo is kept under this code")
    page.get_by_label("The code").fill(mine.code)
    page.get_by_label("The code").press("Enter")
    expect(page.get_by_text("Sofa")).to_be_visible()
    page.get_by_role("link", name="Keep them").click()
    assert contributions(platform.home)
    page.get_by_label("The code").fill(mine.code)
    page.get_by_label("The code").press("Enter")
    page.get_by_role("button", name="Delete the photo and the tags").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your photo and your tags are deleted.")
    assert not contributions(platform.home)


@pytest.mark.parametrize(
    ("colours", "width"), [("light", 1280), ("dark", 360)], ids=["desk", "phone at night"]
)
def test_everybody_can_use_these_pages(
    make_context: MakeContext, site: str, giver: FeedbackDesk, colours: str, width: int
) -> None:
    mine = given(giver, taken_photo(2))
    giver.shown(recommended("cat"), own_tags=("sofa",), contribution=mine.id)
    viewport = {"width": width, "height": 700}
    page = make_context(color_scheme=colours, viewport=viewport).new_page()
    page.goto(f"{site}/uploads")
    page.get_by_text("What happens to a photo").click()
    assert violations(page) == []
    page.get_by_label("The code").fill("ABCD")
    page.get_by_label("The code").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("The code").fill(mine.code)
    page.get_by_label("The code").press("Enter")
    expect(page.get_by_role("heading", name="This is kept under your code")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Delete the photo and the tags").click()
    expect(page.get_by_role("heading", name="Deleted", exact=True)).to_be_visible()
    assert violations(page) == []
    token = giver.shown(recommended("golden retriever"))
    page.evaluate(_ANSWER, token)
    expect(page.get_by_text("Noted, thank you")).to_be_visible()
    expect(page.get_by_label("One line to copy")).to_have_value("#Sofa #GoldenRetriever")
    assert violations(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "nothing makes a phone scroll sideways"
