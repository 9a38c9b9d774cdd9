"""dynalite, a DynamoDB in JavaScript that is nobody's we know: it reads DynamoDB's rules on its own, and strictly.

It has no transactions, no PartiQL, no streams and no TTL. `Singly` carries out the actions of a transaction one by one.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.place import NODE, REPOSITORY

_HOME = REPOSITORY / ".tools" / "dynalite"
# On a free port, which it tells; it ends with whoever started it.
_SERVE = """
const server = require("dynalite")({createTableMs: 0, deleteTableMs: 0, updateTableMs: 0});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
"""


@contextmanager
def running() -> Iterator[Any]:
    """Run a dynalite, and give a client of it."""
    command = [str(NODE), "--eval", _SERVE]
    with subprocess.Popen(command, cwd=_HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "dynalite did not start: make .tools/dynalite/.done"
        yield boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}")
        process.stdin.close()


class Singly:
    """A client whose transactions are single writes, one after the other; those before one that fails stay done."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        """Return any other operation."""
        return getattr(self._client, name)

    def transact_write_items(self, TransactItems: Sequence[Mapping[str, Any]], **_: object) -> None:  # noqa: N803 - as AWS spells it
        """Carry out the actions."""
        for place, action in enumerate(TransactItems):
            ((kind, asked),) = action.items()
            write = {"Put": "put_item", "Delete": "delete_item"}.get(kind, "update_item")
            try:
                getattr(self._client, write)(**asked)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                answer: Any = {
                    **error.response,
                    "Error": {"Code": "TransactionCanceledException"},
                    "CancellationReasons": [{"Code": "None"}] * place + [{"Code": "ConditionalCheckFailed"}],
                }
                raise ClientError(answer, "TransactWriteItems") from None
