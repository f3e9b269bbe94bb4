from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from PIL import Image

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.pixelfed.application import InstanceOptions
from reds_pipeline.demo.town.town import Town
from reds_pipeline.demo.wiretap import Fault
from reds_pipeline.errors import RedsError
from reds_pipeline_tests.demo.conftest import Visitor

PUBLIC = "/api/v1/timelines/public"
TAG = "/api/v1/timelines/tag/"
PROTECTED = [PUBLIC, TAG + "cat", "/api/v1/statuses/1", "/api/v1/accounts/verify_credentials"]


@pytest.fixture
def private(small_town: Town) -> Iterator[Visitor]:
    """An instance of one's own, to change and to spoil."""
    with EmbeddedInstance(small_town) as instance:
        yield Visitor(instance)


def tags_of(class_name: str) -> list[str]:
    return [class_name, f"{class_name}s", f"{class_name.capitalize()}sOfPixelfed"]


# -- the front door ---------------------------------------------------------------------------


def test_nodeinfo_leads_to_the_software(visitor: Visitor) -> None:
    links = visitor.get("/.well-known/nodeinfo").json()["links"]
    nodeinfo = requests.get(links[0]["href"], timeout=10).json()
    assert nodeinfo["software"] == {"name": "pixelfed", "version": "0.12.6"}
    assert nodeinfo["usage"]["localPosts"] > 100


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_instance_calls_itself_pixelfed(version: str, visitor: Visitor) -> None:
    body = visitor.get(f"/api/{version}/instance").json()
    assert body["version"] == "3.5.3 (compatible; Pixelfed 0.12.6)"
    assert visitor.instance.url.endswith(body.get("uri") or body["domain"])


def test_robots_disallows_what_pixelfed_disallows(visitor: Visitor) -> None:
    text = visitor.get("/robots.txt").text
    assert "Disallow: /i/" in text
    assert "/api/" not in text


def test_the_token_has_an_account(visitor: Visitor) -> None:
    assert visitor.get(PROTECTED[-1]).json()["username"] == "collector"


# -- refusals (fediverse.md 2.8) ----------------------------------------------------------------


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("token", [None, "Bearer wrong", "Basic abc", "Bearer "])
def test_without_the_token_json_gets_500_and_the_rest_a_login_page(
    path: str, token: str | None, running: EmbeddedInstance
) -> None:
    headers = {"Authorization": token} if token else {}
    address = running.url + path
    refused = requests.get(address, headers=headers | {"Accept": "application/json"}, timeout=10)
    assert (refused.status_code, refused.json()) == (500, {"error": "Unauthenticated."})
    led_astray = requests.get(address, headers=headers, timeout=10)
    assert led_astray.status_code == 200
    assert led_astray.url == f"{running.url}/login"
    assert led_astray.headers["Content-Type"].startswith("text/html")


def test_newer_versions_refuse_with_401(small_town: Town) -> None:
    options = InstanceOptions(legacy_auth_errors=False)
    with EmbeddedInstance(small_town, options) as instance:
        assert requests.get(instance.url + PUBLIC, timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"max_id": "abc"}, "max_id"),
        ({"max_id": "-1"}, "max_id"),
        ({"min_id": "9" * 30}, "min_id"),
    ],
)
@pytest.mark.parametrize("path", [PUBLIC, TAG + "cat"])
def test_refused_parameters_are_a_500_that_names_the_field(
    path: str, parameters: dict[str, str], field: str, visitor: Visitor
) -> None:
    answer = visitor.get(path, **parameters)
    assert answer.status_code == 500
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("path", ["/api/v1/trends/tags", "/api/v1/statuses/12", "/nobody/here"])
def test_what_does_not_exist_is_404_in_json_or_html(path: str, visitor: Visitor) -> None:
    assert "error" in visitor.get(path).json()
    assert visitor.get(path).status_code == 404
    visitor.session.headers["Accept"] = "*/*"
    assert visitor.get(path).headers["Content-Type"].startswith("text/html")


# -- timelines -----------------------------------------------------------------------------------


def test_walking_the_public_timeline_meets_every_public_local_post_once(
    visitor: Visitor, small_town: Town
) -> None:
    posts, _ = visitor.walk(PUBLIC)
    ids = [post["id"] for post in posts]
    assert len(ids) == len(set(ids))
    assert {post["visibility"] for post in posts} == {"public"}
    assert all(post["local"] and post["reblog"] is None for post in posts)
    kept = {truth.post_id for truth in small_town.truth if truth.fate == "kept"}
    assert len(kept & set(ids)) > 0.85 * len(kept), "a few are older than ninety days"


@pytest.mark.parametrize("class_name", ["cat", "flower"])
def test_walking_the_hashtags_of_a_class_meets_what_the_truth_expects(
    class_name: str, visitor: Visitor, small_town: Town
) -> None:
    found = {
        file["url"].removeprefix(visitor.instance.url)
        for tag in tags_of(class_name)
        for post in visitor.walk(TAG + tag)[0]
        for file in post["media_attachments"]
    }
    fates = {truth.path: truth.fate for truth in small_town.truth}
    assert Counter(fates[path] for path in found) == small_town.expected_fates(class_name)


def test_the_flood_makes_short_pages_before_the_last() -> None:
    with EmbeddedInstance(Town.build()) as instance:
        for path in (PUBLIC, TAG + "flower"):
            _, lengths = Visitor(instance).walk(path)
            assert any(length < 40 for length in lengths[:-1]), path


def test_hashtag_timelines_have_no_link_and_public_ones_a_misleading_one(
    visitor: Visitor,
) -> None:
    assert "Link" not in visitor.get(TAG + "cat", limit=2).headers
    links = visitor.get(PUBLIC, limit=2, _pe=1, local=1).links
    assert set(links) == {"next", "prev"}
    assert "_pe" not in links["next"]["url"]
    assert visitor.get(PUBLIC, limit=1).headers["Link"].count("max_id=>") == 1


def test_the_shape_follows_the_parameter(visitor: Visitor) -> None:
    assert "pf_type" in visitor.get(PUBLIC, limit=1, _pe=1).json()[0]
    assert "pf_type" not in visitor.get(PUBLIC, limit=1).json()[0]


def test_since_id_is_ignored(visitor: Visitor) -> None:
    newest = visitor.get(PUBLIC, limit=5).json()
    assert visitor.get(PUBLIC, limit=5, since_id=newest[0]["id"]).json() == newest


def test_hashtags_of_any_script_can_be_asked_for(visitor: Visitor, small_town: Town) -> None:
    expected = sum(
        "日本" in post.tags and post.visibility == "public" and post.is_local
        for post in small_town.posts
    )
    assert expected
    assert len(visitor.get(TAG + "日本", limit=40).json()) >= expected


def test_single_posts_follow_their_visibility(visitor: Visitor, small_town: Town) -> None:
    statuses = {
        post.visibility: visitor.get(f"/api/v1/statuses/{post.post_id}").status_code
        for post in small_town.posts
        if not post.author.suspended
    }
    assert statuses == {"public": 200, "unlisted": 200, "private": 403}


def test_a_post_that_cannot_be_read_spoils_its_page(small_town: Town) -> None:
    unreadable = small_town.posts[-1].post_id
    options = InstanceOptions(unreadable_post_id=unreadable)
    with EmbeddedInstance(small_town, options) as instance:
        visitor = Visitor(instance)
        assert visitor.get(PUBLIC).status_code == 500
        assert visitor.get(PUBLIC, max_id=unreadable).status_code == 200


# -- files and people ------------------------------------------------------------------------------


def test_every_file_is_served_byte_for_byte_to_parallel_clients(
    running: EmbeddedInstance, small_town: Town
) -> None:
    files = [
        file
        for post in small_town.posts
        for file in post.attachments
        if file.picture.class_name != "scenery"
    ]

    def fetched(path: str) -> requests.Response:
        return requests.get(running.url + path, timeout=30)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(fetched, [file.path for file in files]))
    for file, answer in zip(files, answers, strict=True):
        assert answer.status_code == 200
        assert answer.content == small_town.file(file)
        assert answer.headers["Content-Type"].startswith("image/"), "even when it is HTML"


def test_a_missing_file_redirects_to_the_placeholder(visitor: Visitor) -> None:
    answer = visitor.get("/storage/m/_v2/1/a/b/gone.jpg")
    assert answer.status_code == 302
    assert answer.headers["Location"] == visitor.instance.url + "/storage/no-preview.png"
    assert visitor.get("/storage/no-preview.png").headers["Content-Type"] == "image/png"


def test_previews_are_square(visitor: Visitor, small_town: Town) -> None:
    path = sorted(small_town.paths_with_fate("greyscale"))[0]
    preview = visitor.get(path.replace(".jpg", "_thumb.jpg"))
    assert Image.open(io.BytesIO(preview.content)).size == (640, 640)


@pytest.mark.parametrize("fate", ["not_an_image", "too_many_pixels", "truncated"])
def test_unreadable_files_have_the_placeholder_for_a_preview(
    fate: str, visitor: Visitor, small_town: Town
) -> None:
    path = sorted(small_town.paths_with_fate(fate))[0]
    assert visitor.get(path.rpartition(".")[0] + "_thumb.jpg").status_code == 302


def test_the_actor_and_the_profile_say_who_must_not_be_indexed(
    visitor: Visitor, small_town: Town
) -> None:
    authors = {post.author.username: post.author for post in small_town.posts if post.is_local}
    closed = next(author for author in authors.values() if not author.indexable)
    open_one = next(author for author in authors.values() if author.indexable and not author.locked)
    visitor.session.headers["Accept"] = "application/activity+json"
    assert visitor.get(f"/users/{closed.username}").json()["indexable"] is False
    assert visitor.get(f"/users/{open_one.username}").json()["indexable"] is True
    visitor.session.headers["Accept"] = "text/html"
    assert "noindex" in visitor.get(f"/{closed.username}").text
    assert "noindex" not in visitor.get(f"/{open_one.username}").text


# -- what tests do to it ------------------------------------------------------------------------


def test_requests_are_on_record_without_the_token(private: Visitor) -> None:
    private.session.headers["User-Agent"] = "reds-test/1"
    private.get(PUBLIC, limit=3)
    requests.get(private.instance.url + "/robots.txt", timeout=10)
    first, second = private.instance.requests
    assert (first.method, first.path, first.query, first.status) == ("GET", PUBLIC, "limit=3", 200)
    assert (first.has_authorization, first.user_agent) == (True, "reds-test/1")
    assert (second.path, second.has_authorization) == ("/robots.txt", False)
    assert private.instance.token not in repr(private.instance.requests)
    private.instance.reset_requests()
    assert private.instance.requests == []


def test_posts_come_and_go_while_it_runs(private: Visitor, small_town: Town) -> None:
    arrival = small_town.new_post("dog")
    path = arrival.attachments[0].path
    private.instance.put_post(arrival)
    assert private.get(TAG + "dog", limit=1).json()[0]["id"] == arrival.post_id
    assert private.get(path).content == small_town.file(arrival.attachments[0])
    private.instance.remove_post(arrival.post_id)
    assert private.get(TAG + "dog", limit=1).json()[0]["id"] != arrival.post_id
    assert private.get(path).status_code == 302
    assert len(private.instance.posts) == len(small_town.posts)


def test_faults_spoil_so_many_requests_and_no_more(private: Visitor) -> None:
    private.instance.spoil(Fault(PUBLIC, status=503, times=2))
    assert [private.get(PUBLIC).status_code for _ in range(3)] == [503, 503, 200]
    assert [record.status for record in private.instance.requests] == [503, 503, 200]


def test_a_fault_can_be_a_bot_wall_that_lasts(private: Visitor) -> None:
    wall = Fault("/", 200, None, "<html>prove you are human</html>", "text/html")
    private.instance.spoil(wall)
    for path in (PUBLIC, "/robots.txt"):
        assert private.get(path).headers["Content-Type"].startswith("text/html")
    private.instance.heal()
    assert private.get(PUBLIC).json()


# -- life and death ------------------------------------------------------------------------------


def test_stopping_frees_the_port_and_hangs_up_idle_clients(small_town: Town) -> None:
    instance = EmbeddedInstance(small_town)
    with instance:
        Visitor(instance).get(PUBLIC)
    with pytest.raises(requests.ConnectionError):
        requests.get(instance.url, timeout=10)
    port = int(instance.url.rpartition(":")[2])
    with EmbeddedInstance(small_town, port=port) as again:
        assert again.url == instance.url


def test_a_taken_port_is_refused_with_a_sentence(small_town: Town) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(RedsError, match=f"cannot listen on port {port}"):
            EmbeddedInstance(small_town, port=port)


def test_clients_that_hang_up_leave_no_trace(
    private: Visitor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    port = int(private.instance.url.rpartition(":")[2])
    for request in (
        b"",
        b"GET /robots.txt HT",
        b"nonsense\r\n\r\n",
        b"GET /api/v1/instance HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request)
    assert private.get("/robots.txt").status_code == 200
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
    assert capfd.readouterr().err == ""


def test_it_runs_as_a_program_that_says_where_it_is() -> None:
    command = [
        sys.executable,
        "-m",
        "reds_pipeline.demo.instance",
        "--images-per-class",
        "12",
        "--token",
        "agreed-upon",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = json.loads(program.stdout.readline())
        assert said["token"] == "agreed-upon"
        town = Town.build(images_per_class=12)
        path = sorted(town.paths_with_fate("kept"))[0]
        answer = requests.get(said["url"] + path, timeout=10)
        os.kill(program.pid, signal.SIGTERM)
        assert program.wait(timeout=10) == 0
    files = {file.path: file for post in town.posts for file in post.attachments}
    assert answer.content == town.file(files[path]), "another process, the same bytes"
