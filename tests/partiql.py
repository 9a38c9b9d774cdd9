"""PartiQL updates for moto, which takes them without doing them.

Understands what `store.pushes` writes: `UPDATE "table" SET "a" = ? SET "n" = "n" + ? REMOVE "b" WHERE "key" = ? AND
"c" <= ? [RETURNING ALL NEW *]`. The emulator and DynamoDB read the statements themselves; tests/integration runs the
store's tests on the emulator too.
"""

import json
import re
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

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

    client.meta.events.register("before-call.dynamodb.BatchExecuteStatement", carry_out)


def _one(client: Any, asked: dict[str, Any]) -> dict[str, Any]:
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
    key_names = {part["AttributeName"] for part in client.describe_table(TableName=table)["Table"]["KeySchema"]}
    key = {name: values.pop(place) for name, _, place in conditions if name in key_names}
    rest = [f"#{name} {relation} {place}" for name, relation, place in conditions if name not in key_names]
    try:
        changed = client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression=change,
            ConditionExpression=" AND ".join(rest),
            ExpressionAttributeNames={f"#{name}": name for name in re.findall(r"#(\w+)", change + " ".join(rest))},
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return {"TableName": table, "Error": {"Code": "ConditionalCheckFailed"}}
    return {"TableName": table, **({"Item": changed["Attributes"]} if read["returning"] else {})}
