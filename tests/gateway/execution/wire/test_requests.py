"""A request's bytes: what the URL says, what is added to it, and what is not let in."""

from __future__ import annotations

import base64

import pytest

from gateway.execution.wire.requests import Origin, Post


def head(url: str, headers: dict[str, str] | None = None) -> list[str]:
    return Post(url).message(headers or {}, b"{}").decode().split("\r\n")


def test_a_request() -> None:
    message = Post("http://members.example:4001/graphql?a=1").message({"gwc-identity": "x"}, b'{"query":"{ a }"}')
    assert message == (
        b"POST /graphql?a=1 HTTP/1.1\r\n"
        b"host: members.example:4001\r\n"
        b"content-type: application/json\r\n"
        b"accept: application/json\r\n"
        b"gwc-identity: x\r\n"
        b"content-length: 17\r\n"
        b"\r\n"
        b'{"query":"{ a }"}'
    )


@pytest.mark.parametrize(
    ("url", "origin", "target", "host"),
    [
        ("http://a", Origin("a", 80, False), "/", "a"),
        ("http://a:80/x", Origin("a", 80, False), "/x", "a"),
        ("https://A.example/x", Origin("a.example", 443, True), "/x", "a.example"),
        ("https://a:80", Origin("a", 80, True), "/", "a:80"),
        ("http://[::1]:4001/x", Origin("::1", 4001, False), "/x", "[::1]:4001"),
        ("http://[fd00::7]/x", Origin("fd00::7", 80, False), "/x", "[fd00::7]"),
        ("http://district_a/x#top", Origin("district_a", 80, False), "/x", "district_a"),
        ("http://a/仓 库%2F?q=é", Origin("a", 80, False), "/%E4%BB%93%20%E5%BA%93%2F?q=%C3%A9", "a"),
        ("http://bücher.example/", Origin("xn--bcher-kva.example", 80, False), "/", "xn--bcher-kva.example"),
    ],
)
def test_whom_a_url_means(url: str, origin: Origin, target: str, host: str) -> None:
    assert Post(url).origin == origin
    assert head(url)[:2] == [f"POST {target} HTTP/1.1", f"host: {host}"]


def test_who_stands_in_the_url_is_told_in_a_header() -> None:
    lines = head("http://me:p%40ss@a/")
    assert lines[1] == "host: a"
    assert f"authorization: Basic {base64.b64encode(b'me:p@ss').decode()}" in lines


@pytest.mark.parametrize(
    "url",
    ["", "graphql", "ftp://a/", "http://", "http:///x", "http://u:secret/x@a", "http://[::1/x", f"http://{'a' * 64}/"],
)
def test_a_url_that_cannot_be_asked_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        Post(url)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nx: y", "a\rx: y", "a\r", "\n", "a\0", "\r\n\r\nPOST / HTTP/1.1"])
def test_a_header_brings_no_line_of_its_own(value: str) -> None:
    post = Post("http://a/")
    with pytest.raises(ValueError):
        post.message({"accept-language": value}, b"{}")
    with pytest.raises(ValueError):
        post.message({value: "zh"}, b"{}")


def test_a_header_may_hold_any_text() -> None:
    assert b"\r\naccept-language: \xe4\xb8\xad\r\n" in Post("http://a/").message({"accept-language": "中"}, b"")
    with pytest.raises(ValueError):
        Post("http://a/").message({"accept-language": "\ud800"}, b"")
