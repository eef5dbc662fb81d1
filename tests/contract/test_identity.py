import time

import pytest

from contract.identity import (
    ACCESS,
    INTERNAL,
    Identity,
    InvalidToken,
    Role,
    TokenIssuer,
    TokenVerifier,
    generate_key_pair,
)
from contract.rules import InvalidRule, Rule, RuleSigner, RuleVerifier

PRIVATE, PUBLIC = generate_key_pair()
CLERK = Identity("p1", "11330106002490123X", "330106", frozenset({Role.APPLICANT, Role.KEEPER}))


def test_an_identity_survives_its_token() -> None:
    assert TokenVerifier(PUBLIC).verify(TokenIssuer(PRIVATE).issue(CLERK)) == CLERK


def test_a_token_of_another_issuer_key_or_text_is_refused() -> None:
    token = TokenIssuer(PRIVATE, ACCESS).issue(CLERK)
    with pytest.raises(InvalidToken):
        TokenVerifier(PUBLIC, INTERNAL).verify(token)
    with pytest.raises(InvalidToken):
        TokenVerifier(generate_key_pair()[1], ACCESS).verify(token)
    with pytest.raises(InvalidToken):
        TokenVerifier(PUBLIC, ACCESS).verify(token[:-4] + "AAAA")


def test_a_token_says_until_when() -> None:
    verifier, token = TokenVerifier(PUBLIC), TokenIssuer(PRIVATE, life_s=60).issue(CLERK)
    for _ in range(2):
        identity, until = verifier.verify_until(token)
        assert identity == CLERK
        assert 55 < until - time.time() <= 60


def test_an_expired_token_is_refused() -> None:
    with pytest.raises(InvalidToken, match="expired"):
        TokenVerifier(PUBLIC).verify(TokenIssuer(PRIVATE, life_s=-10).issue(CLERK))


def test_a_rule_survives_its_signature_and_nothing_else_does() -> None:
    rule = Rule({"class": {"under": ["A0501"]}}, ("2026-12-01", "2026-12-08"), ("330106",))
    token = RuleSigner(PRIVATE).sign(rule)
    assert RuleVerifier(PUBLIC).verify(token) == rule
    with pytest.raises(InvalidRule):
        RuleVerifier(generate_key_pair()[1]).verify(token)
    with pytest.raises(InvalidRule):
        RuleVerifier(PUBLIC).verify(TokenIssuer(PRIVATE).issue(CLERK))


def test_the_same_rule_is_the_same_text_within_a_step() -> None:
    signer, rule = RuleSigner(PRIVATE), Rule({}, None)
    assert signer.sign(rule) == signer.sign(rule)
