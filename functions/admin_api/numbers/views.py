"""What staff send and get of numbers (contract 5)."""

from typing import Any, Literal, Self, TypedDict

from pydantic import with_config

from admin_api.activations.views import ActivationView
from admin_api.schema import STRICT, Body, Cursor, Filter, Flag, Phones, Time, View
from globalconnect.domain.import_job import RejectedRow
from globalconnect.domain.number import Cause, Number
from globalconnect.domain.times import to_iso


class NumberChange(Body):
    """Whether a number is on sale."""

    enabled: Flag


class NumbersChange(Body):
    """Whether these numbers are on sale."""

    phones: Phones
    enabled: Flag


@with_config(STRICT)
class NumbersQuery(TypedDict, total=False):
    """Which numbers; an operator only within a country."""

    country: Filter
    operator: Filter
    cursor: Cursor


class NumberView(View):
    """A number, and what outcomes left on it: for which services it is blocked, and its cancels per service.

    `heldUntil` and `activationId` while a live activation holds it, `restingUntil` while it rests after a sale.
    """

    phone: str
    country: str
    operator: str
    enabled: bool
    held_until: Time | None
    activation_id: int | None
    resting_until: Time | None
    blocked: list[str]
    cancels: dict[str, int]

    @classmethod
    def of(cls, number: Number, now: int, **more: Any) -> Self:
        """Return a number as staff see it at `now` (ms); `more` are the fields of a subclass."""
        held = number.is_held(now)
        until = to_iso(number.available_from) if number.available_from > now else None
        return cls(
            phone=number.phone,
            country=number.country,
            operator=number.operator,
            enabled=number.enabled,
            held_until=until if held else None,
            activation_id=number.activation_id if held else None,
            resting_until=until if number.resting else None,
            blocked=sorted(number.blocked),
            cancels=dict(number.cancels),
            **more,
        )


class NumberPage(View):
    """A page of numbers."""

    numbers: list[NumberView]
    cursor: str | None


class RejectedRowView(View):
    """A row that was not imported, counted from 1 without the header and without empty lines."""

    row: int
    reason: str

    @classmethod
    def of(cls, rejected: RejectedRow) -> Self:
        return cls(row=rejected.row, reason=rejected.reason)


class ImportResult(View):
    """What an import did; each row is counted in one of the three."""

    imported: int
    updated: int
    rejected: list[RejectedRowView]


class NumbersChangeResult(View):
    """How many numbers were not so before, and which of those asked for we don't have."""

    changed: int
    unknown: list[str]


class CauseView(View):
    """Whose outcome blocked a number for a service. Of cancels (4) it is the last, which stands for all of them."""

    activation_id: int
    partner_id: str
    outcome: Literal[1, 3, 4]
    at: Time

    @classmethod
    def of(cls, cause: Cause) -> Self:
        return cls(
            activation_id=cause.activation_id,
            partner_id=cause.partner_id,
            outcome=cause.outcome.value,
            at=to_iso(cause.at),
        )


class MarkView(View):
    """What outcomes left on a number for a service; a block without causes is older than they are."""

    service: str
    blocked: bool
    cancels: int
    causes: list[CauseView]


class NumberWithMarks(NumberView):
    """A number with its marks, by service."""

    marks: list[MarkView]

    @classmethod
    def of(cls, number: Number, now: int, **more: Any) -> Self:
        """Return a number as `NumberView.of` does, with its marks and where they come from."""
        marks = [
            MarkView(
                service=service,
                blocked=service in number.blocked,
                cancels=number.cancels.get(service, 0),
                causes=[CauseView.of(cause) for cause in number.causes.get(service, ())],
            )
            for service in sorted({*number.blocked, *number.cancels})
        ]
        return super().of(number, now, marks=marks, **more)


class NumberWithHistory(NumberWithMarks):
    """A number with its marks and its last activations, the newest 50 at most, newest first."""

    activations: list[ActivationView]
