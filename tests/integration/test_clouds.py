"""The cloud that tests run on: empty for each, and asked without HTTP it answers as over HTTP."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulation.clouds import Moto
from simulation.shop import Shop

ITEM = {"phone": {"S": "1"}, "more": {"L": [{"N": "1"}, {"B": b"\x00\xff"}, {"M": {"is": {"BOOL": True}}}]}}
ABSENT = {"TableName": "NumbersTable", "Item": ITEM, "ConditionExpression": "attribute_not_exists(phone)"}
CALLS: list[Callable[[Any], Any]] = [
    lambda client: client.get_item(TableName="NumbersTable", Key={"phone": {"S": "1"}}),
    lambda client: client.scan(TableName="NumbersTable"),
    lambda client: client.put_item(**ABSENT),
    lambda client: client.transact_write_items(TransactItems=[{"Put": ABSENT}]),
    lambda client: client.get_item(TableName="NumbersTable", Key={"number": {"S": "1"}}),
    lambda client: client.get_item(TableName="Nowhere", Key={"phone": {"S": "1"}}),
]


def test_a_cloud_holds_nothing_of_the_one_before(moto: Moto) -> None:
    shop = Shop(moto.cloud())
    shop.stock("447472190082")
    cloud = shop.cloud
    cloud.sqs.send_message(QueueUrl=cloud.env["RETRY_QUEUE_URL"], MessageBody="left")
    after = moto.cloud()
    assert after.queued() == []
    tables = [name for variable, name in after.env.items() if variable.endswith("_TABLE")]
    assert len(tables) > 10
    assert [name for name in tables if after.client.scan(TableName=name)["Count"]] == []


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_or_a_refusal_is_the_one_that_http_brings(moto: Moto, call: Callable[[Any], Any]) -> None:
    moto.cloud().client.put_item(TableName="NumbersTable", Item=ITEM)
    direct, over_http = (_told(call, client) for client in (moto.dynamodb, boto3.client("dynamodb")))
    assert direct == over_http


def _told(call: Callable[[Any], Any], client: Any) -> dict[str, Any]:
    try:
        told = call(client)
    except ClientError as refusal:
        told = refusal.response
        assert told["ResponseMetadata"]["RetryAttempts"] == 0
    return {name: value for name, value in told.items() if name != "ResponseMetadata"}
