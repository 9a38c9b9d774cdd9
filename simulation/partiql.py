"""moto's DynamoDB asked without HTTP, and taught PartiQL updates, which it takes without doing them.

Of a call through botocore and moto, signing, sending and finding who is meant are nine tenths. Of PartiQL it
understands what `store.pushes` writes: `UPDATE "table" SET "a" = ? SET "n" = "n" + ? REMOVE "b" WHERE "key" = ? AND "c"
<= ? [RETURNING ALL NEW *]`. The emulator and DynamoDB read the statements themselves; tests/integration runs the
store's tests on the emulator too.
"""

import base64
import copy
import json
import re
import threading
from collections.abc import Callable, Collection, Mapping
from types import SimpleNamespace
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.parsers import JSONParser
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

from simulation.aws import REGION

_PARSER: Any = JSONParser()
# moto copies whole tables while another thread may write to them; DynamoDB's own calls don't disturb each other.
_ONE_AT_A_TIME = threading.Lock()
_STATEMENT = re.compile(
    r'UPDATE "(?P<table>[^"]+)" (?P<changes>.+?) WHERE (?P<conditions>.+?)(?P<returning> RETURNING ALL NEW \*)?'
)
_CHANGE = re.compile(r'(SET) "(\w+)" = (?:"(\w+)" \+ )?\?|(REMOVE) "(\w+)"')
_CONDITION = re.compile(r'"(\w+)" (=|<=|<) \?')


def teach(client: Any, helper: Any) -> None:
    """Let a client of moto carry out BatchExecuteStatement, by UpdateItem of a second client, which hooks don't see."""

    def carry_out(params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        answers = [_one(helper, asked) for asked in json.loads(params["body"])["Statements"]]
        return SimpleNamespace(status_code=200), {"Responses": answers, "ResponseMetadata": {}}

    Table.__deepcopy__ = _copied  # type: ignore[attr-defined]
    for asked in (client, helper):
        asked.meta.events.register_last("before-call.dynamodb", _answer)
    client.meta.events.register("before-call.dynamodb.BatchExecuteStatement", carry_out)


def _answer(model: OperationModel, params: dict[str, Any], **_: object) -> tuple[Any, Any]:
    """Return what moto's handler answers, read as botocore reads what comes over HTTP."""
    handler = DynamoHandler()
    handler.current_account, handler.region, handler.headers = DEFAULT_ACCOUNT_ID, REGION, {}
    handler.body = handler.params = json.loads(params["body"])
    try:
        with _ONE_AT_A_TIME:
            found = getattr(handler, xform_name(model.name))().result
    except HTTPException as error:
        refusal = {"status_code": 400, "headers": {}, "body": error.get_body().encode()}
        parsed = _PARSER.parse(refusal, model.output_shape)
        shape = model.service_model.shape_for_error_code(parsed["Error"]["Code"])
        sent_once = {"ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 0}}
        return SimpleNamespace(status_code=400), parsed | _PARSER.parse(refusal, shape) | sent_once
    answer = {"status_code": 200, "headers": {}, "body": json.dumps(found, default=_spelled).encode()}
    return SimpleNamespace(status_code=200), _PARSER.parse(answer, model.output_shape)


def _spelled(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _copied(table: Table, memo: dict[int, Any]) -> Table:
    """Copy the items of a table, which is all that a transaction changes: moto keeps a copy for each of its actions."""
    copied = copy.copy(table)
    copied.items = copy.deepcopy(table.items, memo)
    if table.stream_shard is not None:
        copied.stream_shard = copy.copy(table.stream_shard)
        copied.stream_shard.items = [*table.stream_shard.items]
    return copied


def update_of(
    asked: Mapping[str, Any], key_names_of: Callable[[str], Collection[str]]
) -> tuple[str, dict[str, Any], bool]:
    """Return the table of a statement, the arguments of the UpdateItem that does the same, and whether it returns the item.

    Takes what gives the names of a table's key.
    """
    read = _STATEMENT.fullmatch(asked["Statement"])
    assert read, f"not understood: {asked['Statement']}"
    table = read["table"]
    values = {f":v{place}": value for place, value in enumerate(asked["Parameters"])}
    waiting = list(values)
    sets: list[str] = []
    removes: list[str] = []
    for _, name, added_to, _, removed in _CHANGE.findall(read["changes"]):
        if removed:
            removes.append(f"#{removed}")
        else:
            sets.append(f"#{name} = " + (f"#{added_to} + " if added_to else "") + waiting.pop(0))
    change = ("SET " + ", ".join(sets) if sets else "") + (" REMOVE " + ", ".join(removes) if removes else "")
    conditions = [(name, relation, waiting.pop(0)) for name, relation in _CONDITION.findall(read["conditions"])]
    assert not waiting, "a value without a question mark"
    key_names = key_names_of(table)
    key = {name: values.pop(place) for name, _, place in conditions if name in key_names}
    rest = [f"#{name} {relation} {place}" for name, relation, place in conditions if name not in key_names]
    arguments = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": change,
        "ConditionExpression": " AND ".join(rest),
        "ExpressionAttributeNames": {f"#{name}": name for name in re.findall(r"#(\w+)", change + " ".join(rest))},
        "ExpressionAttributeValues": values,
    }
    return table, arguments, read["returning"] is not None


def _one(client: Any, asked: dict[str, Any]) -> dict[str, Any]:
    def key_names_of(table: str) -> set[str]:
        return {part["AttributeName"] for part in client.describe_table(TableName=table)["Table"]["KeySchema"]}

    table, arguments, returns = update_of(asked, key_names_of)
    try:
        changed = client.update_item(**arguments, ReturnValues="ALL_NEW")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return {"TableName": table, "Error": {"Code": "ConditionalCheckFailed"}}
    return {"TableName": table, **({"Item": changed["Attributes"]} if returns else {})}
