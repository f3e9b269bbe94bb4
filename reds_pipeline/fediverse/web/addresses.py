"""Which address a URL leads to, and whether REDS may go there.

What belongs here: pure questions about URLs and IP addresses. What does not: opening
connections (``transport.py``).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Well-known prefix of RFC 6052: the last 32 bits are an IPv4 address that a gateway connects to.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that is handed out of IPv6 for the public internet (IANA, IPv6 global unicast). Outside it lie
# forms that the library calls global although some gateway may take them home: IPv4-compatible
# ::127.0.0.1, site-local fec0::, the private NAT64 prefix 64:ff9b:1::, segment routing.
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
_DOCUMENTATION_IPV6 = ipaddress.ip_network("3fff::/20")
# The relays of 6to4, which hand packets to whatever address the traveller wrote into them.
_RELAYS_IPV4 = ipaddress.ip_network("192.88.99.0/24")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def origin_of(url: str) -> str:
    """Return ``scheme://host:port`` of a URL, normalised, so that equal origins compare equal.

    Raises:
        ValueError: The URL is not http(s), has no host, carries a user name, or cannot be read.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("only http and https addresses are used")
    if not parts.hostname:
        raise ValueError("the address names no host")
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise ValueError("the address carries a user name")
    port = parts.port if parts.port is not None else _DEFAULT_PORTS[scheme]
    return f"{scheme}://{_bracketed(parts)}:{port}"


def host_name(url: str) -> str:
    """Return host and port as people write them, without a default port: ``pix.example``."""
    parts = urlsplit(origin_of(url))
    if parts.port == _DEFAULT_PORTS[parts.scheme]:
        return _bracketed(parts)
    return parts.netloc


def is_loopback(url: str) -> bool:
    """Say whether a URL names this very machine, by ``localhost`` or a literal address."""
    try:
        host = urlsplit(origin_of(url)).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public_address(text: str) -> bool:
    """Say whether an IP address belongs to the public internet.

    Addresses that embed an IPv4 address (mapped, 6to4, Teredo, NAT64) are judged by it too,
    because a gateway on the way would connect there.
    """
    try:
        address: IPAddress = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(_is_public(candidate) for candidate in (address, *_embedded(address)))


def _is_public(address: IPAddress) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address not in _RELAYS_IPV4
    if address in _DOCUMENTATION_IPV6:
        return False
    return address in _PUBLIC_IPV6 or address in _NAT64


def _embedded(address: IPAddress) -> list[IPAddress]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[IPAddress] = []
    if address.ipv4_mapped is not None:
        found.append(address.ipv4_mapped)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def _bracketed(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    return f"[{host}]" if ":" in host else host
