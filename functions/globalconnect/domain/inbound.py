"""Inbound SMS: which of them are the same, and whose they are (contract 1.6 and 4, docs/adr/0009)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from globalconnect.domain.ids import ActivationId, PartnerId, SmsId, SourceId
from globalconnect.domain.number import Number
from globalconnect.domain.times import MINUTE

# A gateway that gives no id repeats itself within this long when it missed our answer; the same words later are a new SMS.
REPEAT_WINDOW = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An SMS as a gateway delivered it and its provider read it.

    `phone` is its destination, "" when only the `line` that it came in on is named: what the gateway calls a SIM or
    device of its own; `aliases` are what else it calls that, such as the port that a SIM is in. `readings` are all that
    the destination may mean where it may lack its country code. `provider_id` is what its source calls it, None when
    that gives no id. `stated_at` (ms) is when the gateway says that it received it, None when it doesn't; `stated_to` is
    the end of the moment meant by that, since many state whole seconds. `former_names` are the names under which an
    earlier version would have stored it. `delivered_to` is the destination as it was delivered, where the phone has been
    found since.
    """

    phone: str
    phone_from: str = field(repr=False)
    text: str = field(repr=False)
    provider_id: str | None = field(default=None, repr=False)
    stated_at: int | None = None
    stated_to: int | None = None
    former_names: tuple[str, ...] = field(default=(), repr=False)
    line: str | None = None
    readings: tuple[str, ...] = ()
    delivered_to: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def line_names(self) -> tuple[str, ...]:
        """All names of the line that it came in on, the one that staff see first; none where it has no line."""
        return () if self.line is None else tuple(dict.fromkeys([self.line, *self.aliases]))

    @property
    def destination(self) -> str:
        """Where it went as its gateway tells, which stays the same when staff map a line to another number."""
        if self.delivered_to is not None:
            return self.delivered_to
        # Beside a line, a number is what the gateway takes for it: it comes and goes.
        return self.phone if self.line is None else f"{self.line}\n"

    def words(self, source_id: SourceId) -> tuple[str, ...]:
        """Return digests of what it says, from whom and to whom: to which number, whatever its source, and to what that
        calls it, if that is not the number.
        """
        by_number = [_digest(self.phone, self.phone_from, self.text)] if self.phone else []
        is_found = self.destination != self.phone
        by_source = [_digest(source_id, _digest(self.destination, self.phone_from, self.text))] if is_found else []
        return (*by_number, *by_source)

    def addressed(self, phone: str) -> Self:
        """Return the SMS as one to a phone that its destination was found to mean."""
        return replace(self, phone=phone, readings=(), delivered_to=self.destination)

    def received_at(self, arrived_at: int) -> int:
        """Return when it was received (ms), as far as is known of one that reached us at `arrived_at`; never later."""
        return arrived_at if self.stated_at is None else min(self.stated_at, arrived_at)


@dataclass(frozen=True, slots=True)
class SmsPart:
    """A part of a long SMS: `sms` is what is known of it, without a text; `number` counts from 1 to `total`. What it says
    are octets in a `charset`, since a character may be cut in two. `reference` is what the parts of one SMS share.
    """

    sms: InboundSms
    reference: str
    total: int
    number: int
    content: bytes = field(repr=False)
    charset: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an SMS from every other: which source names it, and by what; "" for one that no id names."""

    source_id: SourceId
    name: str


@dataclass(frozen=True, slots=True)
class WordsRecord:
    """What was heard of some words: the activation that got them first (None: nobody), and the SMS that noted it last:
    its id, when it reached us and when it was stated to be received (ms).
    """

    sms_id: SmsId
    activation_id: ActivationId | None
    arrived_at: int
    stated_at: int | None


class Verdict(StrEnum):
    """What an SMS without an id is, beside what was heard before."""

    NEW = "new"
    REPEAT = "repeat"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Lease:
    """The activation that holds a number: since when (ms), and for which partner. `free_since` (ms) is since when the
    number had been free before, None when that is not known. `has_ended`: it held the number when an SMS arrived, and
    does no more.
    """

    phone: str
    activation_id: ActivationId
    partner_id: PartnerId
    held_from: int
    free_since: int | None = None
    has_ended: bool = False


class UnclaimedReason(StrEnum):
    """Why an SMS was given to no activation, as staff read it."""

    NOT_HELD = "no activation held the number"
    AMBIGUOUS = "its destination may be more than one of our numbers"
    BEFORE_SALE = "received before the activation began"
    DOUBTFUL = "may be a repeat of an earlier SMS"
    SOURCE_REMOVED = "its source was removed before its line was mapped"


@dataclass(frozen=True, slots=True)
class UnclaimedSms:
    """An SMS that no activation got, as it is kept; times in ms, `repeats` is how often it came again."""

    sms_id: str
    source_id: SourceId
    phone: str
    phone_from: str = field(repr=False)
    text: str = field(repr=False)
    received_at: int
    stored_at: int
    reason: str
    repeats: int


@dataclass(frozen=True, slots=True)
class WaitingSms:
    """An SMS that waits for its line to be mapped, as it is kept: under which id and identity, and when (ms) it reached us."""

    sms_id: SmsId
    source_id: SourceId
    identity: Identity
    sms: InboundSms
    arrived_at: int
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class UnreadablePayload:
    """A request of a source, without its secrets, that could not be read, and why it could not; `stored_at` in ms.

    `query` is percent-encoded.
    """

    payload_id: str
    source_id: SourceId
    body: bytes = field(repr=False)
    reason: str
    stored_at: int
    method: str = "POST"
    query: str = field(default="", repr=False)
    content_type: str = ""

    @property
    def spelled(self) -> bytes:
        """The request as staff read it: its body, below whatever else it says."""
        if self.method == "POST" and not self.query:
            return self.body
        return f"{self.method} ?{self.query}\n\n".encode() + self.body


def identity_of(sms: InboundSms, source_id: SourceId, stored_at: int) -> Identity:
    """Return what an SMS is stored under at `stored_at` (ms).

    An id names the SMS only together with what that says: gateways count anew, or take one id for the parts of one.
    Its number counts, however that is spelled, or its line, whichever number that is. Without an id only its words and times
    are there, whichever source they come from.
    """
    if sms.provider_id is not None:
        return _named(sms, source_id, sms.phone if sms.line is None else sms.destination)
    words, *_ = sms.words(source_id)
    return Identity(SourceId(""), f"words {words} {stored_at if sms.stated_at is None else sms.stated_at}")


def identity_before(sms: InboundSms, source_id: SourceId) -> Identity | None:
    """Return what an SMS was stored under if it came before its number was known to be ours; None where that is the same."""
    if sms.provider_id is None or sms.line is not None or sms.destination == sms.phone:
        return None
    return _named(sms, source_id, sms.destination)


def _named(sms: InboundSms, source_id: SourceId, destination: str) -> Identity:
    content = _digest(destination, sms.phone_from, sms.text)
    return Identity(source_id, f"sms {_digest(sms.provider_id or '', content)}")


def holder_of(number: Number | None, arrived_at: int, now: int) -> Lease | None:
    """Return the activation that holds a number at `now` and did when an SMS arrived (ms), None when there is none.

    A number may change hands while an SMS is being stored: what came to the former holder is not the next one's.
    """
    if number is None or not number.is_held(now):
        return None
    if number.activation_id is None or number.partner_id is None or number.held_from is None:
        return None
    if number.held_from > arrived_at:
        return None
    return Lease(number.phone, number.activation_id, number.partner_id, number.held_from, number.free_since)


def judge(
    sms: InboundSms, heard: Iterable[WordsRecord | None], holder: Lease | None, arrived_at: int
) -> tuple[Verdict, WordsRecord | None]:
    """Tell what an SMS without an id is that reached us at `arrived_at` (ms), when `holder` has its number, and beside
    which of the records of its words.

    A copy of what another activation got, or nobody, is never shown to the holder: a gateway may repeat after hours
    what it missed our answer to.
    """
    found: tuple[Verdict, WordsRecord | None] = Verdict.NEW, None
    for record in heard:
        if record is None:
            continue
        if holder is None or record.activation_id != holder.activation_id:
            return Verdict.DOUBTFUL, record
        same_time = sms.stated_at is not None and sms.stated_at == record.stated_at
        if same_time or abs(arrived_at - record.arrived_at) < REPEAT_WINDOW:
            found = Verdict.REPEAT, record
    return found


def is_before_sale(sms: InboundSms, lease: Lease, skew: int) -> bool:
    """Return whether the gateway received an SMS before the sale of its number's lease (contract 1.6).

    A gateway's clock may be up to `skew` (ms) slow, if the number was free at the time that it states.
    """
    if sms.stated_at is None or sms.stated_to is None or sms.stated_to >= lease.held_from:
        return False
    if lease.held_from - sms.stated_to > skew:
        return True
    return lease.free_since is None or sms.stated_at < lease.free_since


def _digest(*parts: str) -> str:
    # As JSON: no part can be mistaken for the end of one and the beginning of another.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class InboxKind(StrEnum):
    """What staff look for in the inbox; a routed SMS has no kind."""

    UNCLAIMED = "unclaimed"
    UNREADABLE = "unreadable"
    WAITING = "waiting"
    INCOMPLETE = "incomplete"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An SMS as it is stored: under which id and identity, whose source it came from, when it reached us and when it is
    stored (ms). `is_waiting`: it is kept already, and waits for its line to be mapped.
    """

    sms_id: SmsId
    source_id: SourceId
    identity: Identity
    sms: InboundSms
    arrived_at: int
    stored_at: int
    is_waiting: bool = False

    @property
    def received_at(self) -> int:
        """When it was received (ms), as far as is known."""
        return self.sms.received_at(self.arrived_at)
