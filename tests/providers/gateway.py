"""A gateway that delivers to a shop, as API Gateway passes it on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import inbound_sms.app
from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import InboxKind
from globalconnect.domain.partner import Partner
from globalconnect.domain.source import Source
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Provider
from globalconnect.runtime.http import endpoint
from globalconnect.store.lines import Lines
from globalconnect.store.sources import Sources
from simulation.aws import START, Cloud
from simulation.gateways.delivery import event_of, url_of
from simulation.gateways.sample import Sample, Sent
from simulation.shop import Shop, present
from tests.providers.fake import Fake

PHONE = "447472190082"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway hears."""

    status: int
    content_type: str
    body: str


@dataclass(slots=True)
class Gateway:
    """A gateway of some type, entered as a source of a new shop, whose number PHONE is sold.

    `others` are providers that are not in the catalogue.
    """

    cloud: Cloud
    provider: str
    sample: Sample
    source_id: str = "gateway"
    others: Mapping[str, Provider] = field(default_factory=lambda: {"fake": Fake()})
    secret: str = field(init=False)
    shop: Shop = field(init=False)
    _sold: tuple[Partner, int] = field(init=False)

    def __post_init__(self) -> None:
        self.secret = self.sample.secret(0)
        self.shop = Shop(self.cloud)
        self.shop.sell("tg")
        self.shop.inbound_parts = replace(self.shop.inbound_parts, provider=self._provider)
        now, settings = self.cloud.clock(), self.sample.settings
        self.sources.add(
            Source(SourceId(self.source_id), "Gateway", self.provider, self.secret, now, settings=settings)
        )
        if self.sample.line_of is not None:
            self.lines.replace(SourceId(self.source_id), {self.sample.line_of(PHONE): PHONE})
        self.shop.stock(PHONE)
        self._sold = self.shop.sold()

    @property
    def sources(self) -> Sources:
        """The sources as they are stored."""
        return Sources(self.cloud.db, self.cloud.env["SOURCES_TABLE"], 0, self.cloud.clock)

    @property
    def url(self) -> str:
        """The URL that its owner has entered."""
        return url_of(self.source_id)

    @property
    def lines(self) -> Lines:
        """The lines as they are stored."""
        return Lines(self.cloud.db, self.cloud.env["LINES_TABLE"])

    @property
    def source(self) -> Source:
        """Its source as it is stored."""
        return present(self.sources.find(SourceId(self.source_id)))

    @property
    def texts(self) -> list[str]:
        """The texts that the holder of the number is shown."""
        return [message["text"] for message in self.shop.messages(*self._sold).body.get("messages", [])]

    def kept(self, kind: InboxKind = InboxKind.UNREADABLE) -> list[dict[str, Any]]:
        """What is kept for staff."""
        inbox = self.shop.inbound_parts.inbox
        listed = inbox.unclaimed if kind is InboxKind.UNCLAIMED else inbox.unreadable
        found = listed(100, None, self.cloud.clock()).items
        return [asdict(kept) | {"payload": getattr(kept, "spelled", None)} for kept in found]

    def write(self, text: str = "Your code: 5015", provider_id: str = "id-1") -> Sent:
        """Write an SMS to PHONE."""
        return self.sample.write(provider_id, PHONE, text, START)

    def signed(self, sent: Sent, secret: str | None = None) -> Sent:
        """Sign a request, with a secret of its own unless told otherwise."""
        return self.sample.sign(sent, self.secret if secret is None else secret, self.url, self.cloud.clock())

    def send(self, sent: Sent) -> Answer:
        """Send a request as it is."""
        event = event_of(sent, self.source_id)
        answered = endpoint(lambda asked: inbound_sms.app.answer(asked, self.shop.inbound_parts))(event, None)
        return Answer(answered["statusCode"], answered["headers"].get("Content-Type", ""), answered["body"])

    def deliver(self, *texts: str) -> list[Answer]:
        """Send SMS, signed."""
        return [self.send(self.signed(self.write(text, provider_id=f"id-{text}"))) for text in texts]

    def _provider(self, name: str) -> Provider:
        return self.others[name] if name in self.others else provider_named(name)
