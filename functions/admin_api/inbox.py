"""The inbox: SMS that no activation held, and payloads that could not be read (contract 1.6, 4 and 5)."""

from functools import partial

from admin_api.cursors import PAGE, Listing, has
from admin_api.models import NoFields, PageQuery, UnclaimedShown, UnclaimedSms, UnreadablePayload, UnreadableShown
from admin_api.routes import Call, Route
from admin_api.wiring import Admin
from globalconnect.domain.times import to_iso
from globalconnect.store.dynamo import Item
from globalconnect.store.inbox import Kind


def unclaimed(admin: Admin, call: Call[PageQuery, NoFields]) -> UnclaimedShown:
    """List the SMS that no activation held, newest first."""
    items, cursor = _page(admin, Kind.UNCLAIMED, call.query)
    messages = [
        UnclaimedSms(
            sms_id=item["inbox_id"],
            source_id=item["source_id"],
            phone=item["phone"],
            phone_from=item["phone_from"],
            text=item["text"],
            received_at=to_iso(item["received_at"]),
            stored_at=to_iso(item["stored_at"]),
        )
        for item in items
    ]
    return UnclaimedShown(messages=messages, cursor=cursor)


def unreadable(admin: Admin, call: Call[PageQuery, NoFields]) -> UnreadableShown:
    """List the payloads that could not be read, newest first."""
    items, cursor = _page(admin, Kind.UNREADABLE, call.query)
    payloads = [
        UnreadablePayload(
            source_id=item["source_id"],
            payload=item["payload"].decode("utf-8", "backslashreplace"),
            reason=item["reason"],
            stored_at=to_iso(item["stored_at"]),
        )
        for item in items
    ]
    return UnreadableShown(payloads=payloads, cursor=cursor)


def _page(admin: Admin, kind: Kind, query: PageQuery) -> tuple[list[Item], str | None]:
    listing = Listing(kind.value, partial(has, inbox_id=str, kind=kind.value, stored_at=int))
    items, next_key = admin.inbox.page(kind, PAGE, listing.key(query.get("cursor")))
    return items, listing.cursor(next_key)


ROUTES = (
    Route(
        method="GET",
        path="/admin/unclaimed",
        use=unclaimed,
        query=PageQuery,
        answer=UnclaimedShown,
        summary="List SMS that no activation held when they arrived, newest first.",
    ),
    Route(
        method="GET",
        path="/admin/unreadable",
        use=unreadable,
        query=PageQuery,
        answer=UnreadableShown,
        summary="List payloads of gateways that could not be read, newest first.",
    ),
)
