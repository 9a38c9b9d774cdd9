"""A cursor leads on in the listing it came from, and one that was made up never reaches the store."""

import base64
import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.ids import PartnerId
from globalconnect.store.activations import listing_of as activations_listing
from globalconnect.store.cursors import Listing, has
from globalconnect.store.numbers import listing_of as numbers_listing

NOW = 1_790_000_000_000
PARTNERS = Listing("partners", partial(has, partner_id=str))
ENGLISH = numbers_listing("england", None)
ENGLISH_O2 = numbers_listing("england", "O2")
BY_DAY = activations_listing(None, None, NOW)
BY_PARTNER = activations_listing(PartnerId("hub"), None, NOW)

OF_ENGLAND = {"country": "england", "operator_phone": "O2|44111", "phone": "44111"}
OF_HUB = {"partner_id": "hub", "started_at": NOW, "activation_id": 5, "entry": "activation"}
OF_DAY = {"started_day": "2026-09-21", "started_at": NOW, "activation_id": 5, "entry": "activation"}


@pytest.mark.parametrize(
    ("listing", "key"),
    [
        (PARTNERS, {"partner_id": "abc"}),
        (numbers_listing(None, None), {"phone": "44111"}),
        (ENGLISH, OF_ENGLAND),
        (ENGLISH_O2, OF_ENGLAND),
        (BY_PARTNER, OF_HUB),
        (BY_DAY, {"day_at": NOW, "key": OF_DAY}),
        (BY_DAY, {"day_at": NOW - 5_000}),
    ],
)
def test_a_cursor_gives_back_the_key_it_was_made_of(listing: Listing, key: dict[str, Any]) -> None:
    cursor = str(listing.cursor(key))
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert listing.key(cursor) == key


def test_the_end_has_no_cursor_and_no_cursor_is_the_beginning() -> None:
    assert PARTNERS.cursor(None) is None
    assert PARTNERS.key(None) is None


@pytest.mark.parametrize(
    ("listing", "key"),
    [
        (PARTNERS, {}),
        (PARTNERS, {"partner_id": ""}),
        (PARTNERS, {"partner_id": 5}),
        (PARTNERS, {"partner_id": None}),
        (PARTNERS, {"partner_id": "\ud800"}),
        (PARTNERS, {"partner_id": "x" * 1_001}),
        (PARTNERS, {"partner_id": "abc", "more": "x"}),
        (PARTNERS, {"source_id": "abc"}),
        (ENGLISH, OF_ENGLAND | {"country": "poland"}),
        (ENGLISH_O2, OF_ENGLAND | {"operator_phone": "Play|44111"}),
        (ENGLISH_O2, OF_ENGLAND | {"operator_phone": "O2|44999"}),
        (BY_PARTNER, OF_HUB | {"partner_id": "other"}),
        (BY_PARTNER, OF_HUB | {"started_at": -1}),
        (BY_PARTNER, OF_HUB | {"started_at": True}),
        (BY_PARTNER, OF_HUB | {"started_at": 1.5}),
        (BY_PARTNER, OF_HUB | {"activation_id": 10**40}),
        (BY_PARTNER, OF_HUB | {"entry": "sms#5"}),
        (BY_DAY, OF_DAY),
        (BY_DAY, {"day_at": NOW + 1}),
        (BY_DAY, {"day_at": 2**53 - 1}),
        (BY_DAY, {"day_at": "2026-09-21"}),
        (BY_DAY, {"day_at": NOW, "key": None}),
        (BY_DAY, {"day_at": NOW, "key": OF_DAY | {"started_day": "2026-09-20"}}),
        (BY_DAY, {"day_at": NOW, "key": OF_DAY, "more": 1}),
    ],
)
def test_a_key_that_the_listing_can_not_have_is_refused(listing: Listing, key: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"^cursor: "):
        listing.key(listing.cursor(key))


def test_a_cursor_of_another_version_is_refused() -> None:
    cursor = str(PARTNERS.cursor({"partner_id": "abc"}))
    _, *rest = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    with pytest.raises(InvalidInput):
        PARTNERS.key(base64.urlsafe_b64encode(json.dumps([0, *rest]).encode()).decode())


@given(some.text(max_size=300))
def test_any_text_at_all_is_a_cursor_of_ours_or_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        PARTNERS.key(cursor)


@given(
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.text(),
        lambda x: some.lists(x) | some.dictionaries(some.text(), x),
    )
)
def test_any_json_at_all_is_refused(content: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    for listing in (PARTNERS, BY_DAY, ENGLISH_O2):
        with pytest.raises(InvalidInput):
            listing.key(cursor)
