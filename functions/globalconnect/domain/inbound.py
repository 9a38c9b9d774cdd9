"""Inbound SMS: which of them are the same, and whose they are (contract 1.6 and 4, docs/adr/0009)."""

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum

from globalconnect.domain.ids import ActivationId, PartnerId, SmsId, SourceId
from globalconnect.domain.number import Number
from globalconnect.domain.times import MINUTE

# A gateway that gives no id repeats itself within this long when it missed our answer; the same words later are a new SMS.
REPEAT_WINDOW = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An SMS as a gateway delivered it and its provider read it.

    `provider_id` is what its source calls it, None when that gives no id. `stated_at` (ms) is when the gateway says that
    it received it, None when it doesn't; `stated_to` is the end of the moment meant by that, since many state whole
    seconds. `former_names` are the names under which an earlier version would have stored it.
    """

    phone: str
    phone_from: str = field(repr=False)
    text: str = field(repr=False)
    provider_id: str | None = field(default=None, repr=False)
    stated_at: int | None = None
    stated_to: int | None = None
    former_names: tuple[str, ...] = field(default=(), repr=False)

    @property
    def words(self) -> str:
        """A digest of what it says, to whom and from whom."""
        return _digest(self.phone, self.phone_from, self.text)

    def received_at(self, arrived_at: int) -> int:
        """Return when it was received (ms), as far as is known of one that reached us at `arrived_at`; never later."""
        return arrived_at if self.stated_at is None else min(self.stated_at, arrived_at)


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an SMS from every other: which source names it, and by what; "" for one that no id names."""

    source_id: SourceId
    name: str


@dataclass(frozen=True, slots=True)
class WordsRecord:
    """What was heard of some words: the activation that got them first (None: nobody), and the SMS that noted it last:
    its id, when it was stored and when it was stated to be received (ms).
    """

    sms_id: SmsId
    activation_id: ActivationId | None
    stored_at: int
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
    BEFORE_SALE = "received before the activation began"
    DOUBTFUL = "may be a repeat of an earlier SMS"


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
class UnreadablePayload:
    """What a source sent that could not be read, and why it could not; `stored_at` in ms."""

    source_id: SourceId
    payload: bytes = field(repr=False)
    reason: str
    stored_at: int


def identity_of(sms: InboundSms, source_id: SourceId, stored_at: int) -> Identity:
    """Return what an SMS is stored under at `stored_at` (ms).

    An id names the SMS only together with what that says: gateways count anew, or take one id for the parts of one.
    Without an id only its words and times are there, whichever source they come from.
    """
    if sms.provider_id is not None:
        return Identity(source_id, f"sms {_digest(sms.provider_id, sms.words)}")
    return Identity(SourceId(""), f"words {sms.words} {stored_at if sms.stated_at is None else sms.stated_at}")


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


def judge(sms: InboundSms, heard: WordsRecord | None, holder: Lease | None, now: int) -> Verdict:
    """Tell what an SMS without an id is, whose words were heard before or not, when `holder` has its number.

    A copy of what another activation got, or nobody, is never shown to the holder: a gateway may repeat after hours
    what it missed our answer to.
    """
    if heard is None:
        return Verdict.NEW
    if holder is None or heard.activation_id != holder.activation_id:
        return Verdict.DOUBTFUL
    same_time = sms.stated_at is not None and sms.stated_at == heard.stated_at
    return Verdict.REPEAT if same_time or now < heard.stored_at + REPEAT_WINDOW else Verdict.NEW


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


@dataclass(frozen=True, slots=True)
class Receipt:
    """An SMS as it is stored: under which id and identity, whose source it came from, when (ms)."""

    sms_id: SmsId
    source_id: SourceId
    identity: Identity
    sms: InboundSms
    stored_at: int
