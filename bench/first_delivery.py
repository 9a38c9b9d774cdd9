"""Row gateways.3: the first SMS that Telnyx delivers to a cold function, which has 2 s for it.

The processor time of INIT and of the first request, in a fresh process over a DynamoDB that answers at once, counted at
the share of a processor that Lambda gives the function; each call of DynamoDB at 8 ms; 300 ms for starting the environment.
"""

import base64
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Collection, Iterator

from bench.row import Row, Say
from local.place import REPOSITORY
from simulation.aws import ENVIRONMENT, TEMPLATE, variables
from simulation.gateways import sample_of

IDS = ("gateways.3",)

_LIMIT = 1.5
_STARTS = 11
# At which Lambda gives a whole processor (AWS: "Configure Lambda function memory").
_WHOLE_PROCESSOR = 1_769
_CALL_MS, _START_MS = 8, 300
_PHONE = "447472190082"

# A process that is nothing but the function and its first delivery. Says its processor time (ms) and its calls.
_FUNCTION = """
import json, sys, time
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
import inbound_sms.app
from inbound_sms.wiring import parts

event, answers, calls = json.load(sys.stdin), None, []
answers = event.pop("answers")

class Answered(AWSResponse):
    def __init__(self, content):
        super().__init__("https://dynamodb.us-east-1.amazonaws.com/", 200, HTTPHeaders(), None)
        self._content = content

def answer(event_name, **_):
    calls.append(event_name.rpartition(".")[2])
    return Answered(json.dumps(answers[calls[-1]]).encode())

parts().arrivals._db._client.meta.events.register("before-send.dynamodb", answer)
answered = inbound_sms.app.handler(event, None)
print(json.dumps([time.process_time() * 1000, calls, answered["statusCode"]]))
"""


def rows(progress: Say, _wanted: Collection[str] = IDS) -> Iterator[Row]:
    function = TEMPLATE["Resources"]["InboundSmsFunction"]["Properties"]
    memory = function.get("MemorySize", TEMPLATE["Globals"]["Function"]["MemorySize"])
    asked = json.dumps(_first_delivery())
    starts = [_start(asked) for _ in range(_STARTS + 1)][1:]
    processor = statistics.median(took for took, _ in starts)
    calls = starts[0][1]
    seconds = round((processor * _WHOLE_PROCESSOR / memory + len(calls) * _CALL_MS + _START_MS) / 1000, 3)
    progress(
        f"gateways.3: INIT and the first delivery of Telnyx: median of {_STARTS} {processor:.0f} ms of processor "
        f"({min(starts)[0]:.0f} to {max(starts)[0]:.0f}), with {memory} MB; {len(calls)} calls ({', '.join(calls)})"
    )
    yield Row(
        "gateways.3",
        "a cold function takes an SMS of Telnyx, which waits for 2 s, in at most 1.5 s",
        seconds,
        "s",
        _LIMIT,
        seconds <= _LIMIT,
    )


def _start(asked: str) -> tuple[float, list[str]]:
    environment = {
        **ENVIRONMENT,
        **variables(TEMPLATE, {}),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY / "functions"),
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1",
    }
    command = [sys.executable, "-c", _FUNCTION]
    ran = subprocess.run(command, env=environment, input=asked, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    took, calls, status = json.loads(ran.stdout.splitlines()[-1])
    if status != 200:  # noqa: PLR2004 - HTTP's OK
        raise AssertionError(ran.stdout)
    return took, calls


def _first_delivery() -> dict[str, object]:
    """Return the event of an SMS to a number that is sold, with what DynamoDB answers to each call."""
    now = time.time_ns() // 1_000_000
    sample = sample_of("telnyx")
    secret = sample.secret(0)
    sent = sample.sign(sample.write("id-1", _PHONE, "Your code: 5015", now), secret, "", now)
    source = {"source_id": "source1", "name": "Telnyx", "provider": "telnyx", "secret": secret}
    number = {"phone": _PHONE, "country": "england", "operator": "O2", "activation_id": 7, "partner_id": "hub"}
    times = {"available_from": now + 600_000, "held_from": now - 60_000, "version": 1}
    return {
        "httpMethod": "POST",
        "path": "/inbound/source1",
        "resource": "/inbound/{sourceId}",
        "pathParameters": {"sourceId": "source1"},
        "headers": dict(sent.headers),
        "body": base64.b64encode(sent.body).decode(),
        "isBase64Encoded": True,
        "requestContext": {"domainName": "api.example.com", "path": "/live/inbound/source1"},
        "answers": {
            "GetItem": {"Item": _wire({**source, "created_at": now})},
            "BatchGetItem": {"Responses": {"NumbersTable": [_wire({**number, **times})]}, "UnprocessedKeys": {}},
            "TransactWriteItems": {},
            "UpdateItem": {"Attributes": {}},
        },
    }


def _wire(item: dict[str, object]) -> dict[str, dict[str, str]]:
    return {name: {"N" if isinstance(value, int) else "S": str(value)} for name, value in item.items()}
