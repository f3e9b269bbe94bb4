"""Scripts and styles, and the pages that name them."""

from __future__ import annotations

import re
from pathlib import Path

import requests
from bs4 import BeautifulSoup

from reds_pipeline.web.static_files import STATIC_DIRECTORY, static_version
from reds_pipeline_tests.web.serving import served


def test_the_version_follows_names_and_contents(tmp_path: Path) -> None:
    versions = []
    for name, content in (("one.js", "1"), ("one.js", "2"), ("other.js", "2")):
        (tmp_path / name).write_text(content)
        versions.append(static_version(tmp_path))
    assert len(set(versions)) == 3
    assert static_version(tmp_path) == versions[-1]


def test_pages_name_only_files_of_their_own_which_browsers_may_keep(tmp_path: Path) -> None:
    with served(tmp_path) as address:
        start = requests.get(address, timeout=60)
        assert start.url == f"{address}/review"
        page = BeautifulSoup(start.text, "lxml")
        named = [tag["src"] for tag in page.find_all("script")]
        named += [tag["href"] for tag in page.find_all("link", rel="stylesheet")]
        assert any(name.endswith(".js") for name in map(str, named))
        for name in map(str, named):
            assert name.startswith(f"/static/{static_version()}/")
            answer = requests.get(address + name, timeout=60)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]


def test_pages_have_neither_scripts_nor_styles_inside(tmp_path: Path) -> None:
    """The content security policy would not run them."""
    with served(tmp_path) as address:
        page = BeautifulSoup(requests.get(f"{address}/review", timeout=60).text, "lxml")
    assert [tag for tag in page.find_all("script") if tag.get_text(strip=True)] == []
    assert page.find_all("style") == []
    marked = [
        tag.name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")
    ]
    assert marked == []
    assert page.find_all(style=True) == []


def test_scripts_and_styles_ask_no_other_machine() -> None:
    """Pages must work, and tell nobody anything, without a network."""
    addresses = re.compile(r"https?://[^\s\"'`)]+|url\(\s*['\"]?//")
    for path in STATIC_DIRECTORY.rglob("*"):
        if path.suffix in {".js", ".css"}:
            found = addresses.findall(path.read_text(encoding="utf-8"))
            # The name of the SVG language, which is no address to ask.
            assert [each for each in found if "w3.org" not in each] == [], path
