"""The page that tags photos as a person uses it: what tests do with it and read from it."""

from __future__ import annotations

from playwright.sync_api import FilePayload, Locator, Page, expect


def upload(data: bytes, name: str = "IMG_0001.jpg") -> FilePayload:
    """Return a file to choose."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


class TagPage:
    """One open page.

    Args:
        page: A page of the browser.
        address: Of the application, without a path.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self) -> TagPage:
        """Load the page and wait until its script has taken over."""
        self.page.goto(self.address)
        self.page.wait_for_selector("body[data-ready]")
        return self

    def choose(self, *photos: bytes) -> TagPage:
        """Choose files as in the report."""
        self.page.get_by_label("Choose a file").set_input_files(
            [upload(data, f"photo-{number}.jpg") for number, data in enumerate(photos, start=1)]
        )
        return self

    def process(self) -> TagPage:
        """Press the button and wait for all answers."""
        self.page.get_by_role("button", name="Process").click()
        return self.wait()

    def wait(self) -> TagPage:
        """Wait until every photo that was sent has an answer."""
        expect(self.page.locator(".card").first).to_be_visible()
        expect(self.page.locator(".working")).to_have_count(0)
        return self

    def tag(self, *photos: bytes) -> TagPage:
        """Choose photos and have them tagged."""
        return self.choose(*photos).process()

    def card(self, number: int = 1) -> Locator:
        """Return the answer for the photo with this number."""
        return self.page.locator(".card").nth(number - 1)

    def titles(self) -> list[str]:
        """Return the headings of all answers."""
        return self.page.locator(".card-title").all_inner_texts()

    def chips(self) -> list[str]:
        """Return the hashtags in front, without those that are folded away."""
        return self.page.locator(".main-chips .chip-tag").all_text_contents()

    def take(self, hashtag: str) -> Locator:
        """Return the box that takes a suggestion."""
        return self._chip(hashtag).locator("[value=accept]")

    def refuse(self, hashtag: str) -> Locator:
        """Return the box that refuses a suggestion."""
        return self._chip(hashtag).locator("[value=reject]")

    def line(self) -> str:
        """Return the line to copy of the first answer."""
        return self.page.get_by_label("One line to copy").first.input_value()

    def scripts(self) -> str:
        """Return the address of the folder of the page's scripts."""
        main = self.page.locator("script[type=module]").get_attribute("src") or ""
        return main.removesuffix("main.js")

    def _chip(self, hashtag: str) -> Locator:
        return self.page.locator(f'.card:first-child .chip[data-hashtag="{hashtag}"]')
