"""Signatures as Standard Webhooks has them: what another implementation computes, ours computes."""

from __future__ import annotations

import pytest

from overlay.notices.signing import InvalidSecret, new_secret, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_vector_that_the_specifications_libraries_use() -> None:
    headers = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_signature_is_of_id_time_and_body() -> None:
    said = sign(SECRET, "a", 1, BODY)["webhook-signature"]
    others = [sign(SECRET, "b", 1, BODY), sign(SECRET, "a", 2, BODY), sign(SECRET, "a", 1, BODY + b" ")]
    others.append(sign(new_secret(), "a", 1, BODY))
    assert said not in {one["webhook-signature"] for one in others}


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_%%%", SECRET.removeprefix("whsec_")])
def test_what_is_no_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(InvalidSecret):
        sign(secret, "a", 1, BODY)
