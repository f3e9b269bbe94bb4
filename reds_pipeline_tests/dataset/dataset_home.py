"""A home with a finished data set, small, whose every table says who posted what.

The tables are those of two hosts: one where many people post and one with a single user, whose
name is therefore the name of the host. Nothing of these people may be in a card or an export.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from reds_pipeline.approvals import approvals, approve_host
from reds_pipeline.dataset.collect_facts import collect_facts
from reds_pipeline.dataset.facts import CollectionRules, DatasetFacts
from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import (
    CLASS_SELECTION,
    CLEAN_IMAGES,
    CURATED,
    IMAGES,
    LABEL_SUSPECTS,
    POSTS,
    write_rows,
)
from reds_pipeline_tests.imaging.pictures import encoded, scene

Row = dict[str, Any]

CLASSES = ("cat", "dog", "sea shore")
BIG_HOST = "pix.example"
SMALL_HOST = "mira-of-the-hill.example"
AUTHORS_A_CLASS = 8
PICTURES_OF_AN_AUTHOR = 2
LICENCES = ("CC0", "CC BY", "", "CC BY-SA")
RULES = CollectionRules(
    policy=ConsentPolicy(), contact="https://operator.example; mailto:bot@operator.example"
)
# Whatever names a person, a post or a key of one somewhere in these tables.
SECRETS = ("someone-", "mira", "words of", "/p/", "storage", "key of", "Ada", "tag-of", "T07:41")


def make_dataset_home(root: Path) -> Home:
    """Make a home with 16 kept pictures a class, some dropped ones, and every table of a card.

    A person confirmed the first cat, and found the second among the dogs. Two copies of the first
    were dropped, and a person discarded another picture.
    """
    home = Home(root)
    # The key has to be there before the first table, as in every home.
    assert home.keyed_hash
    posts: dict[str, list[Row]] = {name: [_refusal(name)] for name in CLASSES}
    images: dict[str, list[Row]] = {name: [] for name in CLASSES}
    curated: list[Row] = []
    for class_number, name in enumerate(CLASSES):
        for number in range(AUTHORS_A_CLASS * PICTURES_OF_AN_AUTHOR):
            author = f"someone-{class_number}-{number // PICTURES_OF_AN_AUTHOR}"
            seed = 1000 * class_number + number
            image = _image(home, author, seed, LICENCES[number % len(LICENCES)])
            collected_as = "dog" if seed == 1 else name
            posts[collected_as].append(_post(name, image, SMALL_HOST if number < 2 else BIG_HOST))
            images[collected_as].append(image)
            curated.append(_curated(name, image) | {"collected_as": collected_as})
    curated[0] |= {"decision": "keep"}
    curated[1] |= {"decision": "label"}
    extras = [_image(home, "someone-0-0", seed, "CC0") for seed in (900, 901, 902)]
    posts["cat"] += [_post("cat", image, BIG_HOST) for image in extras]
    images["cat"] += extras
    for name in CLASSES:
        write_rows(home.table("posts", name), posts[name], POSTS)
        write_rows(home.table("images", name), images[name], IMAGES)
        cleaned = [row | {"class_name": name, "kept": True} for row in images[name]]
        write_rows(home.table("clean_images", name), cleaned, CLEAN_IMAGES)
    dropped = _dropped(curated[0], extras)
    write_rows(home.table("curated_dataset"), [*curated, *dropped], CURATED)
    write_rows(home.table("label_suspects"), _suspects(curated), LABEL_SUSPECTS)
    selection = [{"lemma": name, "synset": f"{name}.n.01", "accepted": True} for name in CLASSES]
    write_rows(home.table("class_selection"), selection, CLASS_SELECTION)
    return home


def facts_of(home: Home, rules: CollectionRules = RULES) -> DatasetFacts:
    """Collect the facts of such a home, whose one large host somebody has approved."""
    ledger = Ledger(home.default_ledger_url)
    if not approvals(ledger):
        approve_host(ledger, f"https://{BIG_HOST}", "Ada", date(2026, 10, 1))
    return collect_facts(home, ledger, rules)


def _image(home: Home, author: str, seed: int, licence: str) -> Row:
    extension = "png" if seed % 5 == 4 else "jpg"
    data = encoded(scene(48, 36, seed), "PNG" if extension == "png" else "JPEG")
    return {
        "media_key": f"key of picture {seed}",
        "post_key": f"key of post {seed}",
        "author_key": f"key of {author}",
        "created_at": f"2026-{1 + seed % 9:02d}-03T07:41:12Z",
        "tags": [f"tag-of-{author}"],
        "alt_text": f"words of {author}",
        "licence": licence,
        "url": f"https://{BIG_HOST}/storage/{author}/{seed}.jpg",
        "collected_at": f"2026-11-0{1 + seed % 2}T10:00:00Z",
        "status": "stored",
        "reason": "",
        "bytes": len(data),
        "width": 48,
        "height": 36,
        "sha256": home.images.put(data, extension),
        "extension": extension,
    }


def _refusal(name: str) -> Row:
    return {
        "post_key": f"key of a refusal {name}",
        "host": BIG_HOST,
        "status": "gated",
        "reason": "account_locked",
    }


def _post(name: str, image: Row, host: str) -> Row:
    return {
        "post_key": image["post_key"],
        "host": host,
        "query_tag": name,
        "status": "kept",
        "reason": "",
        "policy": RULES.policy.digest,
        "collected_at": image["collected_at"],
        "confirmed_at": image["collected_at"],
        "created_at": image["created_at"],
        "author_key": image["author_key"],
        "permalink": f"https://{host}/p/someone-who-posts/1",
        "tags": image["tags"],
        "media": [{"url": image["url"], "alt_text": image["alt_text"]}],
    }


def _curated(name: str, image: Row) -> Row:
    copied = ("media_key", "sha256", "extension", "author_key", "created_at", "width", "height")
    return {
        **{column: image[column] for column in copied},
        "class_name": name,
        "collected_as": name,
        "cluster": image["sha256"],
        "group": image["author_key"],
        "flags": ["dark"],
        "decision": "",
        "kept": True,
        "drop_reason": "",
    }


def _dropped(keeper: Row, images: list[Row]) -> list[Row]:
    """Return two copies of a kept picture and one that a person discarded."""
    rows = [
        _curated("cat", image)
        | {
            "kept": False,
            "flags": ["blurry"],
            "drop_reason": "near_duplicate",
            "keeper": keeper["sha256"],
            "duplicate_kind": "perceptual",
            "duplicate_distance": 3.0,
            "keeper_rule": "size",
        }
        for image in images
    ]
    discarded = {"decision": "discard", "drop_reason": "reviewed_out"}
    nothing = {"keeper": "", "duplicate_kind": "", "duplicate_distance": None, "keeper_rule": ""}
    return [*rows[:2], rows[2] | discarded | nothing]


def _suspects(curated: list[Row]) -> list[Row]:
    """Return two suspects, of which a person has confirmed the first, and an outlier."""
    row = {"is_suspect": False, "is_outlier": False}
    kinds = [{"is_suspect": True}, {}, {"is_suspect": True}, {"is_outlier": True}]
    return [
        row | kind | {"sha256": one["sha256"], "class_name": one["class_name"]}
        for kind, one in zip(kinds, curated, strict=False)
    ]
