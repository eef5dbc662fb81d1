"""Short ways to compose in a test: subgraphs by keyword, Federation 2.9 with everything imported unless they say otherwise."""

from __future__ import annotations

from graphql import parse
from graphql.validation.validate import assert_valid_sdl

from gateway.composition import Composition, CompositionError, SubgraphSource, compose
from gateway.composition.member import check_member
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.member_contract import Finding, MemberContract, Severity
from gateway.supergraph.model import Supergraph

FEDERATION = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides", "@external", "@shareable", "@override", "@inaccessible", "@tag", "@extends", "@interfaceObject", "@composeDirective", "@authenticated"])
"""
"""One line, so that a subgraph's own first line is line 2."""
CONTEXTS = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external", "@shareable", "@interfaceObject", "@context", "@fromContext"])
"""
HORIZONTAL = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external"]) @link(url: "https://specs.gongwucang.dev/horizontal/v1.0", import: ["@partitioned", "@route", "@gather", "@fold"])
"""
FEDERATION_1 = "# Federation 1: no link.\n"


RECORD: list[tuple[list[SubgraphSource], Composition]] = []
"""What was composed by way of this module: the tests of errors are compared with another composer after they have run."""


def composed(**subgraphs: str) -> Composition:
    """Whatever the test is about, a supergraph must be a valid GraphQL document with all its machinery."""
    sources = [SubgraphSource(name, f"http://{name}", _with_link(sdl)) for name, sdl in subgraphs.items()]
    found = compose(sources)
    RECORD.append((sources, found))
    if found.supergraph_sdl is not None:
        assert_valid_sdl(parse(found.supergraph_sdl))
    return found


def _with_link(sdl: str) -> str:
    return sdl if "@link(" in sdl or sdl.startswith("#") else FEDERATION + sdl


def errors(**subgraphs: str) -> tuple[CompositionError, ...]:
    composition = composed(**subgraphs)
    assert composition.supergraph_sdl is None or not composition.errors
    return composition.errors


def error(**subgraphs: str) -> CompositionError:
    """The one error of subgraphs that must have exactly one."""
    found = errors(**subgraphs)
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def codes(**subgraphs: str) -> set[str]:
    return {one.code for one in errors(**subgraphs)}


def supergraph(**subgraphs: str) -> Supergraph:
    composition = composed(**subgraphs)
    assert composition.supergraph_sdl is not None, [str(one) for one in composition.errors]
    return load_supergraph(composition.supergraph_sdl)


def group(sdl: str) -> str:
    """A partitioned group's schema."""
    return HORIZONTAL + sdl


def member(contract: str, published: str) -> MemberContract:
    """A member of region `r` that publishes this, held against a contract."""
    return check_member(group(contract), group(published), "r")


def finding(contract: str, published: str) -> Finding:
    """The one difference of a member that must have exactly one."""
    found = member(contract, published).findings
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def hint(contract: str, published: str) -> tuple[str, str]:
    """Code and coordinate of the one hint; a hint's coordinate is what the member lacks."""
    found = finding(contract, published)
    assert found.severity is Severity.HINT
    return found.code, found.coordinate


def fault(contract: str, published: str) -> tuple[str, str]:
    """Code and coordinate of the one error; the member fits no more."""
    found = finding(contract, published)
    assert found.severity is Severity.ERROR
    assert found.remedy
    return found.code, found.coordinate
