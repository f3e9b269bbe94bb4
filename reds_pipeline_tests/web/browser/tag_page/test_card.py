"""What a person does with the answer for one photo."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from reds_pipeline.storage.ledger import Ledger
from reds_pipeline_tests.tagging.served_home import ServedHome, drawn_photo
from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.browser.tag_page.tag_page import TagPage

SUNNY_CAT = drawn_photo("cat", is_sunny=True)


@pytest.fixture
def answered(tag_page: TagPage) -> TagPage:
    """Return the page with the tags of a sunny cat."""
    return tag_page.tag(SUNNY_CAT)


@pytest.mark.req("R-IMP-6")
def test_taken_tags_make_the_line_and_refused_ones_leave_it(answered: TagPage) -> None:
    answered.take("Cat").check()
    answered.take("Sunny").check()
    assert answered.line() == "#Cat #Sunny"
    answered.refuse("Sunny").check()
    expect(answered.take("Sunny")).not_to_be_checked()
    assert answered.line() == "#Cat"
    answered.page.get_by_label("What is missing?").fill("sleeping kitten, cat")
    assert answered.line() == "#Cat #SleepingKitten"


@pytest.mark.req("R-IMP-6")
def test_none_of_these_takes_all_back_and_asks_for_words(answered: TagPage) -> None:
    answered.take("Cat").check()
    answered.page.get_by_label("None of these").check()
    expect(answered.take("Cat")).not_to_be_checked()
    expect(answered.page.get_by_label("What is missing?")).to_be_focused()
    assert answered.line() == ""
    answered.take("Sunny").check()
    expect(answered.page.get_by_label("None of these")).not_to_be_checked()


def test_more_than_ten_tags_are_counted_and_called_impolite(answered: TagPage) -> None:
    field = answered.page.get_by_label("What is missing?")
    field.fill(",".join(f"word{number}" for number in range(10)))
    count = answered.page.locator(".count")
    expect(count).to_have_text("10 tags; 10 are the polite most.")
    answered.take("Cat").check()
    expect(count).to_contain_text("11 tags, more than the polite 10")


@pytest.mark.req("R-IMP-1")
def test_a_photo_like_none_that_was_learnt_makes_it_not_sure(tag_page: TagPage) -> None:
    file = io.BytesIO()
    Image.new("RGB", (300, 300), (110, 110, 110)).save(file, "PNG")
    tag_page.tag(file.getvalue())
    assert tag_page.titles() == ["Not sure"]
    expect(tag_page.page.locator(".lead")).to_contain_text("REDS does not know")
    expect(tag_page.page.get_by_label("None of these")).to_be_visible()


@pytest.mark.req("R-IMP-1")
@pytest.mark.req("R-IMP-1")
def test_the_threshold_moves_which_tags_are_shown(answered: TagPage) -> None:
    """What is unlikely does not stand in the way; whoever wants to see it, can."""
    page = answered.page
    likelihoods = page.locator(".suggestions .chip").evaluate_all(
        "chips => chips.map((chip) => chip.dataset.likelihood)"
    )
    assert {"likely", "unlikely"} <= set(likelihoods)
    assert len(answered.chips()) == len(likelihoods) - likelihoods.count("unlikely")
    slider = page.get_by_role("slider", name="Show")
    for position, words, shown in (
        ("0", "everything", len(likelihoods)),
        ("2", "only what is likely", likelihoods.count("likely")),
    ):
        slider.fill(position)
        assert len(answered.chips()) == shown
        assert page.locator(".folded").is_visible() == (shown < len(likelihoods))
        told = f"{words}, {shown} of {len(likelihoods)} tags shown"
        expect(slider).to_have_attribute("aria-valuetext", told)
    # What somebody has judged is not hidden from them.
    page.locator(".folded summary").click()
    page.locator(".folded-chips [value=accept]").first.check()
    before = len(answered.chips())
    slider.fill("1")
    slider.fill("2")
    assert len(answered.chips()) == before + 1


def test_tags_and_description_are_copied_with_a_reminder(
    make_context: MakeContext, tag_address: str
) -> None:
    context = make_context(permissions=["clipboard-read", "clipboard-write"])
    answered = TagPage(context.new_page(), tag_address).open().tag(SUNNY_CAT)
    page = answered.page

    def copied() -> str:
        return str(page.evaluate("navigator.clipboard.readText()"))

    page.get_by_role("button", name="Copy tags").click()
    expect(page.get_by_text("There is nothing to copy yet.")).to_be_visible()
    answered.take("Cat").check()
    page.get_by_role("button", name="Copy tags").click()
    expect(page.get_by_text("The tags are copied.")).to_be_visible()
    assert copied() == "#Cat"
    expect(page.get_by_text("There is no description yet.")).to_be_visible()
    page.get_by_label("Describe the photo").fill("A cat asleep in the sun")
    expect(page.get_by_text("There is no description yet.")).to_be_hidden()
    page.get_by_role("button", name="Copy description").click()
    expect(page.get_by_text("The description is copied.")).to_be_visible()
    assert copied() == "A cat asleep in the sun"
    page.get_by_role("button", name="Copy both").click()
    expect(page.get_by_text("Description and tags are copied.")).to_be_visible()
    assert copied() == "A cat asleep in the sun\n\n#Cat"


def test_where_the_clipboard_is_closed_the_text_is_selected(answered: TagPage) -> None:
    answered.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }"
    )
    answered.take("Cat").check()
    answered.page.get_by_role("button", name="Copy tags").click()
    expect(answered.page.get_by_text("the text is selected, press Ctrl and C.")).to_be_visible()
    selected = answered.page.evaluate(
        """() => {
          const { value, selectionStart, selectionEnd } = document.activeElement;
          return value.slice(selectionStart, selectionEnd);
        }"""
    )
    assert selected == "#Cat"


def test_why_is_off_until_asked_and_says_in_words_what_it_shows(answered: TagPage) -> None:
    page = answered.page
    expect(page.locator(".heat")).to_have_count(0)
    page.get_by_text("Why?").click()
    page.get_by_label("Which part of the photo spoke for").select_option(label="Sunny")
    page.get_by_role("button", name="Show", exact=True).click()
    heat = page.locator(".heat img")
    expect(heat).to_be_visible()
    assert heat.evaluate("image => image.naturalWidth") > 0
    words = (heat.get_attribute("alt") or "").removeprefix("Heat map for Sunny. ")
    assert "Sunny" in words
    expect(page.locator(".heat figcaption")).to_contain_text(words)


@pytest.mark.req("R-IMP-3")
def test_a_photo_that_was_cropped_can_be_looked_at_in_three_ways(tag_page: TagPage) -> None:
    tag_page.tag(drawn_photo("dog", size=(900, 300)))
    page = tag_page.page
    expect(page.locator(".shape")).to_have_text(
        "900 by 300 pixels. REDS looked at the square in its middle, as it did when it learnt."
    )
    page.get_by_text("Other ways of looking").click()
    page.get_by_role("button", name="Compare three ways of looking").click()
    expect(page.get_by_text("All 3 ways of looking name the same class.")).to_be_visible()
    rows = page.locator(".views tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == [
        "The middle (used above)",
        "The whole, squeezed",
        "Window after window",
    ]
    assert rows[2].endswith("5 of 5")
    tag_page.tag(drawn_photo("dog", size=(300, 300)))
    expect(tag_page.card().get_by_text("Other ways of looking")).to_have_count(0)


def test_a_chosen_way_of_looking_is_used(tag_page: TagPage) -> None:
    tag_page.page.get_by_text("More choices").click()
    tag_page.page.get_by_label("Window after window").check()
    tag_page.tag(drawn_photo("dog", size=(900, 300)))
    expect(tag_page.page.locator(".shape")).to_contain_text("windows that slide over the photo")


def test_figures_and_models_are_there_for_those_who_ask(answered: TagPage) -> None:
    page = answered.page
    expect(page.get_by_role("table")).to_have_count(0)
    page.get_by_text("The figures").click()
    first = page.locator(".figures tbody tr").first.inner_text()
    assert "%" in first
    assert "reds-" in first
    expect(page.locator(".by")).to_contain_text("version 1 (21 November 2026)")
    page.get_by_text("Model of classes:").click()
    expect(page.locator(".about-models")).to_contain_text("It can say 3 things and nothing else")


@pytest.mark.req("R-IMP-6")
def test_what_was_right_is_told_only_when_somebody_says_so(
    answered: TagPage, tag_home: ServedHome
) -> None:
    def told(ledger: Ledger) -> int:
        return len(list(ledger.events("feedback")))

    ledger = tag_home.platform.ledger
    before = told(ledger)
    answered.take("Cat").check()
    answered.refuse("Sunny").check()
    assert told(ledger) == before
    answered.page.get_by_role("button", name="Tell REDS which tags were right").click()
    expect(answered.page.locator(".feedback-answer")).to_contain_text("Noted")
    assert told(ledger) > before


@pytest.mark.req("R-IMP-6")
def test_a_photo_is_given_only_with_a_tick_that_is_off_beforehand(
    page: Page, tag_address: str, tag_home: ServedHome
) -> None:
    tag_page = TagPage(page, tag_address).open()
    box = page.get_by_label("Keep the photos that I send now")
    expect(box).not_to_be_checked()
    given = tag_home.platform.home.root / "contributions"
    before = len(list(given.glob("*"))) if given.exists() else 0
    tag_page.tag(drawn_photo("bird", 5, size=(400, 300)))
    expect(page.locator(".code")).to_have_count(0)
    assert (len(list(given.glob("*"))) if given.exists() else 0) == before
    box.check()
    tag_page.tag(drawn_photo("bird", 6, size=(400, 300)))
    code = page.locator(".code-text").inner_text()
    assert len(code.replace("-", "")) == 26
    assert len(list(given.glob("*"))) == before + 1
    page.get_by_role("button", name="Copy code").click()
    # Ticked for one photo, not for all that come.
    expect(box).not_to_be_checked()
    page.get_by_role("link", name="Delete an upload").first.click()
    page.get_by_label("The code").fill(code)
    page.get_by_role("button", name="Look").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    assert len(list(given.glob("*"))) == before
