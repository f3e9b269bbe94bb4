from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.web.addresses import (
    host_name,
    is_loopback,
    is_public_address,
    origin_of,
)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Pix.Example", "https://pix.example:443"),
        ("https://pix.example:443/a/b?c#d", "https://pix.example:443"),
        ("http://pix.example.", "http://pix.example:80"),
        ("HTTP://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:90/", "http://[::1]:90"),
    ],
)
def test_one_origin_has_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "ftp://pix.example/",
        "file:///etc/passwd",
        "//pix.example/",
        "https://",
        "https://user:secret@pix.example/",
        "http://127.0.0.1\\@evil.example/",
        "http://pix.example:99999/",
        "http://[::1/",
        "",
    ],
)
def test_addresses_that_could_mislead_have_no_origin(url: str) -> None:
    with pytest.raises(ValueError):
        origin_of(url)


def test_people_do_not_write_default_ports() -> None:
    assert host_name("https://pix.example:443/") == "pix.example"
    assert host_name("http://127.0.0.1:5000") == "127.0.0.1:5000"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]/", True),
        ("http://LOCALHOST:80", True),
        ("http://localhost.evil.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://10.0.0.1/", False),
        ("http://127.0.0.1@evil.example/", False),
        ("gopher://127.0.0.1/", False),
        ("nonsense", False),
    ],
)
def test_loopback_is_this_machine_by_name_or_number(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "fec0::1",
        "3fff::1",
        "5f00::1",
        "192.88.99.1",
        "",
        "not an address",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public_address(address)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_address_hidden_in_ipv6_is_no_more_public(address: object) -> None:
    for hidden in (f"::ffff:{address}", f"::{address}", f"64:ff9b::{address}"):
        assert not (is_public_address(hidden) and not is_public_address(str(address)))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert is_loopback(text) in {True, False}
    assert is_public_address(text) in {True, False}
