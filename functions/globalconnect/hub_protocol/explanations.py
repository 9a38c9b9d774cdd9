"""What a partner's developer is told about a NO_NUMBERS, on the partners' page alone (contract 1.8)."""

from collections.abc import Mapping
from types import MappingProxyType

from globalconnect.domain.explanation import Explanation, Reason
from globalconnect.hub_protocol.answers import ANY_OPERATOR, NO_NUMBERS, SUCCESS, Body
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.requests import RESTRICTION

# By reason the word, and the sentence.
REASONS: Mapping[Reason, tuple[str, str]] = MappingProxyType(
    {
        Reason.PAUSED: ("paused", "Sales to this key are paused. Ask your contact at the supplier."),
        Reason.LIMIT: (
            "limit",
            "This key holds as many live activations as it may. Finish some, or wait until they expire.",
        ),
        Reason.UNKNOWN_SERVICE: (
            "unknownService",
            "No service has this code. GET_SERVICES lists those that there are.",
        ),
        Reason.SERVICE_OFF: ("serviceOff", "This service is switched off at present."),
        Reason.EXCLUDED: ("excluded", f"There are numbers, but {RESTRICTION} excludes all of them."),
        Reason.UNKNOWN_COUNTRY: (
            "unknownCountry",
            "There are no numbers of this country. Its name has to be spelled as GET_SERVICES lists it.",
        ),
        Reason.UNKNOWN_OPERATOR: (
            "unknownOperator",
            "There are no numbers of this operator there. Its name has to be spelled as GET_SERVICES lists it, or be any.",
        ),
        Reason.BLOCKED: (
            "blocked",
            "All numbers there have been used up for this service; they can still be bought for others.",
        ),
        Reason.SOLD_OUT: ("soldOut", "All numbers there are in use at the moment. Try again later."),
    }
)


def explanation_body(explanation: Explanation | None, dialect: Dialect) -> Body:
    """Return the answer to who asked why there is no number; None where there is one.

    Names are suggested that the dialect's counts list.
    """
    if explanation is None:
        return {"status": SUCCESS}
    word, sentence = REASONS[explanation.reason]
    is_hidden = explanation.reason is Reason.UNKNOWN_OPERATOR and not dialect.operators.each
    suggestions = [ANY_OPERATOR] if is_hidden else list(explanation.suggestions)
    return {"status": NO_NUMBERS, "reason": word, "message": sentence, "suggestions": suggestions}
