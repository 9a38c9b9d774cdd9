"""`make restore`: puts back what a table of a stack lost, or a table that is gone (docs/runbook.md, docs/adr/0039).

Whatever it does may be done again: killed anywhere, the same command goes on.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment.copies import iso, read_time
from deployment.failure import DeploymentError
from deployment.restoring import GRANTED, RECOUNTED, RESTORED, RestoreReport, Restoring, Setting
from deployment.stacks import TABLE
from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.times import DAY, MINUTE, SECOND, to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from deployment.account import Account
    from deployment.copies import Copies, Copy
    from deployment.stacks import Resource, Stack, Stacks
    from globalconnect.store.dynamo import Dynamo

# What partners and gateways come in by. While a table is empty they would be told wrong: no such activation, no such
# number; a door that is closed tells them to try again.
DOORS = ("PartnerApiFunction", "GetsmsFunction", "InboundSmsFunction")
_NEEDED_AT_THE_DOORS = frozenset({"Partners", "Services", "Numbers", "Activations", "Sources", "Inbox"})
_RECOUNT = "RecountFunction"
_MOST_CHANGES = 50
_TABLES = frozenset({*RESTORED, *RECOUNTED, *GRANTED})
_ENDS = {
    "running": "of them of live activations, which came first",
    "made_again": "activations made again from their numbers, whose SMS are lost",
    "stopped": "SMS that are shown and not pushed, since their partner may have taken them (the console pushes one again)",
    "expired": "items that are past their retention and stay purged",
}


@dataclass(frozen=True)
class Restoration:
    """One run of `make restore`: of which stack, where, and how the person is asked."""

    stack_name: str
    account: Account
    stacks: Stacks
    copies: Copies
    db: Dynamo
    functions: Any
    say: Callable[[str], None]
    # Gives what was typed; None when there is nobody to type.
    ask: Callable[[str], str | None]
    product: str
    suffix: str = ""
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def run(self, variables: Mapping[str, str]) -> None:
        """Restore the table that ``variables`` name. Raises DeploymentError when it can't be, or must not."""
        name, at = self._asked(variables)
        stack = self.stacks.settled(self.stacks.find(self.stack_name))
        for line in [
            f"Restoring the table {name} of {self.product}",
            *self.account.lines(),
            f"  stack     {self.stack_name}: {stack.status if stack else 'is not there'}",
        ]:
            self.say(line)
        self.stacks.check_ours(stack, self.product)
        if stack is None:
            raise DeploymentError(f"The stack {self.stack_name} is not there.")
        held = self.stacks.resources(stack.id)
        lost = _table_of(held, name)
        gone = [each for each in held if each.kind == TABLE and not self.copies.exists(each.physical_id)]
        if lost not in gone:
            gone = []
        if name in RECOUNTED:
            self._make_and_recount(stack, name, variables.get("CONFIRM"), gone)
            return
        if name in GRANTED:
            self._make_empty(stack, name, variables.get("CONFIRM"), gone)
            return
        copy = self._copy(lost, at, variables.get("CONFIRM"), gone)
        self._put_back(stack, lost, copy, gone)
        if variables.get("KEEP"):
            self.say(f"The copy {copy.name} stays, with keys and SMS texts in it, and costs money. To delete it:")
            self.say(f"  aws dynamodb delete-table --table-name {copy.name} --region {self.account.region}")
        else:
            self.copies.delete(copy.name)
            self.say(f"The copy {copy.name} is deleted. {name} is restored.")
        for each in gone:
            if each is not lost:
                self.say(
                    f"{_name_of(each)} was gone as well, and is empty: make restore TABLE={_name_of(each)}{self.suffix}"
                )

    def _asked(self, variables: Mapping[str, str]) -> tuple[str, datetime | None]:
        name = variables.get("TABLE", "")
        if name not in _TABLES:
            raise DeploymentError(
                f"TABLE is one of {', '.join(sorted(_TABLES))}.",
                how=f"make restore TABLE=Numbers AT=2026-11-27T10:00:00Z{self.suffix}",
            )
        typed = variables.get("AT")
        return name, read_time(typed) if typed else None

    # ---------------------------------------------------------- what is put back

    def _copy(self, lost: Resource, at: datetime | None, confirmed: str | None, gone: Sequence[Resource]) -> Copy:
        name, is_there = _name_of(lost), lost not in gone
        copy_name = self._copy_of(name)
        begun = self.copies.find(copy_name)
        if begun is not None:
            self._check_same(begun, at)
            self.say(f"Going on with {copy_name}, which holds what it did on {iso(begun.at)}.")
        elif is_there and at is None:
            raise DeploymentError(
                "The table is there, and AT does not say as of when what it lacks is to be put back.",
                how=f"The moment before it was damaged: make restore TABLE={name} AT=2026-11-27T10:00:00Z{self.suffix}",
            )
        elif is_there and at is not None:
            self.copies.check(lost.physical_id, at)
        self._say_what_comes(name, copy_name, at, is_there=is_there)
        self._confirm(name, confirmed)
        if begun is None and is_there and at is not None:
            self.copies.make_of(lost.physical_id, at, copy_name)
        for each in gone:
            # All of them: CloudFormation makes all anew, and then nothing tells whose backup is whose.
            if _name_of(each) not in RECOUNTED | GRANTED and self.copies.find(self._copy_of(_name_of(each))) is None:
                self.copies.make_of_deleted(each.physical_id, self._copy_of(_name_of(each)))
        return self.copies.ready(copy_name)

    def _copy_of(self, name: str) -> str:
        return f"{self.stack_name}-restore-{name}"

    def _check_same(self, begun: Copy, at: datetime | None) -> None:
        if at is not None and not begun.exact and begun.at.replace(microsecond=0) != at:
            raise DeploymentError(
                f"There is a copy of {iso(begun.at)} already: {begun.name}. Its restore is not done.",
                how=f"Go on with it, without AT; or delete it first: aws dynamodb delete-table --table-name {begun.name} "
                f"--region {self.account.region}",
            )

    def _say_what_comes(self, name: str, copy_name: str, at: datetime | None, *, is_there: bool) -> None:
        self.say("This will")
        if is_there:
            self.say(f"  have DynamoDB make a table {copy_name}, with what {name} held{f' on {iso(at)}' if at else ''}")
        else:
            self.say(f"  have DynamoDB make a table {copy_name} of the backup that it made when {name} was deleted")
            if name in _NEEDED_AT_THE_DOORS:
                self.say(
                    "  close the API to partners and gateways, who are told to try again, until live sales are back"
                )
            self.say("  have CloudFormation make the table anew, and undo what else was changed beside the template")
        self.say("  put back what is missing, and nothing over what is newer; the stack goes on working")
        self.say(f"  delete {copy_name}")

    def _confirm(self, name: str, confirmed: str | None) -> None:
        typed = self.ask(f"Type the table's name to restore it ({name}): ") if confirmed is None else confirmed
        if typed is None:
            raise DeploymentError(
                "Nobody is there to type the table's name, so nothing was restored.",
                how=f"If it is meant, the same with CONFIRM={name}",
            )
        if typed.strip() != name:
            raise DeploymentError(f"{typed.strip() or 'That'} is not {name}: nothing was restored.")

    # ---------------------------------------------------------- putting it back

    def _put_back(self, stack: Stack, lost: Resource, copy: Copy, gone: Sequence[Resource]) -> None:
        name = _name_of(lost)
        closes = copy.exact and name in _NEEDED_AT_THE_DOORS
        if closes:
            self._close_doors(stack)
        if gone:
            self._make_anew(stack, gone, closed=closes)
        restoring = Restoring(self.db, self._setting(stack, name, copy), self.now, secrets.randbelow)

        def running() -> None:
            if not closes:
                return
            empty = [each for each in sorted(_NEEDED_AT_THE_DOORS - {name}) if self._is_being_restored(each)]
            if empty:
                self.say(f"The API stays closed until these are restored, too: {', '.join(empty)}")
            else:
                self._open_doors(stack)

        with self.stacks.progress.step(f"putting back what {name} lacks"):
            try:
                report = restoring.run(running)
                changes = restoring.changes_by_staff()
            except (Busy, Unavailable) as error:
                raise DeploymentError(
                    f"DynamoDB did not do all of it: {type(error).__name__} {error}".rstrip(),
                    how="The same command again goes on. It needs the stack's other tables: if one is gone, that one first.",
                ) from None
        self._say_report(stack, name, report)
        if changes:
            self.say(
                f"Changes by staff since, of which what got lost has to be made again (the newest {_MOST_CHANGES}):"
            )
            for entry in changes[-_MOST_CHANGES:]:
                self.say(f"  {to_iso(entry.at)}  {entry.action}  {entry.changed_id or ''}  by {entry.staff_name}")
        if name == "Numbers":
            self._recount(stack)

    def _is_being_restored(self, name: str) -> bool:
        copy = self.copies.find(self._copy_of(name))
        return copy is not None and copy.exact

    def _make_anew(self, stack: Stack, gone: Sequence[Resource], *, closed: bool) -> None:
        try:
            self.stacks.make_anew(stack, gone, self.say)
        except DeploymentError:
            # Nothing is empty yet, and other calls may work.
            if closed:
                self._open_doors(stack)
            raise
        if closed:
            # CloudFormation may have opened them, as the template says.
            self._close(stack)

    def _setting(self, stack: Stack, name: str, copy: Copy) -> Setting:
        tables = {_name_of(each): each.physical_id for each in self.stacks.resources(stack.id) if each.kind == TABLE}
        return Setting(
            name=name,
            tables=tables,
            copy=copy.name,
            since=round(copy.at.timestamp() * SECOND),
            exact=copy.exact,
            cancel_limit=int(stack.parameters["CancelLimit"]),
            rest=int(stack.parameters["RestMinutes"]) * MINUTE,
            retention=int(stack.parameters["RetentionDays"]) * DAY,
        )

    def _say_report(self, stack: Stack, name: str, report: RestoreReport) -> None:
        self.say(f"{name}: {report.looked_at:,} looked at, {report.put_back:,} put back")
        for what, said in _ENDS.items():
            if count := getattr(report, what):
                self.say(f"  {count:>7,} {said}")
        for phone in report.unknown:
            self.say(
                f"  the activation that holds {phone} is lost: withdraw the number, for what was sold is not known"
            )
        for its_id in report.disarmed:
            self.say(
                f"  {its_id}: staff have since made its key or secret worthless, and it stays so: make it a new one"
            )
        for its_id in report.paused:
            self.say(f"  {its_id}: staff have paused it since, and it stays so")
        for line in _form_lines(report, stack.parameters.get("KeyEncryption", "off"), self.suffix):
            self.say(line)

    def _make_empty(self, stack: Stack, name: str, confirmed: str | None, gone: Sequence[Resource]) -> None:
        invite = f"make staff EMAIL=you@example.com ROLE=owner{self.suffix}"
        if gone:
            self.say("What was in this table may let in who was let out since: it is not put back. This will")
            self.say("  have CloudFormation make it anew, and undo what else was changed beside the template")
            self._confirm(name, confirmed)
            self.stacks.make_anew(stack, gone, self.say)
        self.say(f"Nobody is put back here. Accounts are still at Cognito; begin with yours: {invite}")
        self.say("and invite the others again from the console, which leaves their passwords as they are.")

    def _make_and_recount(self, stack: Stack, name: str, confirmed: str | None, gone: Sequence[Resource]) -> None:
        others = [_name_of(each) for each in gone if _name_of(each) not in RECOUNTED | GRANTED]
        if others:
            raise DeploymentError(
                f"{', '.join(others)} is gone as well.", how=f"First: make restore TABLE={others[0]}{self.suffix}"
            )
        self.say("This table is counted from Numbers. This will")
        if gone:
            self.say("  have CloudFormation make it anew, and undo what else was changed beside the template")
        self.say("  start a recount, which makes all of it right")
        self._confirm(name, confirmed)
        if gone:
            self.stacks.make_anew(stack, gone, self.say)
        self._recount(stack)

    # ---------------------------------------------------------- functions

    def _recount(self, stack: Stack) -> None:
        self.functions.invoke(FunctionName=self._function(stack, _RECOUNT), InvocationType="Event")
        self.say("A recount has begun: counts are right when it has ended, within 15 minutes.")

    def _close_doors(self, stack: Stack) -> None:
        self._close(stack)
        self.say("The API is closed to partners and gateways. If this is broken off, the same command opens it.")

    def _close(self, stack: Stack) -> None:
        for door in DOORS:
            self.functions.put_function_concurrency(
                FunctionName=self._function(stack, door), ReservedConcurrentExecutions=0
            )

    def _open_doors(self, stack: Stack) -> None:
        reserved = int(stack.parameters["ReservedConcurrency"])
        for door in DOORS:
            function = self._function(stack, door)
            if reserved:
                self.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=reserved)
            else:
                self.functions.delete_function_concurrency(FunctionName=function)
        self.say("The API is open.")

    def _function(self, stack: Stack, logical_id: str) -> str:
        found = {each.logical_id: each.physical_id for each in self.stacks.resources(stack.id)}
        return found[logical_id]


def _name_of(table: Resource) -> str:
    # One that was made anew by the template has a number behind its name (docs/runbook.md).
    return table.logical_id.rstrip("0123456789").removesuffix("Table")


def _table_of(resources: list[Resource], name: str) -> Resource:
    for each in resources:
        if each.kind == TABLE and _name_of(each) == name:
            return each
    raise DeploymentError(f"The stack has no table {name}.", how="It is older than this: deploy it first.")


def _form_lines(report: RestoreReport, key_encryption: str, suffix: str) -> list[str]:
    """What is to be done about keys and secrets that came back in another form than the stack's."""
    if key_encryption == "off" and report.encrypted:
        return [
            f"  {report.encrypted} keys or secrets came back encrypted, and with KeyEncryption=off nothing may open them:",
            f"  make deploy KEY_ENCRYPTION=ending{suffix}, then make encrypt-keys{suffix}, then KEY_ENCRYPTION=off again",
        ]
    if (key_encryption == "on" and report.in_clear) or (key_encryption == "ending" and report.encrypted):
        return [f"  Keys or secrets came back in the form they had then. Next: make encrypt-keys{suffix}"]
    return []
