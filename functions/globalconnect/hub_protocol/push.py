"""PUSH_SMS: what hubs are sent, and which answer says that it is taken (contract 3)."""

import gzip
import json
from collections.abc import Mapping
from enum import Enum, auto

from globalconnect.domain.numerals import refuse_constant
from globalconnect.domain.sms import Sms
from globalconnect.hub_protocol.answers import Body, sms_fields
from globalconnect.hub_protocol.dialect import Dialect

ACTION = "PUSH_SMS"

_JSON_SPACE = " \t\r\n"
_BYTE_ORDER_MARK = "\ufeff"


class PushAnswer(Enum):
    """What a hub's answer says of a push."""

    TAKEN = auto()
    STOP = auto()
    """Never again, though it is not taken."""
    REFUSED = auto()


def push_body(sms: Sms, key: str, dialect: Dialect) -> Body:
    """Return the JSON body that pushes an SMS to the hub that has this key."""
    return {"key": key, "action": ACTION, **sms_fields(sms, dialect), **dialect.push_extras}


def push_content(body: Body, dialect: Dialect) -> bytes:
    """Return the bytes that go out."""
    # A lone surrogate has no UTF-8 form; one garbled character must not keep an SMS from being pushed at all.
    content = _COMPACT_JSON.encode(dict(body)).encode("utf-8", "replace")
    # mtime=0: the same push is always the same bytes.
    return gzip.compress(content, mtime=0) if dialect.push_gzip else content


def push_headers(key: str, dialect: Dialect) -> dict[str, str]:
    """Return the headers of a push that are the dialect's."""
    headers = {"Accept-Encoding": dialect.push_accept_encoding}
    if dialect.push_gzip:
        headers["Content-Encoding"] = "gzip"
    if dialect.push_authorization is not None:
        headers["Authorization"] = dialect.push_authorization.format(key)
    return headers


def judged(status: int | None, content: bytes, dialect: Dialect) -> PushAnswer:
    """Return what an answer says of a push: its HTTP status, None before there was one, and its body, unpacked.

    What follows a whole JSON object is ignored.
    """
    said = _top_level(content)
    if not dialect.push_stop_words.isdisjoint(value for value in said.values() if isinstance(value, str)):
        return PushAnswer.STOP
    done = dialect.push_done
    is_taken = status in done.statuses and (done.says is None or said.get("status") == done.says)
    return PushAnswer.TAKEN if is_taken else PushAnswer.REFUSED


def _top_level(content: bytes) -> Mapping[str, object]:
    """Return the JSON object that an answer begins with; an empty one when there is none that is whole."""
    text = content.decode("utf-8", "surrogateescape").removeprefix(_BYTE_ORDER_MARK).lstrip(_JSON_SPACE)
    if not text.startswith("{"):
        return {}
    try:
        found, end = _JSON.raw_decode(text)
        # What was no UTF-8 is a surrogate now.
        text[:end].encode()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


_COMPACT_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
# Numbers stay text: only `status` matters, and a number of 60,000 digits is expensive to convert.
_JSON = json.JSONDecoder(parse_constant=refuse_constant, parse_int=str, parse_float=str)
