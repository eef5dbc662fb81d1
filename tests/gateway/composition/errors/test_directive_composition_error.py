from __future__ import annotations

from tests.gateway.composition.composing import codes, error


def mine(version: str = "v1.0", name: str = "@mine", link: str = "https://example.com/mine") -> str:
    return f"""
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective", "@shareable"])
      @link(url: "{link}/{version}", import: ["@mine"])
      @composeDirective(name: "{name}")
    directive @mine on FIELD_DEFINITION
    type Query {{ a: Int @mine @shareable }}
    """


def test_a_name_without_an_at() -> None:
    found = error(a=mine(name="mine"))
    assert found.code == "DIRECTIVE_COMPOSITION_ERROR"
    assert [str(at) for at in found.locations] == ["a:5:7"]


def test_a_directive_that_is_not_defined() -> None:
    assert "not defined" in error(a=mine(name="@yours")).message


def test_a_directive_of_federation() -> None:
    assert "federation itself" in error(a=mine(name="@shareable")).message


def test_a_directive_of_no_specification() -> None:
    sdl = """
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective"])
      @composeDirective(name: "@mine")
    directive @mine on FIELD_DEFINITION
    type Query { a: Int @mine }
    """
    assert "specification of its own" in error(a=sdl).message


def test_two_specifications_under_one_name() -> None:
    assert codes(a=mine(), b=mine(link="https://example.com/other")) == {"DIRECTIVE_COMPOSITION_ERROR"}


def test_two_major_versions() -> None:
    assert "several major versions" in error(a=mine(), b=mine("v2.0")).message


def test_minor_versions_agree() -> None:
    assert codes(a=mine(), b=mine("v1.3")) == set()
