"""What a failure of AWS means, as a table, and what our callers are told of it.

A call that failed may have been carried out all the same (docs/adr/0018).
"""

from enum import Enum
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from globalconnect.domain.errors import Busy, Unavailable

FAILURES = (BotoCoreError, ClientError)

TRIES = 8
# botocore has tried for longer than this when it gives up for want of an answer; connections that are refused or cut
# fail at once.
_UNANSWERED_SECONDS = 10.0
_CANCELED = "TransactionCanceledException"


class _Meaning(Enum):
    CONDITION = "a condition failed: nothing was written"
    CONTENTION = "others hold the items, or it was throttled: it only has to be tried again"
    MISTAKE = "AWS does not take it, however often it is tried"


# By the name of a whole call's error without its "Exception", of a reason why a transaction was cancelled, or of a
# statement's error.
_MEANINGS = {
    "ConditionalCheckFailed": _Meaning.CONDITION,
    "TransactionConflict": _Meaning.CONTENTION,
    "TransactionInProgress": _Meaning.CONTENTION,
    "Throttling": _Meaning.CONTENTION,
    "ThrottlingError": _Meaning.CONTENTION,
    "ProvisionedThroughputExceeded": _Meaning.CONTENTION,
    "RequestLimitExceeded": _Meaning.CONTENTION,
    "InternalServerError": _Meaning.CONTENTION,
}


class ConditionFailed(Exception):
    """A conditional write found something else than expected; nothing was written.

    `failed` are the positions of the actions whose condition failed.
    """

    def __init__(self, failed: frozenset[int] = frozenset({0})) -> None:
        super().__init__("the condition of a write failed")
        self.failed = failed


def unavailable(error: BotoCoreError | ClientError) -> Unavailable:
    """Return what callers are told of a failure of AWS; its message may quote what somebody sent, and stays out."""
    return Unavailable(error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__)


def may_be_done(error: BotoCoreError | ClientError) -> bool:
    """Return whether a try that failed so, or one that botocore made before it, may have been carried out."""
    if not isinstance(error, ClientError):
        return isinstance(error, HTTPClientError)
    answer: Any = error.response.get("ResponseMetadata", {})
    # An SDK that does not say how often it sent a call may have sent it again (docs/adr/0031).
    return answer.get("RetryAttempts", 1) > 0 or _is_failure_of_aws(error)


def failure_of_call(
    error: BotoCoreError | ClientError, attempt: int, tries: int, seconds: float
) -> ConditionFailed | Busy | Unavailable | None:
    """Return what to raise after the attempt of that number failed so, `seconds` after the first began; None to go on."""
    if isinstance(error, ClientError) and not _is_failure_of_aws(error):
        meanings = _meanings(error)
        failed = frozenset(place for place, meaning in enumerate(meanings) if meaning is _Meaning.CONDITION)
        if failed:
            return ConditionFailed(failed)
        if _Meaning.CONTENTION in meanings:
            return Busy() if attempt >= tries else None
        return unavailable(error)
    is_unsent = not isinstance(error, ClientError | HTTPClientError)
    return unavailable(error) if is_unsent or attempt >= TRIES or seconds > _UNANSWERED_SECONDS else None


def failure_of_statement(code: str) -> ConditionFailed | Busy | Unavailable:
    """Return what a statement ended with that AWS refused with this code."""
    match _meaning(code):
        case _Meaning.CONDITION:
            return ConditionFailed()
        case _Meaning.CONTENTION:
            return Busy()
        case _Meaning.MISTAKE:
            return Unavailable(code)


def _meanings(error: ClientError) -> list[_Meaning]:
    """Return what a call failed for: one meaning, or one for each action of a transaction."""
    code = error.response["Error"]["Code"]
    if code != _CANCELED:
        return [_meaning(code)]
    return [_meaning(reason.get("Code", "None")) for reason in error.response.get("CancellationReasons", [])]


def _meaning(code: str) -> _Meaning:
    return _MEANINGS.get(code.removesuffix("Exception"), _Meaning.MISTAKE)


def _is_failure_of_aws(error: ClientError) -> bool:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR
