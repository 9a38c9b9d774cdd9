"""How Ejoin's and Skyline's pools send, as the pretend one of the local stack does."""

import json

from local import pretend_modems
from local.pretend_modems import MAC, block, port_status, state
from simulation.aws import START
from simulation.gateways.jasmin import forge, sign
from simulation.gateways.sample import Sample, Sent

__all__ = ["MAC", "SAMPLE", "block", "dev_status", "port_of", "posted", "raw", "row", "rows", "state"]


def posted(**fields: object) -> Sent:
    """Return a message of JSON."""
    headers = {"Content-Type": "application/json;charset=utf-8"}
    return Sent("POST", headers=headers, body=json.dumps(fields, separators=(",", ":")).encode())


def row(
    content: str, stated: object = START // 1000, port: object = "5.01", phone: object = "", sim: object = None
) -> list[object]:
    """Return an SMS of `recv-sms`."""
    return pretend_modems.row(content, stated, port, phone, sim)


def rows(*several: object) -> Sent:
    """Return a `recv-sms`."""
    return posted(**pretend_modems.recv_sms(*several))


def dev_status(*states: object, **fields: object) -> Sent:
    """Return the states of all ports."""
    return posted(**pretend_modems.dev_status(*states, **fields))


def raw(body: str, **query: str) -> Sent:
    """Return an SMS of `SMS to HTTP`."""
    fields = {"port": "61A", "sender": "Google", "mac": MAC, "iccid": "8944100000000000012"} | query
    return Sent("POST", query=fields, headers={"Content-Type": "application/octet-stream"}, body=body.encode())


def port_of(phone: str) -> str:
    """Return the port of a number."""
    return f"{phone[-4:-2]}.{phone[-2:]}"


SAMPLE = Sample(
    write=lambda _id, phone, text, at: rows(row(block(text, port=port_of(phone)), at // 1000, port_of(phone))),
    sign=sign,
    forge=forge,
    nothing=[
        dev_status(state("5.01", 3), state("5.02", 0)),
        posted(**port_status(state("5.01", 0))),
        rows([1, "5.01", START // 1000, "+12025550143", "", "0 26030115200712"]),
        posted(type="status-report", rpt_num=1, rpts=[{"tid": 1201, "sent": 1}]),
    ],
    unreadable=[
        *(Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"[]", b"{}", b'{"type":"recv-sms"}')),
        rows(row("Code", port="")),
        rows([0, "5.01", START // 1000, "Google", "", "no base64!"]),
        dev_status({"st": 3}),
        raw("Code 48213", port="", iccid=""),
    ],
    acknowledged=(200, "application/json; charset=utf-8", '{"code":200,"reason":"OK"}'),
    line_of=port_of,
)
