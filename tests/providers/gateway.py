"""A gateway that delivers to a shop, as API Gateway passes it on."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import inbound_sms.app
from globalconnect.domain.inbound import InboxKind
from globalconnect.domain.source import Source
from globalconnect.runtime.http import endpoint
from globalconnect.store.sources import Sources
from inbound_sms.providers import provider_named
from inbound_sms.providers.port import Provider
from simulation.shop import Shop
from tests.providers.fake import Fake
from tests.providers.samples import Sample, Sent, Words

PHONE = "447472190082"
HOST = "api.example.com"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway hears."""

    status: int
    content_type: str
    body: str


@dataclass(slots=True)
class Gateway:
    """A gateway of some type, entered as a source of a shop, whose number PHONE is sold.

    `others` are providers that are not in the catalogue.
    """

    shop: Shop
    provider: str
    sample: Sample
    secret: str = "the secret & the key"
    source_id: str = "gateway"
    others: Mapping[str, Provider] = field(default_factory=lambda: {"fake": Fake()})
    activation_id: int = field(init=False)
    _partner: Any = field(init=False)

    def __post_init__(self) -> None:
        self.shop.inbound_parts = replace(self.shop.inbound_parts, provider=self._provider)
        now = self.shop.cloud.clock()
        source = Source(self.source_id, "Gateway", self.provider, self.secret, now, settings=self.sample.settings)
        self.sources.add(source)
        self.shop.stock(PHONE)
        self._partner = self.shop.partner()
        self.activation_id = self.shop.buy(self._partner).body["activationId"]

    @property
    def sources(self) -> Sources:
        """The sources as they are stored."""
        cloud = self.shop.cloud
        return Sources(cloud.db, cloud.env["SOURCES_TABLE"], 0, cloud.clock)

    @property
    def source(self) -> Source:
        """Its source as it is stored."""
        found = self.sources.find(self.source_id)
        assert found is not None
        return found

    @property
    def texts(self) -> list[str]:
        """The texts that the holder of the number is shown."""
        shown = self.shop.messages(self._partner, self.activation_id).body
        return [message["text"] for message in shown.get("messages", [])]

    def kept(self, kind: InboxKind = InboxKind.UNREADABLE) -> list[dict[str, Any]]:
        """What is kept for staff."""
        inbox = self.shop.inbound_parts.inbox
        listed = inbox.unclaimed if kind is InboxKind.UNCLAIMED else inbox.unreadable
        return [asdict(kept) for kept in listed(100, None, self.shop.cloud.clock()).items]

    def write(self, text: str = "Your code: 5015", provider_id: str = "id-1") -> Sent:
        """Write an SMS to PHONE."""
        return self.sample.write(Words(provider_id, PHONE, text))

    def signed(self, sent: Sent, secret: str | None = None) -> Sent:
        """Sign a request, with a secret of its own unless told otherwise."""
        url = f"https://{HOST}/live/inbound/{self.source_id}"
        return self.sample.sign(sent, self.secret if secret is None else secret, url)

    def send(self, sent: Sent) -> Answer:
        """Send a request as it is."""
        path = f"/inbound/{self.source_id}"
        event = {
            "httpMethod": sent.method,
            "path": path,
            "pathParameters": {"sourceId": self.source_id},
            "headers": dict(sent.headers),
            "multiValueQueryStringParameters": {name: [value] for name, value in sent.query.items()} or None,
            "body": base64.b64encode(sent.body).decode(),
            "isBase64Encoded": True,
            "requestContext": {"domainName": HOST, "path": f"/live{path}"},
        }
        answered = endpoint(lambda asked: inbound_sms.app.answer(asked, self.shop.inbound_parts))(event, None)
        return Answer(answered["statusCode"], answered["headers"]["Content-Type"], answered["body"])

    def deliver(self, *texts: str) -> list[Answer]:
        """Send SMS, signed."""
        written = [self.write(text, provider_id=f"id-{text}") for text in texts]
        return [self.send(self.signed(sent)) for sent in written]

    def _provider(self, name: str) -> Provider:
        return self.others[name] if name in self.others else provider_named(name)
