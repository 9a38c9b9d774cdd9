"""How OpenVox's gateways send: the demo of their "SMS to HTTP", and a note on integrating them."""

from datetime import UTC, datetime, timedelta

from simulation.aws import START
from simulation.gateways.jasmin import forge, sign
from simulation.gateways.sample import Sample, Sent


def at_three_hours(at: int) -> str:
    """Return a time (ms) as a clock shows it that is three hours ahead."""
    return f"{datetime.fromtimestamp(at / 1000, UTC) + timedelta(hours=3):%Y-%m-%d %H:%M:%S}"


def sms(**fields: str) -> Sent:
    """Return a GET, its query as API Gateway decodes it."""
    basic = {"phonenumber": "Google", "port": "gsm-1.2", "portname": "first", "message": "Code 48213"}
    return Sent("GET", query=basic | {"time": at_three_hours(START), "imsi": "234100000000012"} | fields)


def port_of(phone: str) -> str:
    """Return the port of a number."""
    return f"gsm-{phone[-4:-2]}.{phone[-2:]}"


SAMPLE = Sample(
    write=lambda _id, phone, text, at: sms(port=port_of(phone), message=text, time=at_three_hours(at)),
    sign=sign,
    forge=forge,
    nothing=[Sent("GET")],
    unreadable=[
        Sent("GET", query={"phonenumber": "Google", "port": "gsm-1.2"}),
        sms(port="", portname=""),
        sms(port="x" * 201),
    ],
    acknowledged=(200, "text/plain", ""),
    settings={"utc_offset": "+03:00"},
    line_of=port_of,
)
