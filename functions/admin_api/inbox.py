"""The inbox: SMS that no activation held, and payloads that could not be read (contract 1.6, 4 and 5)."""

from collections.abc import Sized

from admin_api.models import (
    InboxQuery,
    NoFields,
    UnclaimedSmsPage,
    UnclaimedSmsView,
    UnreadablePayloadPage,
    UnreadablePayloadView,
)
from admin_api.routes import PAGE, Call, Route
from admin_api.wiring import Parts
from globalconnect.domain.times import to_iso


def unclaimed(parts: Parts, call: Call[InboxQuery, NoFields]) -> UnclaimedSmsPage:
    """List the SMS that no activation held, newest first."""
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


def unreadable(parts: Parts, call: Call[InboxQuery, NoFields]) -> UnreadablePayloadPage:
    """List the payloads that could not be read, newest first."""
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


ROUTES = (
    Route(
        method="GET",
        path="/admin/unclaimed",
        use=unclaimed,
        query=InboxQuery,
        answer=UnclaimedSmsPage,
        summary="List SMS that no activation held when they arrived, newest first. That their texts were looked at is "
        "entered in the audit log, unless they are hidden.",
    ),
    Route(
        method="GET",
        path="/admin/unreadable",
        use=unreadable,
        query=InboxQuery,
        answer=UnreadablePayloadPage,
        summary="List payloads of gateways that could not be read, newest first. That they were looked at is entered in "
        "the audit log, unless they are hidden.",
    ),
)
