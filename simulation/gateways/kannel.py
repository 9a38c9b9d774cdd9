"""How Kannel sends, with the template that we tell its owner to enter: urltrans_fill_escape_codes of gw/urltrans.c."""

from dataclasses import replace

from simulation.aws import START
from simulation.gateways.sample import Place, Sample, Sent


def sms(phone: str, text: str, **fields: str) -> Sent:
    """Return a GET of the template, its query as API Gateway decodes it."""
    basic = {"from": "+79990001122", "to": f"+{phone}", "text": text, "coding": "0", "charset": "UTF-8"}
    others = {"time": str(START // 1000), "id": "9d1b", "smsc": "m1", "udh": ""}
    return Sent("GET", query=basic | others | fields)


def as_query(octets: bytes) -> str:
    """Return octets as they come out of a query that is decoded as UTF-8."""
    return octets.decode("utf-8", "replace")


def _write(provider_id: str, phone: str, text: str, at: int) -> Sent:
    return sms(phone, text, id=provider_id, time=str(at // 1000))


def _write_part(provider_id: str, phone: str, text: str, at: int, place: Place) -> Sent:
    reference, number, total = place
    # Of a reference of two octets seven bits each: more would be lost in the query.
    header = bytes([6, 8, 4, reference // 128, reference % 128, total, number])
    return sms(phone, text, id=provider_id, time=str(at // 1000), udh=as_query(header))


def _sign(sent: Sent, secret: str, _url: str, _now: int) -> Sent:
    return replace(sent, query={"key": secret, **{name: sent.query[name] for name in sent.query if name != "key"}})


def _forge(sent: Sent) -> list[Sent]:
    secret = sent.query["key"]
    keys = ("", secret[:-1], f"{secret}0", secret.upper(), "é\0")
    return [*(replace(sent, query={**sent.query, "key": key}) for key in keys), replace(sent, method="POST", query={})]


SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[Sent("GET")],
    unreadable=[
        Sent("GET", query={"from": "1", "to": "447472190082"}),
        sms("", "5015", to="Shop", smsc=""),
        sms("447472190082", as_query("é".encode("utf-16-be")), coding="2", charset="UTF-16BE"),
    ],
    acknowledged=(200, "text/plain", ""),
    write_part=_write_part,
)
