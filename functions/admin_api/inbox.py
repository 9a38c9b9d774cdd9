"""The inbox: SMS that no activation held, and payloads that could not be read (contract 1.6, 4 and 5)."""

from collections.abc import Sized
from typing import TypedDict

from pydantic import Field, with_config

from admin_api.route import PAGE, Call, route
from admin_api.schema import STRICT, Cursor, NoFields, SmsId, Texts, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso


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
    """What a gateway sent that its adapter could not read, and why; `payload` is null when it was asked to be hidden."""

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
            source_id=kept.source_id,
            payload=None if hidden else kept.payload.decode("utf-8", "backslashreplace"),
            reason=kept.reason,
            stored_at=to_iso(kept.stored_at),
        )
        for kept in page.items
    ]
    return UnreadablePayloadPage(payloads=payloads, cursor=page.cursor)


def _hidden(parts: Parts, call: Call[InboxQuery, NoFields], action: str, found: Sized) -> bool:
    """Return whether what was sent stays hidden; a look at it is entered in the audit log first. Raises Busy."""
    if call.query.get("texts") == "hidden":
        return True
    if len(found):
        call.log_look(parts, action, messages=len(found))
    return False
