"""Who asks: the identity of a request, verified once at the gateway and handed on signed to every subgraph.

Two tokens, both JWT (RFC 7519) signed with Ed25519 (RFC 8037):
- the *access token* a client sends as `Authorization: Bearer …`; issuer `gwc-access`;
- the *internal token* the gateway (or a service such as the overlay) sends to subgraphs in the header
  `gwc-identity`; issuer `gwc-internal`, short-lived. A subgraph that gets none serves the anonymous identity.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import jwt
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "ANONYMOUS",
    "DEADLINE_HEADER",
    "IDENTITY_HEADER",
    "Identity",
    "InvalidToken",
    "Role",
    "TokenIssuer",
    "TokenVerifier",
    "generate_key_pair",
]

IDENTITY_HEADER = "gwc-identity"
DEADLINE_HEADER = "gwc-deadline-ms"
"""Milliseconds that remain for the whole request, as a plain integer."""
ACCESS = "gwc-access"
INTERNAL = "gwc-internal"
_ALGORITHM = "EdDSA"
_CACHE_SIZE = 4096


class InvalidToken(ValueError):
    """The token's signature, issuer, expiry or claims are wrong."""


class Role(StrEnum):
    APPLICANT = "APPLICANT"
    UNIT_OFFICER = "UNIT_OFFICER"
    REGION_OFFICER = "REGION_OFFICER"
    KEEPER = "KEEPER"
    CITY_OFFICER = "CITY_OFFICER"
    AUDITOR = "AUDITOR"
    FINANCE = "FINANCE"
    SERVICE = "SERVICE"
    """Another part of the system acting for itself, such as the overlay settling an order."""


@dataclass(frozen=True, slots=True)
class Identity:
    person: str | None = None
    unit: str | None = None
    """The person's unit by its 18-character USCC (GB 32100)."""
    region: str | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)

    @property
    def is_anonymous(self) -> bool:
        return self.person is None

    def has(self, *roles: Role) -> bool:
        return any(role in self.roles for role in roles)


ANONYMOUS = Identity()


def generate_key_pair() -> tuple[str, str]:
    """A new Ed25519 key pair as (private PEM, public PEM)."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


def load_public_key(pem: str) -> Ed25519PublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidKey("the public key is not an Ed25519 key")
    return key


def load_private_key(pem: str) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidKey("the private key is not an Ed25519 key")
    return key


class TokenIssuer:
    """Signs identities. One token is reused for the same identity until half its life is over."""

    def __init__(self, private_pem: str, issuer: str = INTERNAL, life_s: int = 120) -> None:
        self._key = load_private_key(private_pem)
        self._issuer = issuer
        self._life_s = life_s
        self._issued: OrderedDict[Identity, tuple[str, float]] = OrderedDict()

    def issue(self, identity: Identity) -> str:
        now = time.time()
        kept = self._issued.get(identity)
        if kept is not None and kept[1] - now > self._life_s / 2:
            return kept[0]
        expires = now + self._life_s
        claims: dict[str, Any] = {"iss": self._issuer, "iat": int(now), "exp": int(expires)}
        if identity.person is not None:
            claims["sub"] = identity.person
        if identity.unit is not None:
            claims["unit"] = identity.unit
        if identity.region is not None:
            claims["region"] = identity.region
        claims["roles"] = sorted(identity.roles)
        token = jwt.encode(claims, self._key, algorithm=_ALGORITHM)
        self._issued[identity] = (token, expires)
        if len(self._issued) > _CACHE_SIZE:
            self._issued.popitem(last=False)
        return token


class TokenVerifier:
    """Verifies tokens of one issuer; a token seen before is answered from memory until it expires."""

    def __init__(self, public_pem: str, issuer: str = INTERNAL) -> None:
        self._key = load_public_key(public_pem)
        self._issuer = issuer
        self._seen: OrderedDict[str, tuple[Identity, float]] = OrderedDict()

    def verify(self, token: str) -> Identity:
        return self.verify_until(token)[0]

    def verify_until(self, token: str) -> tuple[Identity, float]:
        """The identity, and the time (seconds since 1970) at which the token expires. Raises `InvalidToken`."""
        kept = self._seen.get(token)
        if kept is not None:
            if kept[1] <= time.time():
                raise InvalidToken("the token has expired")
            return kept
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=self._issuer,
                options={"require": ["exp", "iss"]},
            )
            identity = Identity(
                person=claims.get("sub"),
                unit=claims.get("unit"),
                region=claims.get("region"),
                roles=frozenset(Role(role) for role in claims.get("roles", ())),
            )
            expires = float(claims["exp"])
        except jwt.ExpiredSignatureError:
            raise InvalidToken("the token has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise InvalidToken("the token is not valid") from None
        self._seen[token] = (identity, expires)
        if len(self._seen) > _CACHE_SIZE:
            self._seen.popitem(last=False)
        return identity, expires
