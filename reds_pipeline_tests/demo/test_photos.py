from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from reds_pipeline.demo.photos import PhotoFolder
from reds_pipeline.demo.pictures import SCENERY, picture_file
from reds_pipeline.demo.posts import Picture
from reds_pipeline.demo.town.town import Town
from reds_pipeline.errors import RedsError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of photographs, one folder without any, and a stray file."""
    root = tmp_path_factory.mktemp("photos")
    for class_name, drawn_as in (("Heron", "bird"), ("tram", "car")):
        (root / class_name).mkdir()
        for number in range(20):
            (root / class_name / f"{number:02d}.jpg").write_bytes(picture_file(drawn_as, number))
    (root / "empty").mkdir()
    (root / "tram" / "notes.txt").write_text("no photograph")
    (root / "README.md").write_text("no folder")
    return root


def test_classes_are_the_folders_that_hold_photographs(folder: Path) -> None:
    assert PhotoFolder(folder).class_names == ["heron", "tram"]


def test_clean_pictures_are_the_files_themselves_in_order(folder: Path) -> None:
    source = PhotoFolder(folder)
    files = [source.read(picture) for picture in source.clean_pictures("tram")]
    assert files == [picture_file("car", number) for number in range(20)]


def test_spare_pictures_are_drawn_and_all_different(folder: Path) -> None:
    """A version of a photograph would be found to be its duplicate, and take it along."""
    source = PhotoFolder(folder)
    spare = [source.spare_picture(name, number) for name in ("heron", "tram") for number in (0, 23)]
    assert len(set(spare)) == len(spare)
    assert {picture.class_name for picture in spare} == {SCENERY}
    assert Image.open(io.BytesIO(source.read(spare[0]))).size == source.size(spare[0])


def test_every_photograph_stands_in_one_clean_post(folder: Path) -> None:
    town = Town.build(photos=folder)
    kept = town.paths_with_fate("kept")
    shown = [
        attachment.picture
        for post in town.posts
        for attachment in post.attachments
        if attachment.path in kept
    ]
    expected = [Picture(name, number) for name in ("heron", "tram") for number in range(20)]
    assert sorted(shown, key=lambda picture: (picture.class_name, picture.number)) == expected


def test_spellings_come_from_the_folder_name(folder: Path) -> None:
    tags = {tag for post in Town.build(photos=folder).posts for tag in post.tags}
    assert {"heron", "Heron", "herons", "HeronsOfPixelfed"} <= tags


def test_a_photograph_with_a_broken_header_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "broken.jpg").write_bytes(b"not a picture")
    assert PhotoFolder(tmp_path).size(Picture("cat", 0)) is None


@pytest.mark.parametrize(
    ("folders", "complaint"),
    [
        ([], "No photographs were found"),
        (["cat"], "No photographs were found"),
        (["two words/a.jpg"], "cannot be a hashtag"),
    ],
)
def test_an_unusable_folder_is_refused_with_a_sentence(
    folders: list[str], complaint: str, tmp_path: Path
) -> None:
    for name in folders:
        path = tmp_path / name
        if path.suffix:
            path.parent.mkdir()
            path.write_bytes(b"")
        else:
            path.mkdir()
    with pytest.raises(RedsError, match=complaint):
        PhotoFolder(tmp_path)


def test_an_absent_folder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RedsError, match="does not exist"):
        PhotoFolder(tmp_path / "nowhere")
