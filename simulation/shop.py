"""A whole GlobalConnect on the pretend cloud: the real handlers' code, with a clock and rng that obey."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import getsms.app
import getsms.wiring
import hourly_counts.wiring
import inbound_sms.app
import inbound_sms.wiring
import line_states.app
import line_states.wiring
import partner_api.app
import partner_api.wiring
import partner_page.app
import partner_page.wiring
import projection.wiring
from globalconnect.domain.ids import SourceId
from globalconnect.domain.number import Number
from globalconnect.domain.offer import Offer
from globalconnect.domain.partner import Partner, in_clear, new_key, new_partner_id
from globalconnect.domain.service import Service
from globalconnect.domain.source import Source, SourceSettings
from globalconnect.inbound.parts import Parts as InboundParts
from globalconnect.inbound.waiting import finish_whole, place_waiting
from globalconnect.runtime.http import ProxyAnswer, endpoint
from globalconnect.runtime.startup import Environment
from globalconnect.store.activations import Activations
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pool_counts import CountsStore, PoolCountsStore
from globalconnect.store.projection import count
from globalconnect.store.pushes import Pushes
from globalconnect.store.services import Services
from globalconnect.store.sources import Sources
from globalconnect.store.statistics import Statistics
from simulation.aws import Cloud
from simulation.streams import Streams
from sweep.sweep import Sweep
from sweep.wiring import build_silence

COUNTRY = "england"
OPERATOR = "Hutchison 3G UK Ltd"
SECRET = "a secret of a source"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as a partner or staff see it."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and the message of an error; fails when it is not one in our form."""
        assert self.body == {"status": "ERROR", "message": self.body["message"]}
        return self.status, self.body["message"]


def present[T](found: T | None) -> T:
    """Return what was found. Raises AssertionError for nothing."""
    assert found is not None
    return found


@dataclass(slots=True)
class Shop:
    """Everything that sells numbers, over one pretend cloud."""

    cloud: Cloud
    overrides: dict[str, str] = field(default_factory=dict)
    partner_parts: partner_api.wiring.Parts = field(init=False)
    getsms_parts: getsms.wiring.Parts = field(init=False)
    inbound_parts: InboundParts = field(init=False)
    page_parts: partner_page.wiring.Parts = field(init=False)
    numbers: Numbers = field(init=False)
    activations: Activations = field(init=False)
    pushes: Pushes = field(init=False)
    counts: CountsStore = field(init=False)
    statistics: Statistics = field(init=False)
    line_parts: line_states.wiring.Parts = field(init=False)
    _streams: Streams = field(init=False, default_factory=lambda: Streams("LineStatesFunction"))

    def __post_init__(self) -> None:
        cloud, env = self.cloud, Environment({**self.cloud.env, "CACHE_SECONDS": "0", **self.overrides})
        self.partner_parts = partner_api.wiring.build(env, cloud.db, cloud.clock, cloud.rng)
        self.getsms_parts = getsms.wiring.build(env, cloud.db, cloud.clock)
        self.inbound_parts = inbound_sms.wiring.build(env, cloud.db, cloud.clock, cloud.kms)
        self.page_parts = partner_page.wiring.build(env, cloud.db, cloud.clock, cloud.rng, cloud.kms)
        self.numbers = self.partner_parts.numbers
        self.activations = self.partner_parts.activations
        self.pushes = Pushes(cloud.db, self.activations.table, self.activations.retention)
        self.counts = projection.wiring.build(env, cloud.db, cloud.clock)
        self.statistics = Statistics(cloud.db, env.text("STATISTICS_TABLE"))
        self.line_parts = line_states.wiring.build(env, cloud.db, cloud.clock)

    # ---------------------------------------------------------- what staff set up

    def partner(
        self,
        services: Sequence[str] | None = None,
        push_url: str | None = None,
        name: str = "Hub",
        max_live: int | None = None,
        dialect: str = "globalconnect",
        *,
        offer: Offer | None = None,
    ) -> Partner:
        partner_id = new_partner_id(self.cloud.rng)
        partner = Partner(
            partner_id=partner_id,
            name=name,
            key=new_key(partner_id, self.cloud.rng),
            push_url=push_url,
            services=None if services is None else frozenset(services),
            dialect=dialect,
            created_at=self.cloud.clock(),
            max_live=max_live,
            offer=offer,
        )
        staffs = Partners(self.cloud.db, self.cloud.env["PARTNERS_TABLE"], 0, self.cloud.clock, self.cloud.encryption())
        staffs.add(partner)
        if offer is not None:
            staffs.arrange_turns()
        return partner

    def forget_digest(self, partner: Partner) -> None:
        """Let a partner's item be one of a version that kept no digests of keys."""
        table, key = self.cloud.env["PARTNERS_TABLE"], {"partner_id": {"S": partner.partner_id}}
        self.cloud.client.update_item(TableName=table, Key=key, UpdateExpression="REMOVE key_sha256")

    @property
    def partners(self) -> Partners:
        return self.partner_parts.partners

    @property
    def services(self) -> Services:
        return self.partner_parts.services

    def sell(self, *codes: str, reusable: bool = False, enabled: bool = True) -> None:
        for code in codes:
            self.services.put(Service(code, code.upper(), reusable=reusable, enabled=enabled))

    def stock(self, *phones: str, country: str = COUNTRY, operator: str = OPERATOR) -> None:
        counts = PoolCountsStore(self.cloud.db, self.cloud.env["AVAILABILITY_TABLE"], 0, self.cloud.clock)
        counts.open_pool(country, operator)
        for phone in phones:
            self.numbers.add(Number(phone, country, operator, available_from=self.cloud.clock()))

    def move(self, phone: str, operator: str = OPERATOR) -> None:
        """Enter a number that is known in a pool, as an import does."""
        self.numbers.move(present(self.numbers.get(phone)), COUNTRY, operator, self.cloud.clock())

    def source(self, provider: str = "generic", settings: SourceSettings | None = None) -> str:
        """Register a gateway; return its id."""
        cloud = self.cloud
        sources = Sources(cloud.db, cloud.env["SOURCES_TABLE"], 0, cloud.clock, cloud.encryption())
        source_id = f"source{cloud.rng(10**6)}"
        sources.add(Source(SourceId(source_id), "Gateway", provider, SECRET, cloud.clock(), settings=settings or {}))
        return source_id

    def project(self) -> None:
        """Let the counts catch up, as the stream does within 2 s."""
        count(self.all_numbers(), self.counts)

    def settle_lines(self) -> None:
        """Let numbers follow their lines, as the streams of Devices and Lines make them."""
        for records in self._streams.batches():
            line_states.app.follow({"Records": records}, self.line_parts)

    def reconcile_lines(self) -> None:
        """Let numbers follow their lines whatever the streams brought, as happens every hour."""
        line_states.app.reconcile(self.line_parts)

    def silence(self) -> int:
        """Let the sweep see who has fallen silent; return how many sources are quiet."""
        return build_silence(self.inbound_parts).run()

    def all_numbers(self) -> list[Number]:
        return self.numbers.page(1_000, None).items

    def sweep(self) -> None:
        sweep = Sweep(self.numbers, self.partners, self.pushes, self.cloud.queues(), self.statistics, self.cloud.clock)
        self.statistics.put_pending(sweep.run().note)
        place_waiting(self.inbound_parts, 1_000)
        finish_whole(self.inbound_parts, 1_000)

    def measure(self) -> None:
        env = Environment({**self.cloud.env, **self.overrides})
        hourly_counts.wiring.build(env, self.cloud.db, self.cloud.clock).run()

    # ---------------------------------------------------------- what partners and gateways do

    def post(
        self,
        fields: object,
        *,
        raw: str | None = None,
        headers: Mapping[str, str] | None = None,
        path: str = "/SMSBOWER",
    ) -> Reply:
        event = _event("POST", body=json.dumps(fields) if raw is None else raw, headers=headers) | {"resource": path}
        return self._ask(partner_api.app.answer, self.partner_parts, event)

    def get(self, *fields: tuple[str, str], path: str = "/SMSBOWER") -> Reply:
        return self._ask(partner_api.app.answer, self.partner_parts, _event("GET", query=fields) | {"resource": path})

    def call(self, partner: Partner, action: str, **fields: object) -> Reply:
        return self.post({"key": partner.key, "action": action, **fields})

    def buy(self, partner: Partner, service: str = "tg", **fields: object) -> Reply:
        wanted = {"country": COUNTRY, "operator": OPERATOR, "service": service, **fields}
        return self.call(partner, "GET_NUMBER", **wanted)

    def explain(self, key: object, service: str = "tg", **fields: object) -> Reply:
        wanted = {"key": key, "country": COUNTRY, "operator": OPERATOR, "service": service, **fields}
        return self.on_page("explain", json.dumps(wanted))

    def poll_on_page(self, key: object, activation_id: object) -> Reply:
        return self.on_page("getsms", json.dumps({"apiKey": key, "id": activation_id}))

    def own_forms(self, key: object) -> Reply:
        return self.on_page("forms", json.dumps({"key": key}))

    def follow_link(self, token: object) -> Reply:
        return self.on_page("link", json.dumps({"token": token}))

    def on_page(self, asked: str, body: str) -> Reply:
        """Send what the page for partners sends."""
        event = _event("POST", body=body) | {"resource": f"/partner/{asked}"}
        return self._ask(partner_page.app.answer, self.page_parts, event)

    def sold(self, service: str = "tg") -> tuple[Partner, int]:
        """Sell a number to a new partner; return that and the activation's id."""
        partner = self.partner()
        return partner, self.buy(partner, service).body["activationId"]

    def finish(self, partner: Partner, activation_id: object, status: object) -> Reply:
        return self.call(partner, "FINISH_ACTIVATION", activationId=activation_id, status=status)

    def poll(self, *fields: tuple[str, str]) -> Reply:
        return self._ask(getsms.app.answer, self.getsms_parts, _event("GET", query=fields))

    def messages(self, partner: Partner, activation_id: int) -> Reply:
        return self.poll(("apiKey", in_clear(partner.key)), ("id", str(activation_id)))

    def deliver(
        self, source_id: str, payload: object, *, raw: bytes | None = None, signature: str | None = None
    ) -> Reply:
        body = json.dumps(payload).encode() if raw is None else raw
        signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest() if signature is None else signature
        event = _event("POST", body=base64.b64encode(body).decode(), headers={"X-Signature": signed})
        event["isBase64Encoded"] = True
        event["pathParameters"] = {"sourceId": source_id, "secret": SECRET}
        return self._ask(inbound_sms.app.answer, self.inbound_parts, event)

    def _ask(self, use: Any, parts: Any, event: dict[str, Any]) -> Reply:
        answer: ProxyAnswer = endpoint(lambda asked: use(asked, parts))(event, None)
        body = json.loads(answer["body"]) if not answer.get("isBase64Encoded") else answer["body"]
        return Reply(answer["statusCode"], body, answer["headers"])


def grouped(query: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of a query by their names."""
    fields: dict[str, list[str]] = {}
    for name, value in query:
        fields.setdefault(name, []).append(value)
    return fields


def _event(
    method: str,
    *,
    body: str | None = None,
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "httpMethod": method,
        "resource": "/SMSBOWER",
        "requestContext": {"requestId": "request-1"},
        "headers": dict(headers or {}),
        "multiValueQueryStringParameters": grouped(query) or None,
        "body": body,
        "isBase64Encoded": False,
    }
