"""One line for each request that is worth one (docs/architecture.md), printed as `logs` and `metrics` print theirs.

It does without their libraries, whose import would be most of partner_api's cold start (docs/adr/0023). A line has ids
and classes only: never a key, a query or a body, nor an error's message, which may quote them.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import TextIO

from globalconnect.domain.errors import GlobalConnectError, InvalidKey, InvalidSignature
from globalconnect.runtime.startup import clock, service_name

NAMESPACE = "GlobalConnect"

# Where lines go; None is stdout, which on Lambda is the log.
stream: TextIO | None = None

_REFUSED = 400
_OUR_FAULT = 500


class RefusalCount(StrEnum):
    """What is counted of requests, by the metric's name."""

    KEYS = "RefusedKeys"
    SIGNATURES = "RefusedSignatures"


_COUNTED: Mapping[type[GlobalConnectError], RefusalCount] = {
    InvalidKey: RefusalCount.KEYS,
    InvalidSignature: RefusalCount.SIGNATURES,
}


def is_worth_a_line(status: int) -> bool:
    """Return whether a request with this answer is logged whatever it asked for."""
    return status >= _REFUSED


def write(status: int, meant: int, error: type[GlobalConnectError] | None, fields: Mapping[str, str | int]) -> None:
    """Print the line of a request, with how it was answered and what else is known of it.

    Where the answer's status doesn't say what happened, `meant` is the one that would.
    """
    level = "INFO" if meant < _REFUSED else "WARNING" if meant < _OUR_FAULT else "ERROR"
    line: dict[str, object] = {
        "level": level,
        "message": "request",
        "status": status,
        **fields,
    }
    if error is not None:
        line["error"] = error.__name__
        line |= _count(_COUNTED.get(error))
    print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), file=stream)


def _count(metric: RefusalCount | None) -> Mapping[str, object]:
    """Return what makes CloudWatch count a line: its embedded metric format."""
    if metric is None:
        return {}
    directive = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": [{"Name": metric, "Unit": "Count"}]}
    return {"_aws": {"Timestamp": clock(), "CloudWatchMetrics": [directive]}, metric: 1, "service": service_name()}
