"""A partner that needs no memory: it says SUCCESS from the time on that the text of an SMS names.

On AWS it is the code of a function of its own (stack.yaml), here a server on 127.0.0.1. Each of its answers says when the
request came, in pairs of digits: what is kept of an answer to a push has codes masked, which are longer.
"""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any


def text_until(seconds: float) -> str:
    """Return the text of an SMS that is taken from that time on (s since 1970)."""
    return f"taken from {round(seconds * 1000)}"


def answer(body: str, now: float) -> Mapping[str, Any]:
    """Return what is answered to a request that came at `now` (s since 1970)."""
    try:
        text = json.loads(body).get("text", "")
    except (ValueError, AttributeError):
        text = ""
    taken_from = text.rpartition(" ")[2]
    taken = taken_from.isdecimal() and now * 1000 >= int(taken_from)
    digits = str(round(now * 1000))
    pairs = " ".join(digits[place : place + 2] for place in range(0, len(digits), 2))
    return {"status": "SUCCESS" if taken else "ERROR", "at": pairs}


def came_at(answered: str) -> float:
    """Return when the request came (s since 1970) to which this was answered. Raises ValueError for anything else."""
    try:
        return int(str(json.loads(answered)["at"]).replace(" ", "")) / 1000
    except (KeyError, TypeError):
        raise ValueError("not an answer of the pretend partner") from None


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request to the function's URL."""
    now, body = time.time(), event.get("body") or ""
    said = json.dumps(answer(base64.b64decode(body).decode() if event.get("isBase64Encoded") else body, now))
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": said}
