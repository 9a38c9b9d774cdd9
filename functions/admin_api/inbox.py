"""The inbox: SMS that no activation held, and payloads that could not be read (contract 1.6, 4 and 5)."""

from collections.abc import Sequence
from functools import partial

from admin_api.cursors import PAGE, Listing, has
from admin_api.models import (
    InboxQuery,
    NoFields,
    UnclaimedSms,
    UnclaimedSmsPage,
    UnreadablePayload,
    UnreadablePayloadPage,
)
from admin_api.routes import Call, Route
from admin_api.wiring import Parts
from globalconnect.domain.inbound import InboxKind, Unclaimed
from globalconnect.domain.times import to_iso
from globalconnect.store.activations import is_kept
from globalconnect.store.dynamo import Item
from globalconnect.store.inbox import COPY


def unclaimed(parts: Parts, call: Call[InboxQuery, NoFields]) -> UnclaimedSmsPage:
    """List the SMS that no activation held, newest first."""
    items, cursor = _page(parts, InboxKind.UNCLAIMED, call.query)
    hidden = _hidden(parts, call, "unclaimed.texts_read", items)
    messages = [
        UnclaimedSms(
            sms_id=item["inbox_id"].removeprefix(COPY),
            source_id=item["source_id"],
            phone=item["phone"],
            phone_from=item["phone_from"],
            text=None if hidden else item["text"],
            received_at=to_iso(item["received_at"]),
            stored_at=to_iso(item["stored_at"]),
            # An earlier version did not keep why.
            reason=item.get("reason", Unclaimed.NOT_HELD.value),
            repeats=item.get("repeats", 0),
        )
        for item in items
    ]
    return UnclaimedSmsPage(messages=messages, cursor=cursor)


def unreadable(parts: Parts, call: Call[InboxQuery, NoFields]) -> UnreadablePayloadPage:
    """List the payloads that could not be read, newest first."""
    items, cursor = _page(parts, InboxKind.UNREADABLE, call.query)
    hidden = _hidden(parts, call, "unreadable.payloads_read", items)
    payloads = [
        UnreadablePayload(
            source_id=item["source_id"],
            payload=None if hidden else item["payload"].decode("utf-8", "backslashreplace"),
            reason=item["reason"],
            stored_at=to_iso(item["stored_at"]),
        )
        for item in items
    ]
    return UnreadablePayloadPage(payloads=payloads, cursor=cursor)


def _hidden(parts: Parts, call: Call[InboxQuery, NoFields], action: str, items: Sequence[Item]) -> bool:
    """Return whether what was sent stays hidden; a look at it is entered in the audit log first. Raises Busy."""
    if call.query.get("texts") == "hidden":
        return True
    if items:
        call.log_look(parts, action, messages=len(items))
    return False


def _page(parts: Parts, kind: InboxKind, query: InboxQuery) -> tuple[list[Item], str | None]:
    listing = Listing(kind.value, partial(has, inbox_id=str, kind=kind.value, stored_at=int))
    items, next_key = parts.inbox.page(kind, PAGE, listing.key(query.get("cursor")))
    now = parts.now()
    return [item for item in items if is_kept(item, now)], listing.cursor(next_key)


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
