"""The inbox: SMS that no activation got, that wait, or that try a number out, and what could not be read (contract 4, 5)."""

import re
from collections.abc import Sized
from typing import TypedDict

from pydantic import Field, with_config

from admin_api.route import PAGE, Call, route
from admin_api.schema import STRICT, Acknowledgement, Cursor, NoFields, NoQuery, SmsId, Texts, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import NotFound, existing
from globalconnect.domain.long_sms import OVERDUE_AFTER
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso, to_iso_if_any
from globalconnect.inbound.join import text_with_gaps
from globalconnect.inbound.take import replay

_PAYLOAD_ID = re.compile(r"[a-z0-9]{1,30}-[0-9a-f]{64}", re.ASCII)


@with_config(STRICT)
class InboxQuery(TypedDict, total=False):
    """Which page of the inbox, and whether what was sent is shown."""

    texts: Texts
    cursor: Cursor


class UnclaimedSmsView(View):
    """An SMS that no activation got, and why; `repeats` is how often the same came again. `text` is null when it was asked
    to be hidden.
    """

    sms_id: SmsId
    source_id: str
    phone: str
    phone_from: str = Field(repr=False)
    text: str | None = Field(repr=False)
    received_at: Time
    stored_at: Time
    reason: str
    repeats: int


class UnclaimedSmsPage(View):
    """A page of unclaimed SMS, newest first."""

    messages: list[UnclaimedSmsView]
    cursor: str | None


class UnreadablePayloadView(View):
    """What a gateway sent that could not be read, and why; `payload` is null when it was asked to be hidden."""

    payload_id: str
    source_id: str
    payload: str | None = Field(repr=False)
    reason: str
    stored_at: Time


class UnreadablePayloadPage(View):
    """A page of unreadable payloads, newest first."""

    payloads: list[UnreadablePayloadView]
    cursor: str | None


@route(
    "GET",
    "/admin/unclaimed",
    Role.VIEW,
    "List SMS that no activation held when they arrived, newest first. That their texts were looked at is "
    "entered in the audit log, unless they are hidden.",
)
def unclaimed(parts: Parts, call: Call[InboxQuery, NoFields]) -> UnclaimedSmsPage:
    page = parts.inbox.unclaimed(PAGE, call.query.get("cursor"), parts.now())
    hidden = _hidden(parts, call, "unclaimed.texts_read", page.items)
    messages = [
        UnclaimedSmsView(
            sms_id=sms.sms_id,
            source_id=sms.source_id,
            phone=sms.phone,
            phone_from=sms.phone_from,
            text=None if hidden else sms.text,
            received_at=to_iso(sms.received_at),
            stored_at=to_iso(sms.stored_at),
            reason=sms.reason,
            repeats=sms.repeats,
        )
        for sms in page.items
    ]
    return UnclaimedSmsPage(messages=messages, cursor=page.cursor)


@route(
    "GET",
    "/admin/unreadable",
    Role.VIEW,
    "List payloads of gateways that could not be read, newest first. That they were looked at is entered in "
    "the audit log, unless they are hidden.",
)
def unreadable(parts: Parts, call: Call[InboxQuery, NoFields]) -> UnreadablePayloadPage:
    page = parts.inbox.unreadable(PAGE, call.query.get("cursor"), parts.now())
    hidden = _hidden(parts, call, "unreadable.payloads_read", page.items)
    payloads = [
        UnreadablePayloadView(
            payload_id=_shown_id(kept.payload_id),
            source_id=kept.source_id,
            payload=None if hidden else kept.spelled.decode("utf-8", "backslashreplace"),
            reason=kept.reason,
            stored_at=to_iso(kept.stored_at),
        )
        for kept in page.items
    ]
    return UnreadablePayloadPage(payloads=payloads, cursor=page.cursor)


class WaitingSmsView(View):
    """An SMS that waits until staff say which number its `line` is. `destination` is where the gateway says that it went,
    "" when it doesn't say; `text` is null when it was asked to be hidden.
    """

    sms_id: SmsId
    source_id: str
    line: str
    destination: str
    phone_from: str = Field(repr=False)
    text: str | None = Field(repr=False)
    received_at: Time
    arrived_at: Time
    repeats: int


class WaitingSmsPage(View):
    """A page of waiting SMS, newest first."""

    messages: list[WaitingSmsView]
    cursor: str | None


class IncompleteSmsView(View):
    """A long SMS of which parts are missing: `parts` are those that have come, `total` is how many there should be.

    `text` is what they say, with […] for what is missing; null when it was asked to be hidden.
    """

    source_id: str
    line: str | None
    phone: str
    phone_from: str = Field(repr=False)
    text: str | None = Field(repr=False)
    parts: list[int]
    total: int
    arrived_at: Time


class IncompleteSmsPage(View):
    """A page of long SMS that lack parts, newest first."""

    messages: list[IncompleteSmsView]
    cursor: str | None


class TestSmsView(View):
    """An SMS by which staff tried a number out, as it was read.

    `delayMs` is from when the gateway says to have received it until it reached us, null when that doesn't say;
    `identity` is what its gateway calls it, null when that gives no id. `text` is null when it was asked to be hidden.
    """

    sms_id: SmsId
    source_id: str
    line: str | None
    phone: str
    phone_from: str = Field(repr=False)
    text: str | None = Field(repr=False)
    stated_at: Time | None
    arrived_at: Time
    delay_ms: int | None
    identity: str | None = Field(repr=False)
    repeats: int


class TestSmsPage(View):
    """A page of SMS that tried numbers out, newest first."""

    messages: list[TestSmsView]
    cursor: str | None


@route(
    "GET",
    "/admin/waiting",
    Role.VIEW,
    "List SMS that came in on lines that nobody has mapped, newest first. That their texts were looked at is entered in the "
    "audit log, unless they are hidden.",
)
def waiting(parts: Parts, call: Call[InboxQuery, NoFields]) -> WaitingSmsPage:
    page = parts.inbox.waiting(PAGE, call.query.get("cursor"), parts.now())
    hidden = _hidden(parts, call, "waiting.texts_read", page.items)
    messages = [
        WaitingSmsView(
            sms_id=str(one.sms_id),
            source_id=one.source_id,
            line=one.sms.line or "",
            destination=next(iter(one.sms.readings), ""),
            phone_from=one.sms.phone_from,
            text=None if hidden else one.sms.text,
            received_at=to_iso(one.sms.received_at(one.arrived_at)),
            arrived_at=to_iso(one.arrived_at),
            repeats=one.repeats,
        )
        for one in page.items
    ]
    return WaitingSmsPage(messages=messages, cursor=page.cursor)


@route(
    "GET",
    "/admin/incomplete",
    Role.VIEW,
    "List long SMS that have lacked parts for more than 10 minutes, newest first; a part that still comes completes them within "
    "a day. That their texts were looked at is entered in the audit log, unless they are hidden.",
)
def incomplete(parts: Parts, call: Call[InboxQuery, NoFields]) -> IncompleteSmsPage:
    now = parts.now()
    page = parts.inbound.long_sms.incomplete(PAGE, call.query.get("cursor"), now)
    overdue = [long for long in page.items if long.began_at + OVERDUE_AFTER <= now]
    hidden = _hidden(parts, call, "incomplete.texts_read", overdue)
    messages = [
        IncompleteSmsView(
            source_id=long.source_id,
            line=long.sms.line,
            phone=long.sms.phone,
            phone_from=long.sms.phone_from,
            text=None if hidden else text_with_gaps(long),
            parts=sorted(long.parts),
            total=long.total,
            arrived_at=to_iso(long.began_at),
        )
        for long in overdue
    ]
    return IncompleteSmsPage(messages=messages, cursor=page.cursor)


@route(
    "GET",
    "/admin/tests",
    Role.VIEW,
    "List SMS by which staff tried numbers out, newest first. That their texts were looked at is entered in the audit log, "
    "unless they are hidden.",
)
def tests(parts: Parts, call: Call[InboxQuery, NoFields]) -> TestSmsPage:
    page = parts.inbox.tests(PAGE, call.query.get("cursor"), parts.now())
    hidden = _hidden(parts, call, "tests.texts_read", page.items)
    messages = [
        TestSmsView(
            sms_id=str(one.sms_id),
            source_id=one.source_id,
            line=one.sms.line,
            phone=one.sms.phone,
            phone_from=one.sms.phone_from,
            text=None if hidden else one.sms.text,
            stated_at=to_iso_if_any(one.sms.stated_at),
            arrived_at=to_iso(one.arrived_at),
            delay_ms=None if one.sms.stated_at is None else one.arrived_at - one.sms.stated_at,
            identity=None if hidden else one.sms.provider_id,
            repeats=one.repeats,
        )
        for one in page.items
    ]
    return TestSmsPage(messages=messages, cursor=page.cursor)


@route(
    "POST",
    "/admin/unreadable/{payloadId}/replay",
    Role.STOCK,
    "Read a payload again that could not be read when it came, after its adapter was mended. What is in it belongs to whoever "
    "held the number when it came. 400 says why it still can't be read.",
    action="payload.replayed",
    errors=(404, 413),
)
def replay_payload(parts: Parts, call: Call[NoQuery, NoFields]) -> Acknowledgement:
    payload_id = _kept_id(call.path["payloadId"])
    payload = parts.inbox.payload(payload_id, parts.now())
    if payload is None and parts.inbox.was_read(payload_id):
        # Asked again, since the answer got lost.
        return Acknowledgement()
    payload = existing(payload, "payload")
    source = existing(parts.sources.find(payload.source_id), "source")
    replay(payload, source, parts.inbound)
    return Acknowledgement()


def _shown_id(payload_id: str) -> str:
    """Return the id of a payload as staff see it: its source, and a digest."""
    _, source_id, digest = payload_id.split("#")
    return f"{source_id}-{digest}"


def _kept_id(shown: str) -> str:
    """Return the id under which a payload is kept. Raises NotFound for what can't be one."""
    if not _PAYLOAD_ID.fullmatch(shown):
        raise NotFound("payload")
    return f"unreadable#{shown.replace('-', '#')}"


def _hidden(parts: Parts, call: Call[InboxQuery, NoFields], action: str, found: Sized) -> bool:
    """Return whether what was sent stays hidden; a look at it is entered in the audit log first. Raises Busy."""
    if call.query.get("texts") == "hidden":
        return True
    if len(found):
        call.log_look(parts, action, messages=len(found))
    return False
