"""What one hub's protocol may have of its own, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from globalconnect.domain.activation import Outcome
from globalconnect.domain.requests import FinishActivation, GetNumber, GetServices, PartnerRequest

type Spelling = type[str | int]
"""How JSON spells a number: as a string of digits, or as a number."""

_NO_CALLS: Mapping[str, object] = MappingProxyType({"call": 0, "voice": 0})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a hub sends and expects where hubs differ. The defaults are the contract's (1 to 3).

    `actions` are the words for what may be asked for, `outcomes` the codes of how an activation ends. `number` spells
    the phone of a GET_NUMBER's answer, `phone` and `sms_id` those of an SMS. `number_extras` and `push_extras` are
    constant further fields. `error_fields` all hold the text of an error.
    """

    actions: Mapping[str, type[PartnerRequest]] = MappingProxyType(
        {"GET_SERVICES": GetServices, "GET_NUMBER": GetNumber, "FINISH_ACTIVATION": FinishActivation}
    )
    outcomes: Mapping[int, Outcome] = MappingProxyType({outcome.value: outcome for outcome in Outcome})
    number: Spelling = str
    phone: Spelling = str
    sms_id: Spelling = str
    number_extras: Mapping[str, object] = _NO_CALLS
    push_extras: Mapping[str, object] = _NO_CALLS
    error_fields: tuple[str, ...] = ("message",)
