"""The stores of SMS: how they arrive, what is kept of those that nobody gets, and how their pushing stands.

Claims and ends of pushes are PartiQL: tests/faults/test_memory_store.py has those.
"""

from dataclasses import asdict, dataclass, replace

import pytest

from globalconnect.domain.errors import NotFound
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId, SourceId
from globalconnect.domain.inbound import (
    Identity,
    InboundSms,
    InboxKind,
    Lease,
    Receipt,
    UnclaimedReason,
    UnreadablePayload,
    WordsRecord,
)
from globalconnect.domain.number import Number
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, PushState, Sms, SmsRef
from globalconnect.domain.times import HOUR
from globalconnect.store.activations import PENDING_SHARDS, Activations
from globalconnect.store.arrivals import ArrivalContext, Arrivals, Heard
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.inbox import Inbox
from globalconnect.store.numbers import Numbers
from globalconnect.store.pushes import ATTEMPTS_KEPT, Pushes
from globalconnect.store.transactions import IssueResult, Transactions
from simulation.aws import START, Cloud
from simulation.shop import present
from tests.stores.test_transactions import NUMBER, RETENTION, SALE

SALE_ID = ActivationId(7)
SMS_ID = SmsId(11)
NEXT_SMS_ID = SmsId(12)
SOURCE = SourceId("s1")

LEASE = Lease(NUMBER.phone, SALE_ID, PartnerId("hub"), SALE.started_at, START)
INBOUND = InboundSms(NUMBER.phone, "Service", 'Код: 5015 \N{GRINNING FACE}\n"<b>&', stated_at=START + 20)
NOT_HEARD: Heard = (None,)
RECEIPT = Receipt(SMS_ID, SOURCE, Identity(SOURCE, "sms a"), INBOUND, START + 20, START + 30)
SMS = Sms(
    SMS_ID,
    SALE_ID,
    PartnerId("hub"),
    NUMBER.phone,
    INBOUND.phone_from,
    INBOUND.text,
    START + 20,
    START + 30,
    next_due=START + 30,
)
REF = SmsRef(SALE_ID, SMS_ID)


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores that an SMS goes through, with one sale."""

    activations: Activations
    inbox: Inbox
    arrivals: Arrivals
    pushes: Pushes

    def known(self, sms: InboundSms = INBOUND) -> ArrivalContext:
        """Return what is known when an SMS comes in."""
        return self.arrivals.known(sms, SOURCE, None, START + 40)

    def shown(self) -> tuple[Sms, ...]:
        """Return the messages of the sale."""
        return present(self.activations.sale(SALE_ID)).sms

    def pending(self, until: int) -> list[SmsRef]:
        """Return what waits in all shards."""
        return [ref for shard in PENDING_SHARDS for ref in self.pushes.pending(shard, until)]

    def kept(self, kind: InboxKind) -> list[dict[str, object]]:
        """Return what is kept for staff."""
        listed = self.inbox.unclaimed if kind is InboxKind.UNCLAIMED else self.inbox.unreadable
        return [asdict(kept) for kept in listed(10, None, START + 60).items]


@pytest.fixture
def stores(tables: Cloud) -> Stores:
    numbers = Numbers(tables.db, tables.env["NUMBERS_TABLE"])
    activations = Activations(tables.db, tables.env["ACTIVATIONS_TABLE"], RETENTION, tables.clock)
    inbox = Inbox(tables.db, tables.env["INBOX_TABLE"], RETENTION)
    numbers.add(NUMBER)
    assert Transactions(tables.db, numbers, activations).issue(SALE, tries=1) is IssueResult.DONE
    arrivals = Arrivals(tables.db, numbers, activations, inbox)
    return Stores(activations, inbox, arrivals, Pushes(tables.db, activations.table, RETENTION))


@pytest.fixture
def stored(stores: Stores) -> Stores:
    stores.arrivals.store(SMS, LEASE, RECEIPT, NOT_HEARD)
    return stores


# ---------------------------------------------------------------- arrivals


def test_an_sms_is_shown_with_its_activation_and_its_receipt_and_words_are_known(stored: Stores) -> None:
    assert stored.shown() == (SMS,)
    assert stored.inbox.has(RECEIPT) is True
    assert stored.inbox.has(replace(RECEIPT, identity=Identity(SOURCE, "sms b"))) is False
    assert stored.inbox.has(replace(RECEIPT, sms_id=NEXT_SMS_ID)) is None
    known = stored.known()
    assert isinstance(known.number, Number)
    assert (known.number.activation_id, known.heard) == (
        7,
        (WordsRecord(SMS_ID, SALE_ID, START + 20, START + 20),),
    )


def test_what_was_never_heard_is_unknown(stores: Stores) -> None:
    assert stores.known(replace(INBOUND, phone="447472190009")) == ArrivalContext(None, NOT_HEARD)
    assert stores.known().heard == NOT_HEARD


@pytest.mark.parametrize("lease", [replace(LEASE, activation_id=ActivationId(8)), replace(LEASE, phone="447472190009")])
def test_an_sms_is_stored_with_nobody_but_who_holds_its_number(stores: Stores, lease: Lease) -> None:
    with pytest.raises(ConditionFailed):
        stores.arrivals.store(SMS, lease, RECEIPT, NOT_HEARD)
    assert stores.shown() == ()


def test_an_sms_of_an_activation_that_has_ended_is_stored_all_the_same(stores: Stores) -> None:
    stores.arrivals.store(SMS, replace(LEASE, has_ended=True, activation_id=ActivationId(8)), RECEIPT, NOT_HEARD)
    assert stores.shown() == (SMS,)


def test_what_no_activation_gets_is_kept_for_staff_once(stores: Stores) -> None:
    stores.arrivals.keep_unclaimed(RECEIPT, NOT_HEARD, UnclaimedReason.NOT_HELD)
    with pytest.raises(ConditionFailed):
        stores.arrivals.keep_unclaimed(RECEIPT, NOT_HEARD, UnclaimedReason.NOT_HELD)
    for _ in range(2):
        stores.arrivals.count_repeat(SMS_ID)
    stores.arrivals.count_repeat(NEXT_SMS_ID)
    (kept,) = stores.kept(InboxKind.UNCLAIMED)
    assert (kept["text"], kept["repeats"], kept["reason"]) == (INBOUND.text, 2, UnclaimedReason.NOT_HELD.value)
    assert stores.known().heard == (WordsRecord(SMS_ID, None, START + 20, START + 20),)


def test_what_may_be_a_repeat_is_kept_in_one_entry_that_counts(stored: Stores) -> None:
    heard = present(stored.known().heard[0])
    for _ in range(2):
        stored.inbox.keep_doubtful(replace(RECEIPT, sms_id=NEXT_SMS_ID), heard, in_test=False)
    (kept,) = stored.kept(InboxKind.UNCLAIMED)
    assert (kept["repeats"], kept["reason"]) == (2, UnclaimedReason.DOUBTFUL.value)


def test_what_could_not_be_read_is_kept_as_it_came_once_and_no_larger_than_an_item_may_be(stores: Stores) -> None:
    payload = bytes(range(256)) * 1_024 * 2
    for at in (1, 2):
        stores.inbox.keep_unreadable(UnreadablePayload("raw#1", SOURCE, payload, "no JSON", START + at))
    stores.inbox.keep_unreadable(UnreadablePayload("raw#2", SOURCE, b"{", "no JSON", START + 3))
    newest, first = stores.kept(InboxKind.UNREADABLE)
    assert (newest["body"], first["body"], first["stored_at"]) == (b"{", payload[: 256 * 1024], START + 1)


# ---------------------------------------------------------------- pushes


def test_an_sms_waits_from_the_time_it_is_stored(stored: Stores) -> None:
    assert stored.pending(START + 29) == []
    assert stored.pending(START + 30) == [REF]
    assert stored.pushes.find([SmsRef(SALE_ID, SmsId(99)), REF]) == [SMS]


def test_more_attempts_than_one_call_writes_are_kept_the_first_and_the_newest(stored: Stores) -> None:
    made = [Attempt(number, START + number, 12, "http_status", 500, "") for number in range(1, 60)]
    made.append(Attempt(60, START, 5_000, "timeout", None, "no"))
    stored.pushes.keep_attempts([(SMS, attempt) for attempt in made[: ATTEMPTS_KEPT + 1]])
    for attempt in made[ATTEMPTS_KEPT + 1 :]:
        stored.pushes.keep_attempts([(SMS, attempt)])
    assert stored.pushes.attempts(SALE_ID) == {11: [made[0], *made[-ATTEMPTS_KEPT:]]}
    # They come after the messages, of which they are none.
    assert stored.shown() == (SMS,)


def test_an_sms_is_pushed_again_at_once_or_after_the_attempt_under_way(stored: Stores) -> None:
    early, late = SMS.next_due - INTERVAL, SMS.next_due + 2 * HOUR
    assert stored.pushes.push_again(REF, early, HOUR) == replace(SMS, push_state=PushState.PENDING)
    assert stored.pushes.push_again(REF, late, HOUR).next_due == late
    with pytest.raises(NotFound):
        stored.pushes.push_again(SmsRef(SALE_ID, SmsId(99)), late, HOUR)


def test_many_messages_are_shown_in_the_order_they_were_received(stores: Stores) -> None:
    many = [replace(SMS, sms_id=SmsId(number), received_at=START + number % 7) for number in range(20, 40)]
    for sms in many:
        stores.arrivals.store(sms, LEASE, replace(RECEIPT, sms_id=sms.sms_id), stores.known().heard)
    assert list(stores.shown()) == sorted(many, key=lambda sms: (sms.received_at, sms.sms_id))
