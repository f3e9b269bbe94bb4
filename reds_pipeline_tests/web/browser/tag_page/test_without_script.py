"""The same page where no script runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.browser.tag_page.tag_page import upload

SUNNY_CAT = drawn_photo("cat", is_sunny=True)


@pytest.mark.req("R-PRD-2", "R-IMP-6")
def test_from_a_photo_to_the_line(scriptless: Page) -> None:
    scriptless.get_by_label("Your own tags first").fill("my old cat")
    scriptless.get_by_label("Choose a file").set_input_files(upload(SUNNY_CAT))
    scriptless.get_by_role("button", name="Process image").click()
    expect(scriptless.get_by_role("heading", name="Likely: Cat")).to_be_visible()
    expect(scriptless.get_by_role("img", name="Your photo")).to_be_visible()
    chip = scriptless.locator('.chip[data-hashtag="Cat"]')
    chip.locator("[value=accept]").check()
    scriptless.get_by_label("What is missing?").fill("sleeping kitten")
    # Beside the answer, which could not be shown again: only the sender ever had the photo.
    with scriptless.expect_popup() as opened:
        scriptless.get_by_role("button", name="Make the line in a new tab").click()
    line = opened.value.get_by_label("One line to copy")
    assert sorted(line.input_value().split()) == ["#Cat", "#MyOldCat", "#SleepingKitten"]
    expect(chip).to_be_visible()


def test_several_photos_with_a_broken_one(scriptless: Page) -> None:
    files = [upload(SUNNY_CAT), upload(SUNNY_CAT[:2000]), upload(drawn_photo("dog"))]
    scriptless.get_by_label("Choose a file").set_input_files(files)
    scriptless.get_by_role("button", name="Process image").click()
    titles = scriptless.locator(".card-title").all_inner_texts()
    assert titles == ["Likely: Cat", "No tags", "Likely: Dog"]


@pytest.mark.req("R-IMP-3")
def test_everything_behind_the_tags_can_be_asked_for_beforehand(scriptless: Page) -> None:
    scriptless.get_by_text("More choices").click()
    scriptless.get_by_label("Compare all three ways of looking").check()
    scriptless.get_by_label("Show why").check()
    scriptless.get_by_role("combobox", name="Tags").select_option("likely")
    photo = drawn_photo("cat", size=(600, 200), is_sunny=True)
    scriptless.get_by_label("Choose a file").set_input_files(upload(photo))
    scriptless.get_by_role("button", name="Process image").click()
    expect(scriptless.get_by_text("All 3 ways of looking name the same class.")).to_be_visible()
    expect(scriptless.get_by_role("img", name="Heat map for")).to_be_visible()
    shown = scriptless.locator(".main-chips .chip").evaluate_all(
        "chips => chips.map((chip) => chip.dataset.likelihood)"
    )
    assert set(shown) == {"likely"}


@pytest.mark.req("R-PRD-5")
def test_nothing_chosen_gets_a_sentence_and_the_form_again(scriptless: Page) -> None:
    scriptless.get_by_role("button", name="Process image").click()
    expect(scriptless.get_by_text("No photo came along; choose one first")).to_be_visible()
    expect(scriptless.get_by_label("Choose a file")).to_be_visible()


def test_an_address_without_anything_gets_a_page(scriptless: Page, tag_address: str) -> None:
    scriptless.goto(f"{tag_address}/nothing")
    expect(scriptless.get_by_text("There is nothing at this address")).to_be_visible()
    scriptless.get_by_role("link", name="Tag photos").first.click()
    expect(scriptless.get_by_role("button", name="Process image")).to_be_visible()
