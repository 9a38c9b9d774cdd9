"""What a sample event meets, and what it leaves behind: tables with the sample data, a queue, a partner's server."""

import json
from dataclasses import dataclass, field
from typing import Any

from globalconnect.domain.ids import ActivationId
from globalconnect.domain.number import Number
from globalconnect.domain.sms import ActivationWithSms
from globalconnect.runtime.startup import Environment, clock
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import Dynamo, Item
from globalconnect.store.numbers import Numbers
from local.pretend_partner import PretendPartner
from tests.rie import samples

_PARTNER = "samplehub"


@dataclass(slots=True)
class SampleWorld:
    """The emulated cloud, by the environment of the functions, and the pretend partner behind its Push URL."""

    dynamodb: Any
    sqs: Any
    env: dict[str, str]
    partner: PretendPartner
    db: Dynamo = field(init=False)
    _pushed_before: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.db = Dynamo(self.dynamodb)

    def reset(self) -> None:
        """Make everything as events/data.json has it; the sample partner's Push URL leads to the pretend partner."""
        tables = samples.data()
        [partner] = [item for item in tables["PartnersTable"] if item["partner_id"]["S"] == _PARTNER]
        partner["push_url"]["S"] = self.partner.url
        samples.put(self.dynamodb, tables)
        self.sqs.purge_queue(QueueUrl=self.queue_url)
        self._pushed_before = len(self.partner.pushes)

    @property
    def queue_url(self) -> str:
        return self.env["RETRY_QUEUE_URL"]

    def number(self, phone: str) -> Number:
        """Return a number as it is now; fails when there is none."""
        number = Numbers(self.db, self.env["NUMBERS_TABLE"]).get(phone)
        assert number is not None, f"there is no number {phone}"
        return number

    def sale(self, activation_id: int) -> ActivationWithSms:
        """Return an activation with its messages as it is now; fails when there is none."""
        keep = Environment(self.env).duration("RETENTION_DAYS")
        sale = Activations(self.db, self.env["ACTIVATIONS_TABLE"], keep, clock).sale(ActivationId(activation_id))
        assert sale is not None, f"there is no activation {activation_id}"
        return sale

    def all_of(self, variable: str) -> list[Item]:
        return list(self.db.scan_all(self.env[variable]))

    def pushed(self) -> list[str]:
        """Return what the SMS say that were pushed for this event, sorted: those of a batch go out side by side."""
        return sorted(push.body["text"] for push in self.partner.pushes[self._pushed_before :])

    def queued(self) -> list[Any]:
        found: list[Any] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found
