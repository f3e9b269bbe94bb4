"""From a photo to its tags, in every way in which photos come to the page."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.browser.tag_page.tag_page import TagPage, upload

CAT = drawn_photo("cat")
DOG = drawn_photo("dog")
BROKEN = CAT[: len(CAT) // 2]

_HAND_OVER = """([data, kind]) => {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  if (kind === "paste") {
    document.body.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
  } else {
    for (const name of ["dragover", "drop"]) {
      document.querySelector("#drop").dispatchEvent(
        new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  }
}"""


@pytest.mark.req("R-PRD-2", "R-PRD-3")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_flow_of_the_report(page: Page, tag_address: str, host: str) -> None:
    """Choose a file, process image, and the tag stands above the image."""
    TagPage(page, tag_address.replace("127.0.0.1", host)).open()
    page.get_by_label("Choose a file").set_input_files(upload(CAT))
    expect(page.locator("#chosen li")).to_have_count(1)
    page.get_by_role("button", name="Process image", exact=True).click()
    tag = page.get_by_text("#Cat", exact=True)
    expect(tag).to_be_visible()
    photo = page.get_by_role("img", name="Your photo")
    expect(photo).to_be_visible()
    above, below = tag.bounding_box(), photo.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]
    assert photo.evaluate("image => image.complete && image.naturalWidth") == 320
    expect(page.locator(".card-title")).to_be_focused()
    expect(page.locator("#announcement")).to_have_text("The tags are there.")


@pytest.mark.req("R-IMP-1", "R-IMP-6")
def test_at_most_eight_tags_of_both_models_and_none_is_taken_beforehand(tag_page: TagPage) -> None:
    tag_page.tag(drawn_photo("cat", is_sunny=True))
    assert {"#Cat", "#FluffyTail", "#Sunny"} <= set(tag_page.chips())
    assert tag_page.page.locator(".chip").count() <= 8
    assert tag_page.page.locator(".card input[type=checkbox]:checked").count() == 0
    assert tag_page.line() == ""
    words = tag_page.page.locator(".main-chips .how-likely > span").all_text_contents()
    assert set(words) <= {"likely", "maybe", "unlikely"}


@pytest.mark.req("R-PRD-5")
def test_several_photos_each_get_a_card_and_a_broken_one_a_sentence(tag_page: TagPage) -> None:
    tag_page.choose(CAT, BROKEN, DOG)
    expect(tag_page.page.get_by_role("button", name="Process 3 images")).to_be_visible()
    tag_page.process()
    assert tag_page.titles() == ["Likely: Cat", "No tags", "Likely: Dog"]
    expect(tag_page.card(2)).to_contain_text("it is cut off; copy or download it again.")
    places = tag_page.page.locator(".place").all_text_contents()
    assert places == [f"Photo {number} of 3: photo-{number}.jpg" for number in (1, 2, 3)]
    expect(tag_page.page.locator("#announcement")).to_have_text(
        "Of 3 photos 2 got tags, 1 got none."
    )
    tag_page.tag(DOG)
    assert tag_page.titles()[0] == "Likely: Dog"
    assert len(tag_page.titles()) == 4


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_photos_are_pasted_anywhere_and_dropped(tag_page: TagPage, kind: str) -> None:
    data = base64.b64encode(DOG).decode("ascii")
    tag_page.page.evaluate(_HAND_OVER, [data, kind])
    expect(tag_page.page.locator("#chosen li")).to_have_count(1)
    expect(tag_page.page.locator("#process")).to_be_focused()
    tag_page.process()
    assert tag_page.titles() == ["Likely: Dog"]


def test_the_paste_button_reads_the_clipboard(make_context: MakeContext, tag_address: str) -> None:
    """Phones have no Ctrl and V."""
    context = make_context(permissions=["clipboard-read", "clipboard-write"])
    tag_page = TagPage(context.new_page(), tag_address).open()
    paste = tag_page.page.get_by_role("button", name="Paste", exact=True)
    tag_page.page.evaluate("navigator.clipboard.writeText('words')")
    paste.click()
    expect(tag_page.page.get_by_text("There is no picture to paste")).to_be_visible()
    png = base64.b64encode(drawn_photo("bird", file_format="PNG")).decode("ascii")
    tag_page.page.evaluate(
        """async (data) => {
          const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
          const picture = new Blob([bytes], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
        }""",
        png,
    )
    paste.click()
    expect(tag_page.page.locator("#chosen")).to_contain_text("Pasted photo")
    assert tag_page.process().titles() == ["Likely: Bird"]


def test_what_is_too_much_is_told_before_it_is_sent(tag_page: TagPage, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(20_000_001)
    page = tag_page.page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.get_by_role("button", name="Process image").click()
    expect(page.locator("#chosen-problem")).to_contain_text("Choose a photo first")
    expect(page.get_by_label("Choose a file")).to_be_focused()
    page.get_by_label("Choose a file").set_input_files(large)
    expect(page.locator("#chosen-problem")).to_contain_text("larger than 20 MB")
    tag_page.choose(*[CAT] * 11)
    expect(page.locator("#chosen-problem")).to_contain_text("10 photos at once are the most")
    expect(page.locator("#chosen li")).to_have_count(10)
    page.get_by_role("button", name="Remove photo-10.jpg").click()
    expect(page.locator("#chosen li")).to_have_count(9)
    expect(page.get_by_role("button", name="Remove photo-9.jpg")).to_be_focused()
    assert "POST" not in sent


def test_the_name_of_a_file_never_leaves_the_browser(tag_page: TagPage) -> None:
    """It can say where, when and of whom a photo was taken."""
    with tag_page.page.expect_request("**/tag?*") as sent:
        tag_page.choose(CAT).process()
    assert b"photo-1" not in (sent.value.post_data_buffer or b"")


def test_own_tags_come_first_and_stand_in_the_line(tag_page: TagPage) -> None:
    page = tag_page.page
    page.get_by_label("Your own tags first").fill("my old cat, #Sofa, sofa")
    tag_page.tag(CAT)
    assert tag_page.line() == "#MyOldCat #Sofa"
    expect(page.get_by_label("Your own tags first")).to_have_value("")
    page.get_by_role("group", name="Your own tags").get_by_label("#Sofa").uncheck()
    assert tag_page.line() == "#MyOldCat"


def test_the_whole_way_by_keyboard_alone(tag_page: TagPage) -> None:
    page = tag_page.page
    page.get_by_label("Choose a file").set_input_files(upload(CAT))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to choosing a photo")).to_be_focused()
    page.get_by_label("Choose a file").focus()
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        name, is_marked = page.evaluate(
            """() => {
              const one = document.activeElement;
              const marked = one.closest(".chooser")?.querySelector("label") ?? one;
              return [one.id, getComputedStyle(marked).outlineStyle !== "none"];
            }"""
        )
        assert is_marked, name
        seen.append(name)
        if name == "process":
            break
    assert {"paste", "own-tags", "process"} <= set(seen)
    page.keyboard.press("Enter")
    tag_page.wait()
    expect(page.locator(".card-title")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(tag_page.take("Cat")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(tag_page.refuse("Cat")).to_be_checked()
    expect(tag_page.take("Cat")).not_to_be_checked()
