"""Who asks and how: from a request's headers (or a websocket's opening payload) to a `Caller`.

The access token is verified here, once. Subgraphs get an internal token in `gwc-identity`; the access token itself
goes no further. No token is the anonymous identity; a token that is not valid is refused, never taken for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

import orjson

from contract.identity import (
    ANONYMOUS,
    DEADLINE_HEADER,
    IDENTITY_HEADER,
    Identity,
    InvalidToken,
    TokenIssuer,
    TokenVerifier,
)
from gateway.language.errors import Code, GatewayError, RequestRefused
from gateway.pipeline.answer import Caller
from gateway.supergraph.model import Wish

__all__ = ["EXPLAIN_HEADER", "PARTIAL_HEADER", "Callers", "language_of"]

PARTIAL_HEADER = "gwc-partial"
EXPLAIN_HEADER = "gwc-explain"
EXPLAIN_PARAMETER = "explain"
LANGUAGE_LENGTH_MAX = 200
_WISHES = {"allow": Wish.PARTIAL, "none": Wish.ALL, "stale": Wish.STALE}
"""What `PARTIAL_HEADER` may say."""
DEADLINE_MS_MIN = 1
ANONYMOUS_KEPT_MAX = 256


@dataclass(frozen=True, slots=True)
class Callers:
    verifier: TokenVerifier | None
    issuer: TokenIssuer | None
    deadline_s: float
    may_explain: bool
    inside: TokenVerifier | None = None
    """Set on an endpoint that only parts of the system reach: who asks then stands in `gwc-identity`."""

    def caller(self, headers: Mapping[str, str], *, parameters: bytes = b"", may_change: bool = True) -> Caller:
        """`headers` by lower-case name; `parameters` as they stand in the URL. Raises `RequestRefused`."""
        identity, until = self._identity(headers) if self.inside is None else self._inside(headers.get(IDENTITY_HEADER))
        language = headers.get("accept-language", "")[:LANGUAGE_LENGTH_MAX]
        deadline_s = self._deadline(headers.get(DEADLINE_HEADER))
        wish = _wish(headers.get(PARTIAL_HEADER))
        explain = self.may_explain and _wants_explanation(headers, parameters)
        if identity is ANONYMOUS:
            return _anonymous(language, deadline_s, wish, explain, may_change)
        return Caller(
            headers=self._handed_on(identity, language),
            renewed=None if identity == ANONYMOUS else lambda: self._handed_on(identity, language),
            who=_who(identity, language),
            until=until,
            deadline_s=deadline_s,
            wish=wish,
            language=language_of(language),
            explain=explain,
            may_change=may_change,
        )

    def _inside(self, token: str | None) -> tuple[Identity, float | None]:
        if token is None or self.inside is None:
            return ANONYMOUS, None
        try:
            return self.inside.verify_until(token)
        except InvalidToken as error:
            raise _unauthenticated(str(error)) from None

    def _identity(self, headers: Mapping[str, str]) -> tuple[Identity, float | None]:
        """Who asks, and until when the token says so (None: for ever)."""
        authorization = headers.get("authorization")
        if authorization is None:
            return ANONYMOUS, None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthenticated("the Authorization header must be of the form `Bearer <token>`")
        if self.verifier is None:
            raise _unauthenticated("this gateway knows no key to verify tokens with")
        try:
            return self.verifier.verify_until(token.strip())
        except InvalidToken as error:
            raise _unauthenticated(str(error)) from None

    def _handed_on(self, identity: Identity, language: str) -> dict[str, str]:
        if identity == ANONYMOUS:
            return _language_header(language)
        if self.issuer is None:
            raise _unauthenticated("this gateway has no key to hand identities on with")
        return {IDENTITY_HEADER: self.issuer.issue(identity), **_language_header(language)}

    def _deadline(self, given: str | None) -> float:
        """A client may shorten the deadline, never lengthen it."""
        if given is None:
            return self.deadline_s
        if not (given.isascii() and given.isdigit() and len(given) <= 9) or int(given) < DEADLINE_MS_MIN:
            message = f"The header {DEADLINE_HEADER} must be a whole number of milliseconds, at least 1."
            raise RequestRefused([GatewayError(Code.BAD_REQUEST, message)])
        return min(self.deadline_s, int(given) / 1000)


@lru_cache(maxsize=ANONYMOUS_KEPT_MAX)
def _anonymous(language: str, deadline_s: float, wish: Wish, explain: bool, may_change: bool) -> Caller:
    """Kept: most requests of a public gateway are alike."""
    return Caller(
        headers=_language_header(language),
        who=_who(ANONYMOUS, language),
        deadline_s=deadline_s,
        wish=wish,
        language=language_of(language),
        explain=explain,
        may_change=may_change,
    )


def _language_header(language: str) -> dict[str, str]:
    return {"accept-language": language} if language else {}


def _wants_explanation(headers: Mapping[str, str], parameters: bytes) -> bool:
    return headers.get(EXPLAIN_HEADER) == "1" or (EXPLAIN_PARAMETER, "1") in parse_qsl(parameters.decode("latin-1"))


def _who(identity: Identity, language: str) -> str:
    """One text for equal rights, in every process: what is kept of answers is told apart by it."""
    told = [identity.person, identity.unit, identity.region, sorted(identity.roles), language]
    return orjson.dumps(told).decode()


def _wish(given: str | None) -> Wish:
    if given is None:
        return Wish.PARTIAL
    try:
        return _WISHES[given.strip().lower()]
    except KeyError:
        message = f"The header {PARTIAL_HEADER} must be `allow`, `none` or `stale`."
        raise RequestRefused([GatewayError(Code.BAD_REQUEST, message)]) from None


def language_of(accept_language: str) -> str:
    """`en` when English is wanted before Chinese, else `zh`."""
    best, best_weight = "zh", 0.0
    for entry in accept_language.split(","):
        tag, _, weight_text = entry.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        if primary not in ("en", "zh"):
            continue
        weight = _weight(weight_text)
        if weight > best_weight:
            best, best_weight = primary, weight
    return best


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q=")) if text.strip() else 1.0
    except ValueError:
        return 0.0


def _unauthenticated(why: str) -> RequestRefused:
    remedy = {"remedy": "Send a valid access token, or none to see what is public."}
    return RequestRefused([GatewayError(Code.UNAUTHENTICATED, f"Not authenticated: {why}.", extensions=remedy)])
