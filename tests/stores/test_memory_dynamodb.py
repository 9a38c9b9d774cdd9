"""What DynamoDB in memory refuses as AWS does, and what only it has: streams that are followed, and indexes that are late."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from globalconnect.store.dynamo import ConditionFailed, Dynamo, changing, expression, put, to_wire
from simulation.aws import TEMPLATE, Clock, Cloud, make_environment
from simulation.clouds import Moto
from simulation.dynamodb import MemoryDynamoDB

KEY = {"code": "tg"}


@pytest.fixture(params=["on_dynalite", "in_memory"])
def strict(request: pytest.FixtureRequest) -> Cloud:
    """Return the empty tables of template.yaml, where what AWS refuses is refused."""
    cloud: Cloud = request.getfixturevalue(request.param)
    return cloud


@pytest.fixture(params=["on_moto", "in_memory"])
def tables(request: pytest.FixtureRequest) -> Cloud:
    """Return the empty tables of template.yaml, where there are transactions."""
    cloud: Cloud = request.getfixturevalue(request.param)
    return cloud


def _put(**more: Any) -> dict[str, Any]:
    return {"Item": to_wire(KEY), **more}


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("put_item", _put(ConditionExpression="attribute_exists(#a)")),
        ("put_item", _put(ConditionExpression="#a = :a", ExpressionAttributeNames={"#a": "a"})),
        (
            "put_item",
            _put(
                ConditionExpression="attribute_exists(#a)",
                ExpressionAttributeNames={"#a": "a"},
                ExpressionAttributeValues={":b": {"S": "b"}},
            ),
        ),
        ("put_item", {"Item": {"code": {"S": ""}}}),
        ("put_item", {"Item": {"code": {"N": "1"}}}),
        ("put_item", {"Item": {"name": {"S": "tg"}}}),
        ("put_item", {"Item": to_wire({**KEY, "text": "x" * 400 * 1024})}),
        ("get_item", {"Key": to_wire({**KEY, "name": "tg"})}),
        (
            "update_item",
            {
                "Key": to_wire(KEY),
                "UpdateExpression": "SET #a.#b = :c",
                "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
                "ExpressionAttributeValues": {":c": {"S": "c"}},
            },
        ),
        (
            "update_item",
            {
                "Key": to_wire(KEY),
                "UpdateExpression": "SET #a = #b + :c",
                "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
                "ExpressionAttributeValues": {":c": {"N": "1"}},
            },
        ),
        (
            "update_item",
            {
                "Key": to_wire(KEY),
                "UpdateExpression": "SET #a = :c REMOVE #a",
                "ExpressionAttributeNames": {"#a": "a"},
                "ExpressionAttributeValues": {":c": {"N": "1"}},
            },
        ),
        ("query", {"KeyConditionExpression": "#a = :a", "ExpressionAttributeNames": {"#a": "a"}}),
    ],
)
def test_what_aws_refuses_is_refused(strict: Cloud, operation: str, asked: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(strict.client, operation)(TableName=strict.env["SERVICES_TABLE"], **asked)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_transaction_writes_all_or_nothing_and_says_what_failed(tables: Cloud) -> None:
    table = tables.env["SERVICES_TABLE"]
    tables.db.put(table, KEY)
    new = expression("attribute_not_exists(#code)")
    with pytest.raises(ConditionFailed) as failed:
        tables.db.transact(put(table, {"code": "go"}, new), put(table, {**KEY, "name": "other"}, new))
    assert failed.value.failed == frozenset({1})
    assert list(tables.db.scan_all(table)) == [KEY]


def test_a_transaction_has_no_item_twice(tables: Cloud) -> None:
    twice = [put(tables.env["SERVICES_TABLE"], KEY)] * 2
    with pytest.raises(ClientError) as refused:
        tables.client.transact_write_items(TransactItems=twice, ClientRequestToken="token")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_transaction_is_carried_out_once_per_token(in_memory: Cloud) -> None:
    table = in_memory.env["SERVICES_TABLE"]
    more = expression("ADD #number :one", one=1)
    asked = {
        "Update": {
            "TableName": table,
            "Key": to_wire(KEY),
            "UpdateExpression": more.text,
            "ExpressionAttributeNames": {"#number": "number"},
            "ExpressionAttributeValues": to_wire({":one": 1}),
        }
    }
    for _ in range(2):
        in_memory.client.transact_write_items(TransactItems=[asked], ClientRequestToken="token")
    assert in_memory.db.get(table, KEY) == {**KEY, "number": 1}


def test_a_stream_brings_what_changed_in_order(in_memory: Cloud) -> None:
    table, records = in_memory.env["NUMBERS_TABLE"], list[dict[str, Any]]()
    in_memory.client.follow(table, records.append)
    key = {"phone": "447472190082"}
    in_memory.db.put(table, {**key, "version": 1})
    in_memory.db.put(table, {**key, "version": 1})
    in_memory.db.update(table, key, changing({"version": 2}))
    in_memory.db.delete(table, key, expression("attribute_exists(#phone)"))
    images = [record["dynamodb"].get("NewImage") for record in records]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert images == [to_wire({**key, "version": 1}), to_wire({**key, "version": 2}), None]
    serials = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert serials == sorted(serials)


def test_an_index_shows_changes_a_little_later_and_the_table_at_once(moto: Moto) -> None:
    clock = Clock()
    client: Any = MemoryDynamoDB(clock, lambda: 50)
    table = make_environment(TEMPLATE, client, moto.sqs)["NUMBERS_TABLE"]
    db = Dynamo(client)
    phone = "447472190082"
    item = {"phone": phone, "country": "england", "operator_phone": f"Three|{phone}"}

    def listed(country: str = "england") -> list[str]:
        of_country = expression("#country = :country", country=country)
        return [one["phone"] for one in db.query_all(table, of_country, index="by-country")]

    db.put(table, item)
    assert (listed(), db.get(table, {"phone": phone})) == ([], item)
    clock.advance(ms=50)
    db.put(table, {**item, "country": "france"})
    assert (listed(), listed("france")) == ([phone], [])
    clock.advance(ms=50)
    assert (listed(), listed("france")) == ([], [phone])
