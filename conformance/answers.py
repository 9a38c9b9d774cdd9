"""What every hub wants of an answer or a push, whoever looks at it."""

import re
from collections.abc import Mapping

from conformance.exchange import Exchange

OK = 200
LARGEST_ID = 2**64 - 1
_JSON = re.compile(r'application/json(;\s*charset="?utf-8"?)?', re.IGNORECASE)


def is_success(answer: Exchange) -> bool:
    """Tell whether an answer says that what was asked for was done."""
    return answer.status == OK and answer.field("status") == "SUCCESS"


def says_json(headers: Mapping[str, str], *, with_charset: bool) -> bool:
    """Tell whether the headers, whose names are in small letters, say JSON in UTF-8; the charset may be left out unless it is wanted."""
    found = _JSON.fullmatch(headers.get("content-type", "").strip())
    return found is not None and bool(found[1] or not with_charset)
