"""What must be in the tables after a day, by what hubs and gateways saw of it: told in the contract's words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from conformance.hubsim.events import Arrived, Event, Finished, Pushed, Reply, Sold
from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.sms import PushState, Sms
from globalconnect.store.activations import ENTRY, to_activation, to_sms
from globalconnect.store.dynamo import Item, from_wire
from simulation.aws import START, Cloud

# What virtual time is rounded to (ms).
_ROUNDING = 2


@dataclass(frozen=True, slots=True)
class Books:
    """What is stored: sales by id, SMS of sales, and what the inbox has of SMS that no sale got."""

    sales: Mapping[int, Activation]
    sms: Sequence[Sms]
    unclaimed: Sequence[Item]
    pending: int

    @classmethod
    def of(cls, cloud: Cloud) -> "Books":
        """Return what a cloud holds now."""
        items = list(_items(cloud, "ACTIVATIONS_TABLE"))
        sales = [to_activation(item) for item in items if item["entry"] == ENTRY]
        return cls(
            {sale.activation_id: sale for sale in sales},
            [to_sms(item) for item in items if item["entry"].startswith("sms#")],
            [item for item in _items(cloud, "INBOX_TABLE") if item.get("kind") == "unclaimed"],
            sum("pending_shard" in item for item in items),
        )

    def wrongs(self, events: Iterable[Event], partners: Mapping[str, str]) -> list[str]:
        """Return what is otherwise than it must be after all that happened; `partners` are ids by name."""
        happened = [*events]
        return [
            *self._wrong_sales([one for one in happened if isinstance(one, Sold)], partners),
            *self._overlaps(),
            *self._wrong_outcomes([one for one in happened if isinstance(one, Finished) and one.accepted]),
            *self._wrong_sms(
                [one for one in happened if isinstance(one, Arrived) and one.accepted],
                [one for one in happened if isinstance(one, Pushed)],
            ),
            *([f"{self.pending} SMS are pending"] if self.pending else []),
        ]

    def _wrong_sales(self, sold: Sequence[Sold], partners: Mapping[str, str]) -> Iterator[str]:
        told = {ActivationId(int(one.activation)): (partners[one.partner], one.number, one.place[2]) for one in sold}
        stored = {one.activation_id: (one.partner_id, one.phone, one.service) for one in self.sales.values()}
        for activation_id in told.keys() | stored.keys():
            if told.get(activation_id) != stored.get(activation_id):
                yield f"sale {activation_id} is {stored.get(activation_id)}, told {told.get(activation_id)}"

    def _overlaps(self) -> Iterator[str]:
        """Tell which sales of a number were live together."""
        by_phone: defaultdict[str, list[Activation]] = defaultdict(list)
        for sale in self.sales.values():
            by_phone[sale.phone].append(sale)
        for sales in by_phone.values():
            sales.sort(key=lambda sale: sale.started_at)
            for one, other in pairwise(sales):
                if other.started_at < _end(one):
                    yield f"{one.phone} in {other.activation_id} while in {one.activation_id}"

    def _wrong_outcomes(self, finished: Sequence[Finished]) -> Iterator[str]:
        told: defaultdict[int, list[Finished]] = defaultdict(list)
        for one in finished:
            told[int(one.activation)].append(one)
        for sale in self.sales.values():
            may_be = outcomes_of(told.get(sale.activation_id, []))
            if sale.outcome not in may_be:
                yield f"sale {sale.activation_id} ended with {sale.outcome}, not one of {may_be}"

    def _wrong_sms(self, arrived: Sequence[Arrived], pushed: Sequence[Pushed]) -> Iterator[str]:
        by_text: defaultdict[str, list[Sms]] = defaultdict(list)
        for sms in self.sms:
            by_text[sms.text].append(sms)
        unclaimed = Counter(item["text"] for item in self.unclaimed if not item["inbox_id"].startswith("copy#"))
        taken = {(one.sms_id, one.text) for one in pushed if one.reply is Reply.TAKEN}
        for one in arrived:
            of_sale = by_text.pop(one.text, [])
            if len(of_sale) + unclaimed[one.text] != 1:
                yield f"{one.text!r} is kept {len(of_sale)} times with sales, {unclaimed[one.text]} times without"
            for sms in of_sale:
                yield from self._wrong_place(sms, one, taken)
        yield from (f"{text!r} never came" for text in by_text)
        ids = Counter(sms.sms_id for sms in self.sms)
        yield from (f"smsId {sms_id} is {count} SMS" for sms_id, count in ids.items() if count > 1)

    def _wrong_place(self, sms: Sms, arrived: Arrived, taken: set[tuple[str, str]]) -> Iterator[str]:
        sale = self.sales.get(sms.activation_id)
        began, ended = START + arrived.began * 1_000, START + arrived.ended * 1_000
        if sale is None or sms.phone != arrived.phone or sale.phone != sms.phone or sms.partner_id != sale.partner_id:
            yield f"{sms.text!r} is with sale {sms.activation_id}, which is no sale of its number"
        elif not (sale.started_at <= ended + _ROUNDING and began - _ROUNDING <= _end(sale)):
            yield f"{sms.text!r} is with sale {sms.activation_id}, which did not have its number then"
        elif sms.push_state is PushState.DELIVERED and (str(sms.sms_id), sms.text) not in taken:
            yield f"{sms.text!r} is delivered, and was not taken"
        elif sms.push_state is not PushState.DELIVERED and sale.outcome is None:
            yield f"{sms.text!r} is {sms.push_state}, and its sale was never finished"


def outcomes_of(told: Sequence[Finished]) -> list[Outcome | None]:
    """Return what may be stored of a sale that was finished so: the first outcome, and 5 that was said after 3."""
    if not told:
        return [None]
    first_answered = min(one.ended for one in told)
    # Which of those that were on their way together was first can't be told.
    may_be: list[Outcome | None] = [Outcome(one.outcome) for one in told if one.began <= first_answered]
    if Outcome.SUCCESS in may_be and any(Outcome(one.outcome) is Outcome.RETURNED for one in told):
        after = [one for one in told if Outcome(one.outcome) is Outcome.RETURNED]
        surely = may_be == [Outcome.SUCCESS] * len(may_be) and any(one.began > first_answered for one in after)
        return [Outcome.RETURNED] if surely else [*may_be, Outcome.RETURNED]
    return may_be


def _end(sale: Activation) -> int:
    return sale.expires_at if sale.finished_at is None else min(sale.finished_at, sale.expires_at)


def _items(cloud: Cloud, table: str) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"TableName": cloud.env[table]}
    while True:
        found = cloud.client.scan(**asked)
        yield from map(from_wire, found["Items"])
        if "LastEvaluatedKey" not in found:
            return
        asked["ExclusiveStartKey"] = found["LastEvaluatedKey"]
