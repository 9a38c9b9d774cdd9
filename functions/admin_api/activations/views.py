"""What staff send and get of activations (contract 5)."""

from collections.abc import Sequence
from typing import Any, Literal, Self, TypedDict

from pydantic import Field, with_config

from admin_api.schema import (
    STRICT,
    Acknowledgement,
    ActivationTexts,
    Cursor,
    Filter,
    PhoneFilter,
    SmsId,
    StateFilter,
    Time,
    View,
)
from globalconnect.domain.activation import Activation
from globalconnect.domain.sms import Attempt, Sms
from globalconnect.domain.times import to_iso, to_iso_if_any


@with_config(STRICT)
class ActivationsQuery(TypedDict, total=False):
    """Which activations."""

    partner_id: Filter
    phone: PhoneFilter
    service: Filter
    state: StateFilter
    cursor: Cursor


@with_config(STRICT)
class ActivationDetailsQuery(TypedDict, total=False):
    """Whose text of its SMS is shown: that of all, of one, or of none."""

    texts: ActivationTexts


class ActivationView(View):
    """An activation; `outcome` 1 Prohibited, 3 Success, 4 Canceled, 5 Returned, null when not finished."""

    activation_id: int
    partner_id: str
    phone: str
    country: str
    operator: str
    service: str
    started_at: Time
    expires_at: Time
    state: Literal["live", "expired", "finished"]
    outcome: Literal[1, 3, 4, 5] | None
    finished_at: Time | None
    sum: str | None
    currency: str | None

    @classmethod
    def of(cls, activation: Activation, now: int, **more: Any) -> Self:
        """Return an activation as staff see it at `now` (ms); `more` are the fields of a subclass."""
        return cls(
            activation_id=activation.activation_id,
            partner_id=activation.partner_id,
            phone=activation.phone,
            country=activation.country,
            operator=activation.operator,
            service=activation.service,
            started_at=to_iso(activation.started_at),
            expires_at=to_iso(activation.expires_at),
            state=activation.state(now).value,
            outcome=None if activation.outcome is None else activation.outcome.value,
            finished_at=to_iso_if_any(activation.finished_at),
            sum=activation.total,
            currency=activation.currency,
            **more,
        )


class ActivationPage(View):
    """A page of activations, newest first."""

    activations: list[ActivationView]
    cursor: str | None


class AttemptView(View):
    """One push attempt: how it ended, and the beginning of what the partner answered."""

    number: int
    started_at: Time
    duration_ms: int
    outcome: str
    http_status: int | None
    answer: str | None = Field(repr=False)

    @classmethod
    def of(cls, attempt: Attempt, *, hidden: bool) -> Self:
        """Return an attempt as staff see it; what was answered may repeat the text, and is hidden with it."""
        return cls(
            number=attempt.number,
            started_at=to_iso(attempt.started_at),
            duration_ms=attempt.duration_ms,
            outcome=attempt.outcome,
            http_status=attempt.http_status,
            answer=None if hidden else attempt.answer,
        )


class SmsView(View):
    """An SMS of an activation, and how pushing it went.

    `text` and each `answer`, which may repeat it, are null when they were asked to be hidden.

    `outcomes` counts its attempts by how they ended, `attemptLog` has the first and the last 20. Ends of attempts made
    before these were counted are missing.
    """

    sms_id: SmsId
    phone: str
    phone_from: str = Field(repr=False)
    text: str | None = Field(repr=False)
    received_at: Time
    stored_at: Time
    push_state: Literal["pending", "delivered", "stopped", "no-url"]
    attempts: int
    outcomes: dict[str, int]
    delivered_at: Time | None
    attempt_log: list[AttemptView]

    @classmethod
    def of(cls, stored: Sms, attempts: Sequence[Attempt], *, hidden: bool) -> Self:
        """Return an SMS with its kept attempts as staff see them, or without what it says."""
        sms = stored.caught_up(attempts)
        return cls(
            sms_id=str(sms.sms_id),
            phone=sms.phone,
            phone_from=sms.phone_from,
            text=None if hidden else sms.text,
            received_at=to_iso(sms.received_at),
            stored_at=to_iso(sms.stored_at),
            push_state=sms.push_state.value,
            attempts=sms.attempts,
            outcomes=dict(sms.outcomes),
            delivered_at=to_iso_if_any(sms.delivered_at),
            attempt_log=[AttemptView.of(attempt, hidden=hidden) for attempt in attempts],
        )


class ActivationDetails(ActivationView):
    """An activation with its messages, oldest first; of `messageCount` the newest, when all are too many for an answer."""

    message_count: int
    messages: list[SmsView]


class PushDueView(Acknowledgement):
    """When the SMS will be pushed."""

    due_at: Time
