"""The store of long SMS whose parts come one by one."""

from dataclasses import replace

import pytest

from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import InboundSms, SmsPart
from globalconnect.domain.long_sms import LongSms, PartIdentity, kept_part
from globalconnect.domain.times import HOUR
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.long_sms import Found, LongSmsStore
from simulation.aws import START, Cloud
from tests.stores.pages import every

SMS = InboundSms("447472190082", "Bank", "", "id-1", stated_at=START, stated_to=START + 999, line="1A")
# Half a character, and what is no text.
FIRST, SECOND = SmsPart(SMS, "7", 2, 1, b"\xd8\x3d\0", "utf-16-be"), SmsPart(SMS, "7", 2, 2, b"", "gsm7")
LONG = LongSms("a", SourceId("s1"), SMS, 2, START, {1: kept_part(FIRST)})


@pytest.fixture
def store(tables: Cloud) -> LongSmsStore:
    return LongSmsStore(tables.db, tables.env["INBOX_TABLE"], HOUR)


def _found(store: LongSmsStore, now: int = START) -> LongSms | None:
    return store.find("a", PartIdentity("none", has_id=True), None, now).long


def _begin(store: LongSmsStore, long: LongSms, before: LongSms | None) -> None:
    store.begin(long, before, PartIdentity(f"{[*long.parts]} {long.began_at}", has_id=True), long.began_at)


def _incomplete(store: LongSmsStore, now: int = START) -> list[LongSms]:
    return every(lambda after: store.incomplete(1, after, now))


def test_what_begins_is_read_as_it_was_stored_and_begins_once(store: LongSmsStore) -> None:
    assert _found(store) is None
    _begin(store, LONG, None)
    assert _found(store) == LONG
    assert store.find("a", PartIdentity("another", has_id=True), "unreadable#s1#b", START) == Found(
        LONG, came_before=False, unread_at=None
    )
    assert store.find("a", PartIdentity(f"{[*LONG.parts]} {START}", has_id=True), None, START).came_before
    with pytest.raises(ConditionFailed):
        _begin(store, replace(LONG, parts={2: kept_part(SECOND)}), None)
    assert _incomplete(store) == [LONG]


def test_a_part_is_added_to_what_was_read_and_may_have_come_before_it(store: LongSmsStore) -> None:
    _begin(store, LONG, None)
    whole = store.add(LONG, SECOND, START - 5, PartIdentity("second", has_id=True), START)
    assert whole == replace(LONG, parts={1: kept_part(FIRST), 2: kept_part(SECOND)}, began_at=START - 5, version=2)
    assert _found(store) == whole
    # By one who has read what was there before.
    with pytest.raises(ConditionFailed):
        store.add(LONG, SECOND, START, PartIdentity("again", has_id=True), START)
    assert _found(store) == whole


def test_what_is_joined_lacks_nothing_and_stays_known(store: LongSmsStore) -> None:
    _begin(store, LONG, None)
    # A part came in between: it is joined with that one.
    store.end(replace(LONG, version=9))
    assert _incomplete(store) == [LONG]
    store.end(LONG)
    store.count_repeat(LONG)
    assert (_found(store), _incomplete(store)) == (replace(LONG, is_joined=True), [])


@pytest.mark.parametrize("is_joined", [True, False])
def test_another_with_its_reference_takes_its_place_and_what_lacks_parts_is_kept(
    store: LongSmsStore, is_joined: bool
) -> None:
    _begin(store, LONG, None)
    if is_joined:
        store.end(LONG)
    before = replace(LONG, is_joined=is_joined)
    another = replace(LONG, parts={2: kept_part(SECOND)}, began_at=START + 1)
    _begin(store, another, before)
    assert _found(store) == replace(another, version=2)
    kept = [] if is_joined else [replace(before, name="a#1")]
    assert _incomplete(store) == [replace(another, version=2), *kept]
    with pytest.raises(ConditionFailed):
        _begin(store, LONG, before)


def test_what_was_kept_too_long_ago_is_not_there_and_another_begins_in_its_place(store: LongSmsStore) -> None:
    _begin(store, LONG, None)
    later = START + 2 * HOUR
    assert (_found(store, later), _incomplete(store, later)) == (None, [])
    another = replace(LONG, began_at=later)
    _begin(store, another, None)
    assert _found(store, later) == another
