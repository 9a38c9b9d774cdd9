"""The sample events of events/, and the data they assume.

By hand, for `sam local invoke` (events/README.md): tables with the sample data in a running emulator, and the
variables that lead a function there.

    PYTHONPATH=functions python -m tests.rie.samples http://127.0.0.1:4566 > .local/sample-variables.json
"""

import argparse
import base64
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from local.aws import CONFIG, session
from local.place import REPOSITORY
from simulation.aws import TEMPLATE, make_environment

EVENTS = REPOSITORY / "events"
DATA = EVENTS / "data.json"

type Item = dict[str, Any]


def names() -> list[str]:
    """Return the sample events, as `<folder of the function>/<case>.json`."""
    return sorted(str(path.relative_to(EVENTS)) for path in EVENTS.glob("*/*.json"))


def read(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    return event


def data() -> dict[str, list[Item]]:
    """Return the items that the events refer to, as boto3 takes them, by the logical id of their table."""
    tables: dict[str, list[Item]] = json.loads(DATA.read_text(encoding="utf-8"), object_hook=_with_octets)
    return tables


def _with_octets(value: Item) -> Item:
    # JSON spells them in base64.
    return {"B": base64.b64decode(value["B"])} if value.keys() == {"B"} else value


def put(dynamodb: Any, tables: Mapping[str, Iterable[Item]]) -> None:
    """Make tables hold these items and no others. Takes the items by the name of their table."""
    for table, items in tables.items():
        keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
        for item in dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]:
            dynamodb.delete_item(TableName=table, Key={key: item[key] for key in keys})
        for item in items:
            dynamodb.put_item(TableName=table, Item=item)


def _main(endpoint: str) -> None:
    # Credentials of its own that only an emulator takes: this can't delete anything on AWS.
    dynamodb = session().client("dynamodb", endpoint_url=endpoint, config=CONFIG)
    there = dynamodb.list_tables()["TableNames"]
    for table in data():
        if table in there:
            dynamodb.delete_table(TableName=table)
    sqs = session().client("sqs", endpoint_url=endpoint, config=CONFIG)
    variables = make_environment(TEMPLATE, dynamodb, sqs)
    put(dynamodb, data())
    json.dump({"Parameters": variables | {"PUSH_LOOPBACK": "true", "AWS_ENDPOINT_URL": endpoint}}, sys.stdout, indent=2)


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(prog="python -m tests.rie.samples", description=__doc__)
    _parser.add_argument("endpoint", help="where the AWS APIs of the emulator are")
    _main(_parser.parse_args().endpoint)
