"""An import of 5,000 numbers ends while API Gateway still waits, at the pace of DynamoDB (contract 5)."""

import time
from dataclasses import replace
from typing import Any

import pytest

from admin_api.wiring import Parts, build
from globalconnect.push.queue import RetryQueues
from globalconnect.store.dynamo import Dynamo
from simulation.desk import CSV, OwnerAlone, environment, event, send
from simulation.shop import Reply

CALL_SECONDS = 0.01
NUMBERS, POOLS, AUDIT = "Numbers", "Availability", "Audit"
GATEWAY_WAITS = 29


class SlowClient:
    """A client of DynamoDB whose every call takes as long as DynamoDB may take, and that remembers what was put."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.pools: set[tuple[str, str]] = set()
        self.calls: list[str] = []

    def put_item(self, **request: Any) -> dict[str, Any]:
        self._take_time(request["TableName"])
        if request["TableName"] == NUMBERS:
            item = request["Item"]
            assert (item["country"]["S"], item["operator"]["S"]) in self.pools
            self.items[item["phone"]["S"]] = item
        return {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        self._take_time(request["TableName"])
        if request["TableName"] == POOLS:
            self.pools.add((request["Key"]["country"]["S"], request["Key"]["operator"]["S"]))
            return {"Attributes": {}}
        item, values = self.items[request["Key"]["phone"]["S"]], request["ExpressionAttributeValues"]
        assert item["version"] == values[":version"]
        item["country"] = values[":to_country"]
        return {"Attributes": item}

    def scan(self, **request: Any) -> dict[str, Any]:
        self._take_time(request["TableName"])
        return {"Items": []}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        self._take_time(NUMBERS)
        keys = [key["phone"]["S"] for key in request["RequestItems"][NUMBERS]["Keys"]]
        return {"Responses": {NUMBERS: [self.items[key] for key in keys if key in self.items]}}

    def _take_time(self, table: str) -> None:
        time.sleep(CALL_SECONDS)
        self.calls.append(table)


@pytest.fixture
def client() -> SlowClient:
    return SlowClient()


@pytest.fixture
def admin(client: SlowClient) -> Parts:
    tables = environment(NUMBERS_TABLE=NUMBERS, AVAILABILITY_TABLE=POOLS, AUDIT_TABLE=AUDIT)
    unused: Any = None
    slow: Any = client
    queues = RetryQueues(unused, "Q", "S")
    admin = build(tables, Dynamo(slow), queues, lambda: 1_790_000_000_000, lambda _: 0)
    return replace(admin, staff=OwnerAlone())


def upload(admin: Parts, rows: int, country: str = "england") -> Reply:
    content = "phone,country,operator\n" + "".join(f"4477{n:08},{country},O{n % 7}\n" for n in range(rows))
    return send(event("POST", "/admin/numbers", body=content, headers={"Content-Type": CSV}), admin)


def test_5000_rows_are_imported_well_within_the_time_of_the_gateway(admin: Parts, client: SlowClient) -> None:
    began = time.monotonic()
    assert upload(admin, 5_000).body == {"imported": 5_000, "updated": 0, "rejected": []}
    assert time.monotonic() - began < GATEWAY_WAITS / 2
    assert len(client.items) == 5_000
    assert len(client.pools) == 7


def test_5000_known_rows_are_read_and_move_with_a_write_each_well_within_the_time_of_the_gateway(
    admin: Parts, client: SlowClient
) -> None:
    upload(admin, 5_000)
    client.calls.clear()
    updated = {"imported": 0, "updated": 5_000, "rejected": []}
    assert upload(admin, 5_000).body == updated
    # 50 times 100 numbers, and two notes in the audit log.
    assert len(client.calls) == 52
    began = time.monotonic()
    assert upload(admin, 5_000, "wales").body == updated
    assert time.monotonic() - began < GATEWAY_WAITS / 2
    assert {item["country"]["S"] for item in client.items.values()} == {"wales"}
    # ... as above, and seven pools after a look at those there are.
    assert len(client.calls) == 52 + 52 + 1 + 7 + 5_000
