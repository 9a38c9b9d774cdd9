"""PUSH_SMS: what hubs are sent, and which answer says that it is taken (contract 3)."""

import json

from globalconnect.domain.numerals import refuse_constant
from globalconnect.domain.sms import Sms
from globalconnect.hub_protocol.answers import SUCCESS, Body, sms_fields
from globalconnect.hub_protocol.dialect import Dialect

ACTION = "PUSH_SMS"

_JSON_SPACE = " \t\r\n"
_BYTE_ORDER_MARK = "\ufeff"


def push_body(sms: Sms, key: str, dialect: Dialect) -> Body:
    """Return the JSON body that pushes an SMS to the hub that has this key."""
    return {"key": key, "action": ACTION, **sms_fields(sms, dialect), **dialect.push_extras}


def says_taken(content: bytes) -> bool:
    """Return whether the body of an answer begins with a whole JSON object that says so, whatever follows that."""
    text = content.decode("utf-8", "surrogateescape").removeprefix(_BYTE_ORDER_MARK).lstrip(_JSON_SPACE)
    if not text.startswith("{"):
        return False
    try:
        found, end = _JSON.raw_decode(text)
        # What was no UTF-8 is a surrogate now.
        text[:end].encode()
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("status") == SUCCESS


# Numbers stay text: only `status` matters, and a number of 60,000 digits is expensive to convert.
_JSON = json.JSONDecoder(parse_constant=refuse_constant, parse_int=str, parse_float=str)
