"""Signed URLs: a short-lived ticket that says which file, which method and for whom.

A browser follows a link without an `Authorization` header, so the link itself carries the right: a JWT (Ed25519, the
key of internal tokens under an issuer of its own, so that neither passes for the other). It names the person as they
were when it was signed; rights are checked then, and again, for that person, when the link is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt

from contract.identity import Identity, Role, load_private_key, load_public_key
from overlay.clock import Clock

__all__ = ["InvalidTicket", "Link", "Method", "Ticket", "TicketOffice"]

_ISSUER = "gwc-files"
_ALGORITHM = "EdDSA"
_LENGTH_MAX = 4096
Method = str
"""`PUT`, `GET`, or `PRINT` for a print that is made when it is fetched."""


class InvalidTicket(ValueError):
    """The ticket is forged, has expired, or was signed for something else."""


@dataclass(frozen=True, slots=True)
class Ticket:
    method: Method
    subject: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime


class TicketOffice:
    """Signs and reads tickets. `public_url` stands before the path, where the city has one address for its users."""

    def __init__(self, private_pem: str, public_pem: str, clock: Clock, public_url: str = "") -> None:
        self._private, self._public = load_private_key(private_pem), load_public_key(public_pem)
        self._clock = clock
        self.public_url = public_url.rstrip("/")

    def link(self, path: str, ticket: Ticket, life: timedelta) -> Link:
        expires = self._clock() + life
        who = ticket.identity
        claims = {
            "iss": _ISSUER,
            "exp": int(expires.timestamp()),
            "method": ticket.method,
            "of": ticket.subject,
            "sub": who.person,
            "unit": who.unit,
            "region": who.region,
            "roles": sorted(who.roles),
        }
        token = jwt.encode(claims, self._private, algorithm=_ALGORITHM)
        return Link(f"{self.public_url}/files/{quote(path)}?ticket={token}", expires.replace(microsecond=0))

    def read(self, token: str, method: Method, subject: str) -> Ticket:
        """Raises `InvalidTicket`. The clock is ours, so that a test's time and the ticket's agree."""
        if len(token) > _LENGTH_MAX:
            raise InvalidTicket("the ticket is too long")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._public,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["exp", "iss", "sub"], "verify_exp": False},
            )
            expires, roles = int(claims["exp"]), frozenset(Role(role) for role in claims["roles"])
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise InvalidTicket("the ticket is not valid") from None
        if expires <= self._clock().timestamp():
            raise InvalidTicket("the ticket has expired")
        if (claims["method"], claims["of"]) != (method, subject):
            raise InvalidTicket("the ticket was signed for something else")
        identity = Identity(claims["sub"], claims["unit"], claims["region"], roles)
        return Ticket(method, subject, identity)
