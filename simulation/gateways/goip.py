"""How the SMS server of GoIP forwards, by a program that takes it."""

import json

from simulation.aws import START
from simulation.gateways.jasmin import forge, sign
from simulation.gateways.openvox import at_three_hours
from simulation.gateways.sample import Sample, Sent


def received(**changes: object) -> Sent:
    """Return an SMS, with some of its fields changed."""
    fields = {
        "goip_line": "goip-10101",
        "from_number": "Google",
        "content": "Code 48213",
        "recv_time": at_three_hours(START),
    }
    return Sent("POST", headers={"Content-Type": "application/json"}, body=json.dumps(fields | changes).encode())


def line_of(phone: str) -> str:
    """Return the line of a number."""
    return f"goip-1{phone[-4:]}"


SAMPLE = Sample(
    write=lambda _id, phone, text, at: received(goip_line=line_of(phone), content=text, recv_time=at_three_hours(at)),
    sign=sign,
    forge=forge,
    nothing=[Sent("POST", body=b'{"taskID":"5689","goip_line":"G101","send":"succeeded","receipt":"1"}')],
    unreadable=[
        *(Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"[]", b"{}")),
        received(goip_line=None),
        received(content=None),
    ],
    acknowledged=(200, "application/json; charset=utf-8", '{"status":"SUCCESS"}'),
    settings={"utc_offset": "+03:00"},
    line_of=line_of,
)
