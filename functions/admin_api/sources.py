"""Sources: the gateways that deliver SMS to us, and the types that they can be of (contract 4 and 5)."""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

from pydantic import Field
from pydantic.alias_generators import to_camel

from admin_api.devices import source_in
from admin_api.lines import MOST_WAITING, mapped, set_lines
from admin_api.route import PAGE, Call, route
from admin_api.schema import (
    Acknowledgement,
    Body,
    Name,
    NoFields,
    NoQuery,
    PageQuery,
    Provider,
    Settings,
    SourceSecret,
    Time,
    View,
)
from admin_api.wiring import Parts
from globalconnect.domain.errors import Busy, Conflict, InvalidInput, Unavailable
from globalconnect.domain.ids import Rng, SourceId, new_token
from globalconnect.domain.provider import (
    PROVIDERS,
    SILENT_IS_OFFLINE,
    Certainty,
    ProviderSpec,
    SecretOrigin,
    SettingType,
)
from globalconnect.domain.source import Problem, Source, SourceSettings
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso, to_iso_if_any
from globalconnect.inbound.waiting import place_waiting
from globalconnect.store.dynamo import ConditionFailed

RESOURCE = "/admin/sources"

_ID_LENGTH = 10
_DIGEST_LENGTH = 20
# A given one that is shorter gets a warning.
_SAFE_SECRET = 16
_SECRET_LENGTH = 40
_LINES = "lines"
# What is the same however a URL spells it, and no template of a gateway means otherwise (RFC 3986, unreserved).
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")


class SettingView(View):
    """A setting that sources of a type have: a text, one of `choices` if there are any, or a flag, true or false."""

    name: str
    type: SettingType
    required: bool
    description: str
    choices: list[str]


class ProviderView(View):
    """A type of gateway: by which methods it delivers, how a delivery proves that it is genuine, who makes the secret.

    `certainty` is how sure what we know of it is: read in its source code, in its documents, or reported by others.
    `steps` tell where to enter the URL, `limits` what doesn't work; `line` what it calls a SIM or device, "" where it
    never does.
    """

    name: str
    title: str
    methods: list[str]
    authentication: str
    secret: SecretOrigin
    settings: list[SettingView]
    certainty: Certainty
    steps: list[str]
    limits: list[str]
    line: str

    @classmethod
    def of(cls, name: str, spec: ProviderSpec) -> Self:
        settings = [
            SettingView(
                name=to_camel(setting.name),
                type=setting.type,
                required=setting.is_required,
                description=setting.description,
                choices=[*setting.choices],
            )
            for setting in spec.settings
        ]
        return cls(
            name=name,
            title=spec.title,
            methods=[*spec.methods],
            authentication=spec.authentication,
            secret=spec.secret,
            settings=settings,
            certainty=spec.certainty,
            steps=[*spec.steps],
            limits=[*spec.limits],
            line=spec.line,
        )


class ProviderCatalogue(View):
    """The types of gateway that there are."""

    providers: list[ProviderView]


@route(
    "GET",
    "/admin/providers",
    Role.VIEW,
    "List the types of gateway that a source can be of, and what each needs of it.",
)
def browse_providers(_parts: Parts, _call: Call[NoQuery, NoFields]) -> ProviderCatalogue:
    return ProviderCatalogue(providers=[ProviderView.of(name, spec) for name, spec in PROVIDERS.items()])


def secret_for(spec: ProviderSpec, given: str | None, rng: Rng) -> str:
    """Return the secret of a source: the one given, else a new one.

    Raises InvalidInput when only its provider makes it, or what is given can't be in its URL.
    """
    if given is None and spec.secret is SecretOrigin.GIVEN:
        raise InvalidInput("secret", f"expected the one that {spec.title} has made")
    if given is not None and spec.has_secret_in_address and not _UNRESERVED.fullmatch(given):
        raise InvalidInput("secret", "expected letters (A to Z), digits and - . _ ~ only, since it is in the URL")
    return given or new_token(_SECRET_LENGTH, rng)


def settings_for(spec: ProviderSpec, given: SourceSettings) -> SourceSettings:
    """Return a source's settings by the names of their specs. Raises InvalidInput when they are not what its type needs."""
    specs = {to_camel(setting.name): setting for setting in spec.settings}
    if given.keys() - specs.keys():
        raise InvalidInput("settings", f"expected {f'no other than {", ".join(specs)}' if specs else 'none'}")
    for name, setting in specs.items():
        is_right = setting.takes(given[name]) if name in given else not setting.is_required
        if not is_right:
            raise InvalidInput(f"settings.{name}", f"expected {setting.description}")
    return {specs[name].name: value for name, value in given.items()}


def split_settings(given: Mapping[str, str | bool | dict[str, str]]) -> tuple[SourceSettings, dict[str, str] | None]:
    """Return what is set of a source, and which numbers its lines are; None when that isn't said. Raises InvalidInput."""
    settings = {name: value for name, value in given.items() if not isinstance(value, dict)}
    lines = given.get(_LINES)
    if len(given) - len(settings) != isinstance(lines, dict):
        raise InvalidInput("settings", "expected texts, true or false")
    return settings, mapped([*lines.items()]) if isinstance(lines, dict) else None


def address_of(spec: ProviderSpec, url: str, secret: str | None = None) -> str:
    """Return what is to be entered at a gateway: the URL, with the secret where its protocol has no other place for it.

    Without one, `{secret}` stands there.
    """
    if secret is None:
        return spec.address.replace("{url}", url)
    return spec.address.replace("{url}", url).replace("{secret}", secret)


class NewSource(Body):
    """An inbound gateway; where its provider makes no secret, it may be made here."""

    name: Name
    provider: Provider
    secret: SourceSecret = None
    settings: Settings = Field(default_factory=dict)


class SourceChange(Body):
    """What is to be different; `settings` replace all of them, `lines` in them only if they are there."""

    name: Name = ""
    settings: Settings = Field(default_factory=dict)


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
    """An inbound gateway, without its secret; what was last heard from it is at most a minute behind. `address` is what to
    enter there: the URL, with `{secret}` where its protocol has no other place for that.
    """

    source_id: str
    name: str
    provider: str
    url: str
    address: str = Field(repr=False)
    created_at: Time
    last_heard_at: Time | None
    last_unreadable: ProblemView | None
    last_untimed: ProblemView | None
    last_sms_at: Time | None
    quiet_since: Time | None
    settings: dict[str, str | bool]

    @classmethod
    def of(cls, source: Source, base: str, **more: Any) -> Self:
        """Return a source as staff see it; `base` is this API's URL, `more` are the fields of a subclass."""
        return cls(
            source_id=source.source_id,
            name=source.name,
            provider=source.provider,
            url=_url_of(source.source_id, base),
            address=more.pop("address", address_of(PROVIDERS[source.provider], _url_of(source.source_id, base))),
            created_at=to_iso(source.created_at),
            last_heard_at=to_iso_if_any(source.last_heard_at),
            last_unreadable=source.last_unreadable and ProblemView.of(source.last_unreadable),
            last_untimed=source.last_untimed and ProblemView.of(source.last_untimed),
            last_sms_at=to_iso_if_any(source.last_sms_at),
            quiet_since=to_iso_if_any(source.quiet_since),
            settings={to_camel(name): value for name, value in source.settings.items()},
            **more,
        )


class SourceWithSecret(SourceView):
    """An inbound gateway with its secret, also in its address; it is never shown again, and what is to be said against it."""

    secret: str = Field(repr=False)
    warning: str | None


class SourceSecretView(View):
    """A source's new secret, which is never shown again, with the address to enter, and what is to be said against it."""

    source_id: str
    address: str = Field(repr=False)
    secret: str = Field(repr=False)
    warning: str | None


class SourcePage(View):
    """A page of inbound gateways."""

    sources: list[SourceView]
    cursor: str | None


@route(
    "POST",
    RESOURCE,
    Role.STOCK,
    "Enter an inbound gateway, with the secret and the settings that its provider needs (GET /admin/providers). "
    "Its secret is shown in this answer only. With lines, the same request again ends what broke off.",
    action="source.added",
    status=201,
    errors=(409,),
)
def add(parts: Parts, call: Call[NoQuery, NewSource]) -> SourceWithSecret:
    spec = PROVIDERS[call.body.provider]
    settings, lines = split_settings(call.body.settings)
    secret = secret_for(spec, call.body.secret, parts.rng)
    source = Source(
        source_id=_id_of(call.body) if lines else SourceId(new_token(_ID_LENGTH, parts.rng)),
        name=call.body.name,
        provider=call.body.provider,
        secret=secret,
        created_at=parts.now(),
        settings=settings_for(spec, settings),
    )
    if lines is not None:
        parts.inbound.lines.refuse_taken(source.source_id, lines)
    # First: who sees it can map its lines, or remove it and free them.
    source = _entered(parts, source, secret)
    if lines is not None:
        set_lines(parts, source.source_id, lines)
    call.log_change(changed_id=source.source_id)
    base = call.request.public_url(RESOURCE)
    address = address_of(spec, _url_of(source.source_id, base), secret)
    return SourceWithSecret.of(source, base, address=address, secret=secret, warning=_warning_of(secret))


@route(
    "GET",
    RESOURCE,
    Role.VIEW,
    "List inbound gateways, in no particular order.",
)
def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> SourcePage:
    page = parts.sources.page(PAGE, call.query.get("cursor"))
    base = call.request.public_url(RESOURCE)
    return SourcePage(sources=[_view(parts, source, base) for source in page.items], cursor=page.cursor)


@route(
    "GET",
    f"{RESOURCE}/{{sourceId}}",
    Role.VIEW,
    "Show one inbound gateway.",
    errors=(404,),
)
def show(parts: Parts, call: Call[NoQuery, NoFields]) -> SourceView:
    source = source_in(parts, call.path)
    return _view(parts, source, call.request.public_url(f"{RESOURCE}/{source.source_id}"))


@route(
    "PATCH",
    f"{RESOURCE}/{{sourceId}}",
    Role.STOCK,
    "Change an inbound gateway's name, its settings, or which numbers its lines are, as far as they are given.",
    action="source.changed",
    errors=(404, 409),
)
def change(parts: Parts, call: Call[NoQuery, SourceChange]) -> SourceView:
    source = source_in(parts, call.path)
    given = call.body.model_fields_set
    settings, lines = split_settings(call.body.settings)
    # Of settings that are nothing but lines, the others stay.
    is_set = "settings" in given and (lines is None or bool(settings))
    wanted = settings_for(PROVIDERS[source.provider], settings) if is_set else source.settings
    if lines is not None:
        set_lines(parts, source.source_id, lines)
    changed = parts.sources.change(source.source_id, call.body.name if "name" in given else source.name, wanted)
    call.log_change(fields=sorted(given))
    return _view(parts, changed, call.request.public_url(f"{RESOURCE}/{source.source_id}"))


@route(
    "POST",
    f"{RESOURCE}/{{sourceId}}/secret",
    Role.STOCK,
    "Replace the secret of an inbound gateway by a given one, else by one that is made; it is shown in this "
    "answer only. The former one is good for another 24 hours. 409 when it was replaced by somebody else at the same "
    "moment.",
    action="source.secret_replaced",
    status=201,
    errors=(404, 409),
)
def replace_secret(parts: Parts, call: Call[NoQuery, NewSourceSecret]) -> SourceSecretView:
    source = source_in(parts, call.path)
    secret = secret_for(PROVIDERS[source.provider], call.body.secret, parts.rng)
    parts.sources.replace_secret(source.source_id, secret, parts.now())
    base = call.request.public_url(f"{RESOURCE}/{source.source_id}/secret")
    address = address_of(PROVIDERS[source.provider], _url_of(source.source_id, base), secret)
    return SourceSecretView(source_id=source.source_id, address=address, secret=secret, warning=_warning_of(secret))


def _entered(parts: Parts, source: Source, secret: str) -> Source:
    """Store a source, or give the one that the same request entered before; nobody was shown the secret of that.

    Raises Conflict when it has been heard: then its gateway has that secret.
    """
    try:
        parts.sources.add(source)
    except ConditionFailed:
        known = parts.sources.find(source.source_id)
        if known is None:
            raise
        if known.last_heard_at is not None:
            raise Conflict(f"source: it is {known.source_id} already") from None
        parts.sources.replace_secret(known.source_id, secret, parts.now())
        return known
    return source


def _id_of(body: NewSource) -> SourceId:
    """Return the id of a source with lines, the same for the same request: no other could have the same numbers."""
    said = json.dumps([body.name, body.provider, body.settings], sort_keys=True)
    return SourceId(hashlib.sha256(said.encode()).hexdigest()[:_DIGEST_LENGTH])


def _view(parts: Parts, source: Source, base: str) -> SourceView:
    """Return a source as staff see it: it was heard when one of its devices reported, too."""
    heard = [] if source.last_heard_at is None else [source.last_heard_at]
    if SILENT_IS_OFFLINE in PROVIDERS[source.provider].settings:
        heard += [device.reported_at for device in parts.inbound.devices.of_source(source.source_id)]
    return SourceView.of(replace(source, last_heard_at=max(heard, default=None)), base)


def _url_of(source_id: SourceId, base: str) -> str:
    return f"{base}/inbound/{source_id}"


def _warning_of(secret: str) -> str | None:
    return f"secret: below {_SAFE_SECRET} characters it may be guessed" if len(secret) < _SAFE_SECRET else None


@route(
    "DELETE",
    f"{RESOURCE}/{{sourceId}}",
    Role.STOCK,
    "Remove an inbound gateway; its deliveries are refused within 60 s. SMS that wait for its lines are unclaimed then, or "
    "within minutes.",
    action="source.removed",
    errors=(404,),
)
def remove(parts: Parts, call: Call[NoQuery, NoFields]) -> Acknowledgement:
    source_id = source_in(parts, call.path).source_id
    # First: without its source nobody could free them.
    parts.inbound.lines.remove(source_id)
    parts.sources.remove(source_id)
    # What a function that still remembers the source notes after this is forgotten within the hour.
    parts.inbound.devices.remove(source_id)
    # As far as it gets: the sweep does the rest.
    with suppress(Busy, Unavailable):
        place_waiting(parts.inbound, MOST_WAITING, source_id)
    return Acknowledgement()
