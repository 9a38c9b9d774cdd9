"""Sources: the gateways that deliver SMS to us (contract 4 and 5)."""

from typing import Any

from admin_api.models import (
    Acknowledgement,
    NewSource,
    NewSourceSecret,
    NoFields,
    NoQuery,
    PageQuery,
    ProblemView,
    SourcePage,
    SourceSecretView,
    SourceView,
    SourceWithSecret,
)
from admin_api.routes import PAGE, Call, Route, id_in
from admin_api.wiring import Parts
from globalconnect.domain.ids import new_token
from globalconnect.domain.source import Problem, Source
from globalconnect.domain.times import to_iso, to_iso_if_any
from globalconnect.runtime import http

RESOURCE = "/admin/sources"

_ID_LENGTH = 10
_SECRET_LENGTH = 40
# A given one that is shorter gets a warning.
_SAFE_SECRET = 16


def add(parts: Parts, call: Call[NoQuery, NewSource]) -> SourceWithSecret:
    """Enter a gateway, with a secret of its own."""
    source = Source(
        source_id=new_token(_ID_LENGTH, parts.rng),
        name=call.body.name,
        provider=call.body.provider,
        secret=new_token(_SECRET_LENGTH, parts.rng),
        created_at=parts.now(),
    )
    parts.sources.add(source)
    call.log_change(changed_id=source.source_id)
    return SourceWithSecret(**_fields(source, call.request), secret=source.secret)


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> SourcePage:
    """List gateways."""
    page = parts.sources.page(PAGE, call.query.get("cursor"))
    shown = [SourceView(**_fields(source, call.request)) for source in page.items]
    return SourcePage(sources=shown, cursor=page.cursor)


def replace_secret(parts: Parts, call: Call[NoQuery, NewSourceSecret]) -> SourceSecretView:
    """Replace a gateway's secret; the former one stays good for a while."""
    source_id = id_in(call.path, "sourceId", "source")
    secret = call.body.secret or new_token(_SECRET_LENGTH, parts.rng)
    parts.sources.replace_secret(source_id, secret, parts.now())
    warning = f"secret: below {_SAFE_SECRET} characters it may be guessed" if len(secret) < _SAFE_SECRET else None
    return SourceSecretView(source_id=source_id, secret=secret, warning=warning)


def remove(parts: Parts, call: Call[NoQuery, NoFields]) -> Acknowledgement:
    """Remove a gateway: what it delivers from now on is refused."""
    source_id = id_in(call.path, "sourceId", "source")
    parts.sources.remove(source_id)
    return Acknowledgement()


def _fields(source: Source, request: http.Request) -> dict[str, Any]:
    return {
        "source_id": source.source_id,
        "name": source.name,
        "provider": source.provider,
        "url": f"{request.public_url(RESOURCE)}/inbound/{source.source_id}",
        "created_at": to_iso(source.created_at),
        "last_heard_at": to_iso_if_any(source.last_heard_at),
        "last_unreadable": _shown(source.last_unreadable),
        "last_untimed": _shown(source.last_untimed),
    }


def _shown(problem: Problem | None) -> ProblemView | None:
    return None if problem is None else ProblemView(at=to_iso(problem.at), reason=problem.reason)


ROUTES = (
    Route(
        method="POST",
        path=RESOURCE,
        action="source.added",
        use=add,
        body=NewSource,
        answer=SourceWithSecret,
        status=201,
        summary="Enter an inbound gateway. Its secret is shown in this answer only.",
    ),
    Route(
        method="GET",
        path=RESOURCE,
        use=browse,
        query=PageQuery,
        answer=SourcePage,
        summary="List inbound gateways, in no particular order.",
    ),
    Route(
        method="POST",
        path=f"{RESOURCE}/{{sourceId}}/secret",
        action="source.secret_replaced",
        use=replace_secret,
        body=NewSourceSecret,
        answer=SourceSecretView,
        status=201,
        errors=(404, 409),
        summary="Replace the secret of an inbound gateway by a given one, else by one that is made; it is shown in this "
        "answer only. The former one is good for another 24 hours. 409 when it was replaced by somebody else at the same "
        "moment.",
    ),
    Route(
        method="DELETE",
        path=f"{RESOURCE}/{{sourceId}}",
        action="source.removed",
        use=remove,
        answer=Acknowledgement,
        errors=(404,),
        summary="Remove an inbound gateway; its deliveries are refused within 60 s.",
    ),
)
