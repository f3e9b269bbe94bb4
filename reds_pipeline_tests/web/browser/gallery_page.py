"""The review page as a person uses it: what tests do with it and read from it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

EVERYTHING = "?state=&decision=&sort=number"
"""Filters that hide nothing, in an order that tests can count on."""


class GalleryPage:
    """One open review page.

    Args:
        page: A page of the browser.
        address: Of the application, without a path.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self, query: str = EVERYTHING) -> GalleryPage:
        """Load the page and wait until it can be used."""
        self.page.goto(f"{self.address}/review{query}")
        return self.wait()

    def reload(self) -> GalleryPage:
        """Load the page again."""
        self.page.reload()
        return self.wait()

    def wait(self) -> GalleryPage:
        """Wait until the page can be used."""
        self.page.wait_for_selector("body[data-ready]")
        return self

    def cell(self, number: int) -> Locator:
        """Return the cell of the picture with this number."""
        return self.page.locator(".cell").filter(
            has=self.page.locator(".number", has_text=re.compile(f"^{number}$"))
        )

    def focus(self, number: int = 1) -> GalleryPage:
        """Put the keyboard on a picture, without selecting it."""
        self.cell(number).focus()
        return self

    def press(self, *keys: str) -> GalleryPage:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def current(self) -> int:
        """Return the number of the picture on which keys act."""
        return int(self.page.locator('.cell[tabindex="0"] .number').inner_text())

    def selected(self) -> list[int]:
        """Return the numbers of the selected pictures that exist in the page."""
        return self._numbers('.cell[aria-selected="true"] .number')

    def shown(self) -> list[int]:
        """Return the numbers of the pictures that exist in the page, in the page's order."""
        return self._numbers(".cell .number")

    def mark(self, number: int) -> str:
        """Return what stands under a picture."""
        return self.cell(number).locator(".mark").inner_text()

    def count(self) -> str:
        """Return how many pictures are shown, in words."""
        return self.page.locator("#shown-count").inner_text()

    def expect_saved(self) -> GalleryPage:
        """Wait until the server has everything."""
        expect(self.page.locator("#save-words")).to_have_text("All saved")
        return self

    def expect_announced(self, text: str) -> GalleryPage:
        """Wait until the page has announced something."""
        expect(self.page.locator("#announcement")).to_contain_text(text)
        return self

    def scripts(self) -> str:
        """Return the address of the folder of the page's scripts."""
        main = self.page.locator("script[type=module]").get_attribute("src") or ""
        return main.removesuffix("main.js")

    def stored(self) -> dict[int, tuple[str, str]]:
        """Return decision and label of every decided picture, as the server has them."""
        self.expect_saved()
        gallery: dict[str, Any] = self.page.request.get(f"{self.address}/review/api/gallery").json()
        return {
            number: (picture["decision"], picture["label"])
            for number, picture in enumerate(gallery["pictures"], start=1)
            if picture["decision"]
        }

    def _numbers(self, selector: str) -> list[int]:
        return [int(text) for text in self.page.locator(selector).all_inner_texts()]
