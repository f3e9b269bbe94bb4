"""Whether everybody can use the page: by keyboard alone, enlarged, on a phone, read aloud."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.browser.gallery_page import GalleryPage

_CONTROLS = frozenset(
    {"button", "link", "checkbox", "switch", "combobox", "slider", "textbox", "gridcell", "grid"}
    | {"dialog", "progressbar", "DisclosureTriangle", "image"}
)

# Text that can be seen, with less contrast to its ground than WCAG 2.2 AA asks for.
_FAINT_TEXT = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const channel = (value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility({ opacityProperty: true }) || element.disabled) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(parse(style.color)), luminance(ground(element))]
      .sort((one, other) => other - one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < (large ? 3 : 4.5)) {
      faint.push([element.textContent.trim().slice(0, 40), contrast.toFixed(2)]);
    }
  }
  return faint;
}"""

# Things to press that are smaller than 24 by 24 pixels (WCAG 2.2, 2.5.8), with their label.
_SMALL_TARGETS = """() => [...document.querySelectorAll("button, select, summary, input, a")]
  .filter((one) => one.checkVisibility({ opacityProperty: true }) && !one.matches(".skip"))
  .map((one) => one.closest("label") ?? one)
  .filter((one) => {
    const { width, height } = one.getBoundingClientRect();
    return width < 24 || height < 24;
  })
  .map((one) => one.outerHTML.slice(0, 80))"""


def nameless(page: Page) -> list[str]:
    """Return the roles of controls that a screen reader could only call by their role."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] in _CONTROLS
        and not node.get("name", {}).get("value", "").strip()
    ]


def with_everything_on_the_page(gallery: GalleryPage) -> list[str]:
    """Return what opens each part of the page; the selection stays."""
    gallery.focus(1).press("k", "d", "2")
    gallery.page.locator("#controls").evaluate("details => { details.open = true; }")
    gallery.cell(5).click()
    return ["#help-open", "#numbers-open", "#import-open"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_contrast_and_targets(make_context: MakeContext, address: str, scheme: str) -> None:
    page = make_context(color_scheme=scheme).new_page()
    gallery = GalleryPage(page, address).open()
    openers = with_everything_on_the_page(gallery)

    def check(what: str) -> None:
        assert nameless(page) == [], what
        assert page.evaluate(_FAINT_TEXT) == [], what
        assert page.evaluate(_SMALL_TARGETS) == [], what

    check("grid")
    page.locator(".menu summary").click()
    for opener in openers:
        page.locator(opener).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        check(opener)
        page.keyboard.press("Escape")
    gallery.focus(3).press("Enter")
    check("large view")
    gallery.press("Escape")
    page.locator("#filter-view").select_option("groups")
    check("groups")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(21, 24, 27)") == (scheme == "dark")


def test_a_picture_is_read_out_with_its_post_s_own_description(gallery: GalleryPage) -> None:
    grid = gallery.page.get_by_role("grid", name="Pictures")
    expect(grid).to_have_attribute("aria-multiselectable", "true")
    expect(gallery.cell(1)).to_have_accessible_name("1 cat, dog? 93 %, A cat, drawn, number 0")
    expect(gallery.cell(7)).to_have_accessible_name("7 cat, photo, no description")
    expect(gallery.cell(1).get_by_role("checkbox")).to_have_accessible_name("Select picture 1")
    expect(gallery.page.locator("#announcement")).to_have_attribute("aria-live", "polite")


def test_a_whole_review_by_keyboard_alone(gallery: GalleryPage) -> None:
    """From the address bar to the export, in the order of the page, with the focus in sight."""
    page = gallery.page
    visited: list[str] = []
    for _ in range(40):
        gallery.press("Tab")
        focused = page.evaluate(
            """() => {
              const one = document.activeElement;
              return [one.id || one.getAttribute("role") || one.textContent.trim(),
                getComputedStyle(one).outlineStyle !== "none"];
            }"""
        )
        visited.append(focused[0])
        assert focused[1], focused[0]
        if focused[0] == "gridcell":
            break
    # One stop of the Tab key for the whole grid, after everything above it.
    assert visited[0] == "skip"
    order = ["undo", "numbers-open", "help-open", "filter-class", "filter-sort", "side", "five"]
    places = [visited.index(name) for name in [*order, "letters", "select-all", "gridcell"]]
    assert places == sorted(places)
    gallery.press("Space", "Shift+ArrowRight", "Tab")
    expect(page.locator("#bulk-clear")).to_be_focused()
    gallery.press("Tab", "Tab", "Enter")
    gallery.expect_announced("2 pictures discarded")
    expect(page.locator(".cell:focus")).to_have_count(1)
    gallery.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    gallery.press("Escape", "Enter", "k", "Escape", "u")
    gallery.expect_announced("Undone")
    assert set(gallery.stored()) == {1, 2}


def test_the_skip_link_leads_to_the_pictures(gallery: GalleryPage) -> None:
    gallery.press("Tab", "Enter", "ArrowRight")
    assert gallery.current() == 2


def test_letter_keys_can_be_switched_off(gallery: GalleryPage) -> None:
    """WCAG 2.1.4: whoever dictates would discard pictures by speaking."""
    gallery.page.get_by_role("switch", name="Letter keys").uncheck()
    gallery.focus(1).press("d", "k", "1", "?", "Shift+K", "u")
    assert gallery.stored() == {}
    gallery.press("Space")
    assert gallery.selected() == [1]
    gallery.reload()
    expect(gallery.page.get_by_role("switch", name="Letter keys")).not_to_be_checked()


def test_keys_are_text_where_one_writes_and_nothing_elsewhere(gallery: GalleryPage) -> None:
    page = gallery.page
    page.locator("#undo").focus()
    gallery.press("d", "k", "2")
    page.get_by_role("button", name="By numbers …").click()
    page.get_by_label("Numbers, such as").press_sequentially("1 d k 2 u")
    assert page.get_by_label("Numbers, such as").input_value() == "1 d k 2 u"
    gallery.press("Escape")
    assert gallery.stored() == {}


def test_a_held_key_decides_once(gallery: GalleryPage) -> None:
    gallery.focus(1)
    gallery.page.keyboard.down("d")
    gallery.page.keyboard.down("d")
    gallery.page.keyboard.up("d")
    assert gallery.stored() == {1: ("discard", "")}


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(320, 256, id="1280 by 1024 at 400 %"),
        pytest.param(360, 740, id="a phone"),
        pytest.param(740, 360, id="a phone on its side"),
    ],
)
def test_small_windows(make_context: MakeContext, address: str, width: int, height: int) -> None:
    """WCAG 1.4.10: nothing is cut off and nothing has to be scrolled sideways."""
    context = make_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    gallery = GalleryPage(page, address).open()

    def fits() -> None:
        sideways = page.evaluate(
            """() => [document.documentElement, ...document.querySelectorAll("dialog[open]")]
              .map((one) => one.scrollWidth - one.clientWidth)"""
        )
        assert max(sideways) <= 0

    fits()
    if not page.locator("#controls").evaluate("details => details.open"):
        page.get_by_text("Filters and view").tap()
    fits()
    gallery.cell(1).scroll_into_view_if_needed()
    gallery.cell(1).locator(".title").tap()
    gallery.cell(2).evaluate("cell => cell.scrollIntoView()")
    gallery.cell(2).locator(".pick-area").tap(position={"x": 4, "y": 4})
    fits()
    # Some of the grid is left to see beside the bar with the actions.
    bar = page.locator("#bulk").bounding_box()
    assert bar is not None
    assert bar["height"] < height / 2
    page.locator("#bulk-discard").tap()
    gallery.expect_announced("2 pictures discarded")
    gallery.cell(3).get_by_role("button", name="Open picture 3").tap()
    fits()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep", exact=False).first.tap()
    expect(dialog).to_have_accessible_name("Picture 4: cat")
    dialog.get_by_role("button", name="Close").tap()
    assert gallery.stored() == {1: ("discard", ""), 2: ("discard", ""), 3: ("keep", "cat")}


def test_reduced_motion_is_respected(make_context: MakeContext, address: str) -> None:
    page = make_context(reduced_motion="reduce").new_page()
    GalleryPage(page, address).open()
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((one) => {
          const style = getComputedStyle(one);
          return style.transitionDuration !== "0s" || style.animationName !== "none";
        }).length"""
    )
    assert moving == 0
