"""``--resolve`` reads what curl reads, and says what is allowed where it cannot."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.transport.resolve import Resolve, parse_resolve

HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,8})?", fullmatch=True)
PORTS = st.integers(1, 65535)
ADDRESSES = st.ip_addresses().map(str)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("example.org:443:127.0.0.1", ("example.org", 443, "127.0.0.1", 443)),
        ("Example.ORG:443:127.0.0.1:8443", ("example.org", 443, "127.0.0.1", 8443)),
        ("example.org:80:[::1]:8080", ("example.org", 80, "::1", 8080)),
        ("example.org:80:::1", ("example.org", 80, "::1", 80)),
    ],
)
def test_a_mapping_is_read(text: str, read: tuple[str, int, str, int]) -> None:
    host, port, address, to_port = read
    assert parse_resolve(text) == Resolve(host=host, port=port, address=address, to_port=to_port)


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "example.org:443", "example.org:443:", "example.org:443:localhost",
     ":443:127.0.0.1", "example.org:x:127.0.0.1", "example.org:0:127.0.0.1",
     "example.org:70000:127.0.0.1", "example.org:443:127.0.0.1:0", "example.org:443:1.2.3",
     "example.org:443:127.0.0.1:8443:1", "exa mple.org:443:127.0.0.1", "a:1:[::1",
     "https://example.org:443:127.0.0.1", "127.0.0.1:80:10.0.0.1", "[2001:db8::1]:80:10.0.0.1"],
)  # fmt: skip
def test_what_is_no_mapping_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_resolve(text)


@given(HOSTS, PORTS, ADDRESSES, PORTS)
def test_what_is_written_is_read_back(host: str, port: int, address: str, to_port: int) -> None:
    mapping = Resolve(host=host, port=port, address=address, to_port=to_port)
    shown = f"[{address}]" if ":" in address else address
    assert parse_resolve(f"{host}:{port}:{shown}:{to_port}") == mapping


@given(st.text(max_size=60))
def test_no_text_makes_it_stumble(text: str) -> None:
    with suppress(ValueError):
        assert parse_resolve(text).port > 0
