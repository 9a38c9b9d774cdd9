"""Identifiers: how they are made so that they are unique, unguessable and safe in every JSON reader.

`Rng` is a source of randomness: called with n, it gives an unpredictable integer in [0, n).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import NewType

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.numerals import LARGEST_WHOLE_NUMBER, whole_number
from globalconnect.domain.times import DAY

type Rng = Callable[[int], int]

ActivationId = NewType("ActivationId", int)
PartnerId = NewType("PartnerId", str)
SmsId = NewType("SmsId", int)
SourceId = NewType("SourceId", str)

LARGEST_ID = LARGEST_WHOLE_NUMBER

# Test pushes take their SMS ids from 1 to this, and no SMS of a gateway does.
LARGEST_TEST_SMS_ID = 2**32

_EPOCH = 1_704_067_200_000  # 2024-01-01 UTC, ms
# 10 digits below the day's 4 are 14: some clients' number formats keep no more.
_IDS_PER_DAY = 10**10
_TOKEN = re.compile(r"[a-z0-9]{1,40}", re.ASCII)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: people read these aloud


def new_activation_id(now: int, rng: Rng) -> ActivationId:
    """Return an activation id: a positive integer below 10^14, unique permanently, not guessable by counting.

    The day is in the upper digits and 10 random ones below, so two days can never give the same id; within a day the
    conditional write that stores the activation refuses a second one. Enough days until May 2051. Until 2026 ids had 40
    random bits below the day, which made them larger than 10^14 after March 2024: none of those is reused.
    """
    return ActivationId(((now - _EPOCH) // DAY + 1) * _IDS_PER_DAY + rng(_IDS_PER_DAY))


def read_activation_id(fields: Mapping[str, object], name: str) -> ActivationId:
    """Return an activation id: a whole number, positive and below 2^53 (contract 1.3). Raises InvalidInput."""
    value = whole_number(fields.get(name), LARGEST_ID)
    if not value:
        raise InvalidInput(name, "expected a positive integer below 2^53, as a number or a string of digits")
    return ActivationId(value)


def sms_id_of(source_id: SourceId, delivery: str, salt: int) -> SmsId:
    """Return the SMS id of a gateway's delivery: the same delivery always gives the same id.

    Takes what identifies the SMS at its source and a salt, to be raised when two different deliveries share an id.
    Returns an integer above LARGEST_TEST_SMS_ID and below 2^53.
    """
    digest = hashlib.sha256(f"{source_id}\n{salt}\n{delivery}".encode()).digest()
    sms_id = int.from_bytes(digest[:8]) % LARGEST_ID + 1
    # One in two million is moved out of the way; two that meet there are told apart like any two (docs/adr/0009).
    return SmsId(sms_id if sms_id > LARGEST_TEST_SMS_ID else sms_id + LARGEST_TEST_SMS_ID)


def new_test_sms_id(rng: Rng) -> SmsId:
    """Return an SMS id for a test push: no SMS of a gateway ever has it, and hardly ever another test push."""
    return SmsId(1 + rng(LARGEST_TEST_SMS_ID))


def new_token(length: int, rng: Rng) -> str:
    """Return `length` random characters out of 32 (5 bits each), easy to read aloud."""
    return "".join(_ALPHABET[rng(len(_ALPHABET))] for _ in range(length))


def is_token(text: str) -> bool:
    """Return whether a text can be the id of a partner, a source or an import: what can't need not be looked up."""
    return _TOKEN.fullmatch(text) is not None
