"""The changes that span tables: a number is issued, an activation finished, each in one transaction."""

from enum import StrEnum

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.marks import RemainingMarks
from globalconnect.domain.number import Cause, Mark, Number, causes_with, pool_of, rests_until
from globalconnect.domain.times import day_of
from globalconnect.store.activations import ENTRY, Activations, from_activation
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, changing, expression, put, update
from globalconnect.store.numbers import (
    HOLDER,
    LEASE,
    NEXT_VERSION,
    Numbers,
    for_sale,
    from_causes,
    held_shard,
    lifting,
    unchanged,
)

_NUMBER = 0


class IssueResult(StrEnum):
    DONE = "done"
    TAKEN = "taken"
    ID_USED = "id used"


class Transactions:
    """What a sale changes in several tables together."""

    def __init__(self, db: Dynamo, numbers: Numbers, activations: Activations) -> None:
        self._db = db
        self._numbers = numbers
        self._activations = activations

    def issue(self, activation: Activation, *, tries: int) -> IssueResult:
        """Return the activation's number to it, if the number may be issued for its service right then (contract 1.2).

        Raises Busy when others are changing the number and it is still so after `tries`. A sale whose answer got lost
        is DONE all the same: nobody else could end it.
        """
        held: dict[str, int] = {} if activation.overdue_at is None else {"overdue": activation.overdue_at}
        lease = update(
            self._numbers.table,
            {"phone": activation.phone},
            expression(
                "SET #free_since = #available_from, #available_from = :until, #activation_id = :id, "
                "#partner_id = :partner, #held_from = :since, #held_for = :service, #held_shard = :shard"
                f"{', #overdue_at = :overdue' if held else ''} ADD #version :one",
                **held,
                until=activation.expires_at,
                id=activation.activation_id,
                partner=activation.partner_id,
                shard=held_shard(activation.phone),
                since=activation.started_at,
                service=activation.service,
                one=1,
            ),
            for_sale(
                pool_of(activation.country, activation.operator),
                activation.service,
                activation.started_at,
                self._numbers.rest,
            ),
        )
        item = from_activation(activation, self._activations.retention)
        record = put(self._activations.table, item, expression("attribute_not_exists(#activation_id)"))
        try:
            self._db.transact(
                lease,
                record,
                tries=tries,
                was_done=lambda: self._activations.get(activation.activation_id) == activation,
            )
        except ConditionFailed as error:
            return IssueResult.TAKEN if _NUMBER in error.failed else IssueResult.ID_USED
        return IssueResult.DONE

    def finish(self, activation: Activation, outcome: Outcome, mark: Mark | None, number: Number, now: int) -> None:
        """Record the first outcome of an activation, with its effects on the number (contract 1.5).

        Takes the activation and the number as they were read. When the number is still the activation's, it becomes
        free, or rests first; when it is not any more, only the mark is left on it. Raises ConditionFailed when either
        has changed since, be it by this very call, when its first answer got lost: who reads again finds the outcome
        recorded.
        """
        recorded = {"outcome": outcome.value, "finished_at": now, "finished_day": day_of(now)}
        if mark is not None:
            recorded["marked_version"] = number.version + 1
        record = update(
            self._activations.table,
            _key(activation),
            changing(recorded),
            expression("attribute_exists(#entry) AND attribute_not_exists(#outcome)"),
        )
        cause = Cause(activation.activation_id, activation.partner_id, outcome, now)
        marked = _change(mark, cause, number, now, self._numbers.rest)
        if marked is None:
            self._db.transact(record)
            return
        self._db.transact(record, update(self._numbers.table, {"phone": number.phone}, marked, unchanged(number)))

    def end(self, activation: Activation, number: Number, now: int) -> None:
        """Let a live activation expire at `now` (ms), with what that does to the number; nothing is left on it.

        Takes both as they were read. Raises ConditionFailed when either has changed since, be it by this very call, when its
        first answer got lost: who reads again finds it expired.
        """
        record = update(
            self._activations.table,
            _key(activation),
            changing({"expires_at": now}),
            expression("attribute_not_exists(#outcome) AND #expires_at = :until", until=activation.expires_at),
        )
        if number.activation_id != activation.activation_id:
            self._db.transact(record)
            return
        sets, removes = _release(number, now, self._numbers.rest)
        freed = changing(sets, removes=removes, adds=NEXT_VERSION)
        self._db.transact(record, update(self._numbers.table, {"phone": number.phone}, freed, unchanged(number)))

    def lift_mark(self, activation: Activation, number: Number, left: RemainingMarks, now: int) -> None:
        """Take an activation's mark off its number, once, at `now` (ms); these are left.

        Takes the activation and the number as they were read. Raises ConditionFailed when either has changed since.
        """

        def is_lifted() -> bool:
            found = self._activations.get(activation.activation_id)
            return found is not None and found.lifted_at == now

        self._db.transact(
            update(
                self._activations.table,
                _key(activation),
                expression("SET #lifted_at = :now", now=now),
                expression("attribute_exists(#marked_version) AND attribute_not_exists(#lifted_at)"),
            ),
            update(self._numbers.table, {"phone": number.phone}, lifting(number, left, now), unchanged(number)),
            was_done=is_lifted,
        )

    def refund(self, activation: Activation, now: int) -> None:
        """Let Returned replace Success: a refund; the number stays used up for the service. Raises ConditionFailed."""
        self._db.update(
            self._activations.table,
            _key(activation),
            expression("SET #outcome = :returned, #refunded_at = :now", returned=Outcome.RETURNED.value, now=now),
            expression("#outcome = :success", success=Outcome.SUCCESS.value),
        )


def _key(activation: Activation) -> dict[str, str | int]:
    return {"activation_id": activation.activation_id, "entry": ENTRY}


def _change(mark: Mark | None, cause: Cause, number: Number, now: int, rest: int) -> Expression | None:
    """Return the change that takes a number off its activation at `now` (ms), if it still is that one's, and leaves the mark.

    The number is free then, or rests if less than `rest` (ms) has passed since its sale ended.
    """
    release = number.activation_id == cause.activation_id
    if mark is None and not release:
        return None
    sets: dict[str, object] = {}
    removes: tuple[str, ...] = ()
    adds: dict[str, object] = {**NEXT_VERSION}
    if release:
        sets, removes = _release(number, now, rest)
    if mark is not None and mark.cancels is not None:
        sets["cancels.service"] = mark.cancels
    if mark is not None and mark.block:
        adds["blocked"] = {mark.service}
        sets["causes"] = from_causes({**number.causes, mark.service: causes_with(number, mark.service, cause)})
    return changing(sets, removes=removes, adds=adds, names={"service": mark.service} if mark else None)


def _release(number: Number, now: int, rest: int) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return what is set and what removed when a number's activation ends at `now` (ms): it is free, or rests first."""
    end = min(now, number.available_from)
    rested_at = rests_until(end, rest, now)
    return {"available_from": end if rested_at is None else rested_at}, LEASE if rested_at is None else HOLDER
