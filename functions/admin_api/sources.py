"""Sources: the gateways that deliver SMS to us (contract 4 and 5)."""

from typing import Any, Self

from pydantic import Field

from admin_api.providers import secret_for, settings_for
from admin_api.route import PAGE, Call, Route, id_in
from admin_api.schema import (
    Acknowledgement,
    Body,
    Name,
    NoFields,
    NoQuery,
    PageQuery,
    Provider,
    SourceSecret,
    SourceSettings,
    Time,
    View,
)
from admin_api.wiring import Parts
from globalconnect.domain.errors import NotFound
from globalconnect.domain.ids import new_token
from globalconnect.domain.provider import PROVIDERS
from globalconnect.domain.source import Problem, Source
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso, to_iso_if_any

RESOURCE = "/admin/sources"

_ID_LENGTH = 10
# A given one that is shorter gets a warning.
_SAFE_SECRET = 16


class NewSource(Body):
    """An inbound gateway; where its provider makes no secret, it may be made here."""

    name: Name
    provider: Provider
    secret: SourceSecret = None
    settings: SourceSettings = Field(default_factory=dict)


class NewSourceSecret(Body):
    """The secret that a gateway signs with from now on; without one we make it."""

    secret: SourceSecret = None


class ProblemView(View):
    """When a gateway last sent what could not be used, and why it could not."""

    at: Time
    reason: str

    @classmethod
    def of(cls, problem: Problem) -> Self:
        return cls(at=to_iso(problem.at), reason=problem.reason)


class SourceView(View):
    """An inbound gateway, without its secret; what was last heard from it is at most a minute behind."""

    source_id: str
    name: str
    provider: str
    url: str
    created_at: Time
    last_heard_at: Time | None
    last_unreadable: ProblemView | None
    last_untimed: ProblemView | None

    @classmethod
    def of(cls, source: Source, base: str, **more: Any) -> Self:
        """Return a source as staff see it; `base` is this API's URL, `more` are the fields of a subclass."""
        return cls(
            source_id=source.source_id,
            name=source.name,
            provider=source.provider,
            url=f"{base}/inbound/{source.source_id}",
            created_at=to_iso(source.created_at),
            last_heard_at=to_iso_if_any(source.last_heard_at),
            last_unreadable=source.last_unreadable and ProblemView.of(source.last_unreadable),
            last_untimed=source.last_untimed and ProblemView.of(source.last_untimed),
            **more,
        )


class SourceWithSecret(SourceView):
    """An inbound gateway with its secret, which is never shown again."""

    secret: str = Field(repr=False)


class SourceSecretView(View):
    """A source's new secret, which is never shown again, and what is to be said against it."""

    source_id: str
    secret: str = Field(repr=False)
    warning: str | None


class SourcePage(View):
    """A page of inbound gateways."""

    sources: list[SourceView]
    cursor: str | None


def add(parts: Parts, call: Call[NoQuery, NewSource]) -> SourceWithSecret:
    """Enter a gateway, with a secret of its own."""
    spec = PROVIDERS[call.body.provider]
    source = Source(
        source_id=new_token(_ID_LENGTH, parts.rng),
        name=call.body.name,
        provider=call.body.provider,
        secret=secret_for(spec, call.body.secret, parts.rng),
        created_at=parts.now(),
        settings=settings_for(spec, call.body.settings),
    )
    parts.sources.add(source)
    call.log_change(changed_id=source.source_id)
    return SourceWithSecret.of(source, call.request.public_url(RESOURCE), secret=source.secret)


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> SourcePage:
    page = parts.sources.page(PAGE, call.query.get("cursor"))
    base = call.request.public_url(RESOURCE)
    return SourcePage(sources=[SourceView.of(source, base) for source in page.items], cursor=page.cursor)


def replace_secret(parts: Parts, call: Call[NoQuery, NewSourceSecret]) -> SourceSecretView:
    """Replace a gateway's secret; the former one stays good for a while."""
    source_id = id_in(call.path, "sourceId", "source")
    source = parts.sources.find(source_id)
    if source is None:
        raise NotFound("source")
    secret = secret_for(PROVIDERS[source.provider], call.body.secret, parts.rng)
    parts.sources.replace_secret(source_id, secret, parts.now())
    warning = f"secret: below {_SAFE_SECRET} characters it may be guessed" if len(secret) < _SAFE_SECRET else None
    return SourceSecretView(source_id=source_id, secret=secret, warning=warning)


def remove(parts: Parts, call: Call[NoQuery, NoFields]) -> Acknowledgement:
    """Remove a gateway: what it delivers from now on is refused."""
    source_id = id_in(call.path, "sourceId", "source")
    parts.sources.remove(source_id)
    return Acknowledgement()


ROUTES = (
    Route(
        method="POST",
        path=RESOURCE,
        role=Role.ADMINISTRATOR,
        action="source.added",
        use=add,
        body=NewSource,
        answer=SourceWithSecret,
        status=201,
        summary="Enter an inbound gateway, with the secret and the settings that its provider needs (GET /admin/providers). "
        "Its secret is shown in this answer only.",
    ),
    Route(
        method="GET",
        path=RESOURCE,
        role=Role.ADMINISTRATOR,
        use=browse,
        query=PageQuery,
        answer=SourcePage,
        summary="List inbound gateways, in no particular order.",
    ),
    Route(
        method="POST",
        path=f"{RESOURCE}/{{sourceId}}/secret",
        role=Role.ADMINISTRATOR,
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
        role=Role.ADMINISTRATOR,
        action="source.removed",
        use=remove,
        answer=Acknowledgement,
        errors=(404,),
        summary="Remove an inbound gateway; its deliveries are refused within 60 s.",
    ),
)
