"""Whether no decision is ever lost, whatever becomes of the server or the page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, expect

from reds_pipeline_tests.web.browser.gallery_page import GalleryPage
from reds_pipeline_tests.web.serving import served


def test_decisions_wait_for_a_server_that_is_away(page: Page, home: Path) -> None:
    """Said on the page, undone while waiting, kept over a closed tab, and sent in the end."""
    with served(home) as address:
        gallery = GalleryPage(page, address).open()
        gallery.focus(1).press("k")
        gallery.expect_saved()
    port = urlsplit(address).port or 0
    gallery.focus(2).press("d", "d", "k")
    expect(page.get_by_role("alert")).to_contain_text("3 decisions are not saved yet")
    expect(page.locator("#save-words")).to_have_text("Not saved")
    # The grid goes on as if nothing were wrong; also for an undo of what was not sent.
    gallery.press("u")
    gallery.expect_announced("Undone: 1 picture")
    assert gallery.mark(4).startswith("dropped")
    later = page.context.new_page()
    page.close()
    with served(home, port=port) as same_address:
        assert same_address == address
        gallery = GalleryPage(later, address).open()
        assert gallery.stored() == {1: ("keep", "cat"), 2: ("discard", ""), 3: ("discard", "")}
        later.evaluate("localStorage.clear()")
    later.close()


def test_the_page_sends_by_itself_when_the_server_is_back(page: Page, home: Path) -> None:
    with served(home) as address:
        gallery = GalleryPage(page, address).open()
    gallery.focus(1).press("d")
    expect(page.get_by_role("alert")).to_be_visible()
    with served(home, port=urlsplit(address).port or 0):
        page.get_by_role("button", name="Try now").click()
        gallery.expect_saved()
        expect(page.locator("#save-trouble")).to_be_hidden()
        assert gallery.stored() == {1: ("discard", "")}


def test_a_lost_answer_does_not_make_two_actions(gallery: GalleryPage) -> None:
    """The server had recorded it; sent again it is still one action, and one undo."""
    answers = []

    def lose_the_first(route: Route) -> None:
        response = route.fetch()
        answers.append(response.status)
        if len(answers) == 1:
            route.abort()
        else:
            route.fulfill(response=response)

    gallery.page.route("**/review/api/decisions", lose_the_first)
    gallery.focus(1).press("d")
    gallery.expect_announced("1 picture discarded")
    gallery.page.get_by_role("button", name="Try now").click()
    assert gallery.stored() == {1: ("discard", "")}
    assert answers == [200, 200]
    undo = gallery.page.get_by_role("button", name="Undo", exact=True)
    # The button that was pressed is gone, the keyboard is not.
    expect(undo).to_be_focused()
    undo.press("Enter")
    gallery.expect_announced("Undone")
    undo.press("Enter")
    gallery.expect_announced("nothing to undo")
    assert gallery.stored() == {}


def test_closing_the_page_with_unsaved_decisions_asks(page: Page, home: Path) -> None:
    with served(home) as address:
        gallery = GalleryPage(page, address).open()
    gallery.focus(1).press("d")
    expect(page.get_by_role("alert")).to_be_visible()
    asked = []

    def accept(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", accept)
    page.close(run_before_unload=True)
    page.wait_for_event("close")
    assert asked == ["beforeunload"]


def test_what_the_server_refuses_is_said_and_dropped(gallery: GalleryPage) -> None:
    """Kept, it would be refused for ever, and hold up everything behind it."""
    outcome = gallery.page.evaluate(
        """async (base) => {
          const { Outbox } = await import(base + "outbox.js");
          const { Refused } = await import(base + "server.js");
          const sent = [];
          const send = async (batch, decisions) => {
            sent.push(decisions[0].id);
            if (decisions[0].id === "bad") throw new Refused("No.");
            return {};
          };
          const outbox = new Outbox(send, localStorage);
          const refused = [];
          outbox.addEventListener("refused", ({ detail }) => refused.push(detail));
          outbox.add([{ id: "bad" }], []);
          outbox.add([{ id: "good" }], []);
          await new Promise((resolve) => outbox.addEventListener("saved", resolve));
          return { sent, refused, waiting: outbox.waiting, left: localStorage.length };
        }""",
        gallery.scripts(),
    )
    assert outcome == {"sent": ["bad", "good"], "refused": ["No."], "waiting": 0, "left": 0}
