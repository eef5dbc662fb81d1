"""The rule of a virtual warehouse view, as it travels from the overlay to every member.

A signed token (JWS, Ed25519): the overlay signs, members verify by its public key, clients never see it.
It says *which* rows; *who may see them* is not in it, for members judge that by the request's identity.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

from contract.identity import load_private_key, load_public_key

__all__ = ["InvalidRule", "Rule", "RuleSigner", "RuleVerifier"]

_ISSUER = "gwc-rule"
EXPIRY_STEP_S = 3600
"""Rules expire at whole steps, so that the same rule is the same text (and cacheable) within a step."""
_CACHE_SIZE = 1024


class InvalidRule(ValueError):
    """The rule's signature or expiry is wrong."""


@dataclass(frozen=True, slots=True)
class Rule:
    filter: dict[str, Any]
    """An `AssetFilter` of the district contract as plain JSON."""
    window: tuple[str, str] | None
    """[from, to) as ISO dates (Asia/Shanghai calendar days): leave out what is held in it."""
    regions: tuple[str, ...] | None = None
    """The only regions whose rows can match; None: any. It follows from the filter, and only spares questions."""


class RuleSigner:
    def __init__(self, private_pem: str) -> None:
        self._key = load_private_key(private_pem)
        self._signed: OrderedDict[bytes, str] = OrderedDict()
        """The signature of the same claims is the same text, and costs more than finding it."""

    def sign(self, rule: Rule) -> str:
        expires = (int(time.time()) // EXPIRY_STEP_S + 2) * EXPIRY_STEP_S
        claims = {"iss": _ISSUER, "exp": expires, "filter": rule.filter, "window": rule.window, "regions": rule.regions}
        material = orjson.dumps(claims)
        token = self._signed.get(material)
        if token is None:
            token = self._signed[material] = jwt.encode(claims, self._key, algorithm="EdDSA")
            if len(self._signed) > _CACHE_SIZE:
                self._signed.popitem(last=False)
        return token


class RuleVerifier:
    def __init__(self, public_pem: str) -> None:
        self._key = load_public_key(public_pem)
        self._seen: OrderedDict[str, tuple[Rule, float]] = OrderedDict()

    def verify(self, token: str) -> Rule:
        kept = self._seen.get(token)
        if kept is not None and kept[1] > time.time():
            return kept[0]
        try:
            claims = jwt.decode(token, self._key, algorithms=["EdDSA"], issuer=_ISSUER, options={"require": ["exp"]})
            window, regions = claims["window"], claims.get("regions")
            rule = Rule(
                claims["filter"],
                None if window is None else (str(window[0]), str(window[1])),
                None if regions is None else tuple(regions),
            )
        except (jwt.PyJWTError, KeyError, TypeError, IndexError):
            raise InvalidRule("the rule's signature is not valid or it has expired") from None
        self._seen[token] = (rule, float(claims["exp"]))
        if len(self._seen) > _CACHE_SIZE:
            self._seen.popitem(last=False)
        return rule
