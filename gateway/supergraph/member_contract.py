"""What one member of a partitioned graph publishes, held against the contract that all members share.

Composition makes it (`check_member`), execution reads it: what a member lacks is null in its rows, or keeps it out of a
field's answer. Both know it by schema coordinates: `Book`, `Book.title`, `Query.books(filter:)`, `BookFilter.title`,
`BookOrderField.PAGES`, and, for an object type that an interface or union cannot be there, `Note|Praise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import GraphQLSchema

__all__ = ["Finding", "MemberContract", "Severity", "combined"]


class Severity(StrEnum):
    HINT = "HINT"
    """The member serves; what it lacks is null or keeps it out of what asks for it."""
    ERROR = "ERROR"
    """The member would answer wrongly: it is not asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between a member's schema and the contract."""

    code: str
    severity: Severity
    member: str
    """Its region."""
    coordinate: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.code}: [{self.member}] {self.message} {self.remedy}"


@dataclass(frozen=True, slots=True)
class MemberContract:
    version: str
    """A digest of the contract and of what the member publishes: what follows is the same where this is."""
    schema: GraphQLSchema = field(compare=False, repr=False)
    """The contract's: what members are asked in."""
    lacks: frozenset[str] = field(default=frozenset(), compare=False)
    """Coordinates of the contract that the member does not know."""
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)


def combined(contracts: Sequence[MemberContract]) -> MemberContract:
    """Of a member that publishes several at its addresses (it is being upgraded): what any of them lacks, it lacks."""
    if len(contracts) == 1:
        return contracts[0]
    return MemberContract(
        "+".join(sorted({one.version for one in contracts})),
        contracts[0].schema,
        frozenset().union(*(one.lacks for one in contracts)),
        tuple(dict.fromkeys(finding for one in contracts for finding in one.findings)),
    )
