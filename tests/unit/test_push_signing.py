"""Signatures of pushes, as the specification of Standard Webhooks has them, and which secrets make them."""

import base64
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from globalconnect.domain.ids import PartnerId, SmsId
from globalconnect.domain.partner import (
    MOST_SIGNING_SECRETS,
    SIGNING_OVERLAP,
    Partner,
    SigningSecret,
    new_signing_secret,
    rotated,
)
from globalconnect.push.signing import Signer

NOW = 1_614_265_330_999
# The test vector that the libraries of Standard Webhooks share.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
CONTENT = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

PARTNER = Partner(PartnerId("abc"), "Hub", "gc_abc_key", "https://hub.example/", None, "default", NOW)


def test_the_signature_is_that_of_the_specifications_test_vector() -> None:
    assert Signer(MESSAGE_ID, NOW, [SECRET]).headers(CONTENT) == {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_a_new_secret_is_256_random_bits_in_the_specifications_form() -> None:
    rolled = iter(range(100, 132))
    prefix, _, encoded = new_signing_secret(lambda sides: next(rolled) % sides).partition("_")
    assert prefix == "whsec"
    assert base64.b64decode(encoded, validate=True) == bytes(range(100, 132))


def test_a_secret_that_was_replaced_signs_on_for_a_day_and_no_longer() -> None:
    secrets = rotated([SigningSecret("old")], "new", NOW)
    assert secrets == (SigningSecret("new"), SigningSecret("old", NOW + SIGNING_OVERLAP))
    partner = replace(PARTNER, signing_secrets=secrets)
    signing = [partner.push_secrets(NOW + SIGNING_OVERLAP + late).signing for late in (-1, 0)]
    assert signing == [("new", "old"), ("new",)]
    assert Signer.of((), SmsId(77), NOW) is None


def test_replacing_a_secret_that_nobody_wrote_down_leaves_the_one_that_is_checked() -> None:
    secrets = rotated(rotated([SigningSecret("checked")], "lost", NOW), "new", NOW + 60_000)
    assert [known.secret for known in secrets] == ["new", "lost", "checked"]
    assert secrets[2].until == NOW + SIGNING_OVERLAP


@given(st.lists(st.integers(0, 2 * SIGNING_OVERLAP), max_size=12))
def test_the_newest_secret_always_signs_and_never_more_than_a_few_beside_it(pauses: list[int]) -> None:
    now, secrets = NOW, rotated((), "0", NOW)
    for number, pause in enumerate(pauses, 1):
        now += pause
        secrets = rotated(secrets, str(number), now)
        assert secrets[0] == SigningSecret(str(number))
        assert all(known.until is not None and known.until > now for known in secrets[1:])
        assert len(secrets) <= MOST_SIGNING_SECRETS
