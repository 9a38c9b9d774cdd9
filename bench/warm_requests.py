"""What a warm request of each partner action costs in processor time beyond its calls to AWS, beside one such call.

The handlers are the real ones over a stub of DynamoDB's client that answers at once: what is measured is reading the
request, the rules, our side of the store, and writing the answer. The call is botocore's own GetItem: everything it
does but the network.
"""

import gc
import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

import getsms.app
import getsms.wiring
import partner_api.app
import partner_api.wiring
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.runtime.http import ProxyEvent, endpoint
from globalconnect.runtime.startup import Environment, clock, rng
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.pool_counts import CountsStore
from local.place import REPOSITORY
from simulation.aws import TEMPLATE, variables

GET_ITEM = "GetItem"

# What a supplier of some size has on sale.
POOLS = 30
SERVICES = 20
_BLOCKED_SERVICES = 5
# The first page that GET_NUMBER reads of a pool, which is full in all but the smallest pools.
CANDIDATES = 50

_EVENTS = {
    "GET_SERVICES": "partner_api/get-services-post.json",
    "GET_NUMBER": "partner_api/get-number-post.json",
    "FINISH_ACTIVATION": "partner_api/finish-activation.json",
    "getsms": "getsms/messages.json",
}
_CREDENTIALS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "bench",
    "aws_secret_access_key": "bench",
}
_POOL = "england|Sample Mobile"
_LONG_AGO = 1_767_225_600_000
_MEGABYTE = 1024 * 1024

type Item = Mapping[str, Any]


def measure(rounds: int, requests: int) -> dict[str, list[float]]:
    """Let the actions and GetItem take turns, `requests` of one after another; one round before it counts.

    Returns processor time per request, or per GetItem, in µs: of each round, by action or `GET_ITEM`.
    """
    turns = {GET_ITEM: get_item(), **actions()}
    figures: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(rounds + 1):
        # Who comes first changes, so that what drifts drifts for all.
        for name in list(turns) if number % 2 else reversed(turns):
            micros = _micros(turns[name], requests)
            if number:
                figures[name].append(micros)
    return figures


def actions() -> dict[str, Callable[[], object]]:
    """Return what makes one request of each action. Each has been checked to succeed."""
    environ = variables(TEMPLATE, {})
    stub: Any = Canned(
        environ, [f"s{number}" for number in range(SERVICES)], [_pool(number) for number in range(POOLS)]
    )
    db = Dynamo(stub)
    shop = partner_api.wiring.build(Environment(environ), db, clock, rng)
    polled = getsms.wiring.build(Environment(environ), db, clock)
    handlers = {
        "partner_api": endpoint(lambda event: partner_api.app.answer(event, shop)),
        "getsms": endpoint(lambda event: getsms.app.answer(event, polled)),
    }
    return {action: sent(handlers[name.partition("/")[0]], name) for action, name in _EVENTS.items()}


def get_item() -> Callable[[], object]:
    """Return what makes one GetItem of botocore, of the sample partner, whose answer is there without any network."""
    environ = variables(TEMPLATE, {})
    table, key = environ["PARTNERS_TABLE"], {"partner_id": {"S": "samplehub"}}
    body = json.dumps(Canned(environ, [], []).get_item(TableName=table, Key=key)).encode()
    headers = HTTPHeaders()
    headers["Content-Type"] = "application/x-amz-json-1.0"
    headers["x-amz-crc32"] = str(zlib.crc32(body))
    client = boto3.client("dynamodb", **_CREDENTIALS)
    # What a handler of this event gives is taken for the answer.
    answering: Any = lambda **_: Answered(headers, body)  # noqa: E731 - the stubs know only handlers that give nothing
    client.meta.events.register("before-send.dynamodb.GetItem", answering)
    return lambda: client.get_item(TableName=table, Key=key, ConsistentRead=True)


class Answered(AWSResponse):
    """An answer of AWS that came without any network."""

    def __init__(self, headers: HTTPHeaders, body: bytes) -> None:
        super().__init__("https://dynamodb.us-east-1.amazonaws.com/", 200, headers, None)
        self._content = body


class Canned:
    """A stub of DynamoDB's client: the items of events/data.json, with these services and pools on sale.

    Scans give pages of a megabyte; `reads` counts what was got and scanned. Every write is taken, none kept.
    """

    def __init__(self, environ: Mapping[str, str], services: Sequence[str], pools: Sequence[PoolCounts]) -> None:
        path = REPOSITORY / "events" / "data.json"
        tables: dict[str, list[Item]] = json.loads(path.read_text(encoding="utf-8"))
        tables["ServicesTable"] += [_service(name) for name in services[len(tables["ServicesTable"]) :]]
        tables["AvailabilityTable"] = stored(pools)
        self.reads = 0
        self._scanned = {environ[_variable(table)]: list(_paged(items)) for table, items in tables.items()}
        self._one: dict[tuple[str, ...], Item] = {}
        for table, attributes in _KEYS.items():
            for item in tables[table]:
                values = [value for attribute in attributes for value in item[attribute].values()]
                self._one[environ[_variable(table)], *values] = {"Item": item}
        self._sales: dict[str, dict[str, list[Item]]] = {}
        for item in tables["ActivationsTable"]:
            if not item["entry"]["S"].startswith("sms-attempt#"):
                self._sales.setdefault(item["activation_id"]["N"], {"Items": []})["Items"].append(item)
        self._candidates = {"Items": [_candidate(number) for number in range(CANDIDATES)]}

    def get_item(self, **asked: Any) -> Any:
        self.reads += 1
        return self._one[asked["TableName"], *(text for value in asked["Key"].values() for text in value.values())]

    def query(self, **asked: Any) -> Any:
        if asked.get("IndexName") == "by-pool":
            return self._candidates
        return self._sales[asked["ExpressionAttributeValues"][":id"]["N"]]

    def scan(self, **asked: Any) -> Any:
        self.reads += 1
        place = int(asked["ExclusiveStartKey"]["page"]["N"]) if "ExclusiveStartKey" in asked else 0
        return self._scanned[asked["TableName"]][place]

    def transact_write_items(self, **_: Any) -> Any:
        return {}

    def update_item(self, **_: Any) -> Any:
        return {}


_KEYS = {
    "PartnersTable": ("partner_id",),
    "ServicesTable": ("code",),
    "NumbersTable": ("phone",),
    "ActivationsTable": ("activation_id", "entry"),
}


def _paged(items: Sequence[Item]) -> Iterator[dict[str, Any]]:
    page: list[Item] = []
    size = place = 0
    for item in items:
        page.append(item)
        size += size_of(item)
        if size >= _MEGABYTE:
            place += 1
            yield {"Items": page, "LastEvaluatedKey": {"page": {"N": str(place)}}}
            page, size = [], 0
    yield {"Items": page}


def size_of(item: Item) -> int:
    """Return the size of an item as DynamoDB counts it: names and values, a number taking half its digits and one."""
    return sum(
        len(name) + (len(text) // 2 + 2 if kind == "N" else len(str(text)))
        for name, value in item.items()
        for kind, text in value.items()
    )


def _service(name: str) -> Item:
    return {"code": {"S": name}, "name": {"S": name}, "reusable": {"BOOL": False}, "enabled": {"BOOL": True}}


def _pool(number: int) -> PoolCounts:
    blocked = {f"s{service}": number + service + 1 for service in range(_BLOCKED_SERVICES)}
    return PoolCounts(f"country{number // 3}", f"Operator {number % 3}", 1_000, 900, blocked)


class _NotedPuts:
    """A client of DynamoDB that only notes what it is to put."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def transact_write_items(self, **asked: Any) -> None:
        self.items += [action["Put"]["Item"] for action in asked["TransactItems"]]


def stored(pools: Sequence[PoolCounts]) -> list[Item]:
    noted: Any = _NotedPuts()
    counts = CountsStore(Dynamo(noted), "Availability", "Counted", "Holders", clock)
    for pool in pools:
        counts.write([pool], [], {})
    return list(noted.items)


def _candidate(number: int) -> Item:
    return {
        "phone": {"S": f"4477010{number:05}"},
        "pool": {"S": _POOL},
        "available_from": {"N": str(_LONG_AGO + number)},
        "blocked": {"SS": ["go", "vk"]},
    }


def _variable(table: str) -> str:
    """Return the variable that names a table: NUMBERS_TABLE of NumbersTable."""
    return f"{table.removesuffix('Table').upper()}_TABLE"


def sent(
    handler: Callable[[ProxyEvent, object], Any], name: str, headers: Mapping[str, str] | None = None
) -> Callable[[], Any]:
    """Return what sends a handler an event of events/ and gives its answer, which has been checked to be a success."""
    event = json.loads((REPOSITORY / "events" / name).read_text(encoding="utf-8"))
    event["headers"] = event["headers"] if headers is None else headers
    answer = handler(event, None)
    if answer["statusCode"] != 200:  # noqa: PLR2004 - HTTP's OK
        raise AssertionError(f"{name}: {answer}")
    return lambda: handler(event, None)


def _micros(do: Callable[[], object], times: int) -> float:
    # What is there beforehand is not for the collector to look through meanwhile.
    gc.collect()
    gc.freeze()
    started = time.process_time()
    for _ in range(times):
        do()
    return 1_000_000 * (time.process_time() - started) / times
