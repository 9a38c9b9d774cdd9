"""The Staff table: who of the staff may do what, and the list of the owners, of whom one is always left."""

from collections.abc import Callable
from dataclasses import replace

from globalconnect.domain.errors import Conflict
from globalconnect.domain.staff import StaffMember
from globalconnect.store.cache import Cache
from globalconnect.store.codec import Codec
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, Item, check, expression, put, remove, update

# No user name can be this: Cognito's here are e-mail addresses.
_OWNERS = {"name": "#owners"}
_CODEC = Codec(StaffMember)
# What a change is refused for, by the first that does not hold.
_CALLER = "Somebody changed you meanwhile: nothing was done; try again"
_LAST_OWNER = "There must be an owner left: make somebody else one first"
_PERSON = "Somebody changed this person meanwhile; read the list again"


class StaffMembers:
    """The staff by user name; each is remembered for `cache_seconds`.

    A change is `by` an owner as they were just read, who is also what they change when they change themselves: of two
    who do it to each other at once, one does.
    """

    def __init__(self, db: Dynamo, table: str, cache_seconds: int, now: Callable[[], int]) -> None:
        self._db = db
        self._table = table
        self._cache: Cache[StaffMember] = Cache(cache_seconds, now)

    def find(self, name: str, *, as_now: bool = False) -> StaffMember | None:
        """Return a person as they are now or, unless `as_now`, were at most `cache_seconds` ago; None for who has no access."""
        return self._cache.get(name, lambda: self._read(name), oldest=0 if as_now else None)

    def everybody(self) -> list[StaffMember]:
        """Return all of the staff, by name."""
        found = [_CODEC.from_item(item) for item in self._db.scan_all(self._table) if item["name"] != _OWNERS["name"]]
        return sorted(found, key=lambda member: member.name)

    def add(self, member: StaffMember, by: StaffMember) -> None:
        """Give a person access. Raises Conflict when they have it already, and Busy."""
        record = put(self._table, _CODEC.to_item(member), expression("attribute_not_exists(#name)"))
        self._write(
            by, member.name, record, self._owners_after(None, member), lambda: self._read(member.name) == member
        )

    def change(self, before: StaffMember, after: StaffMember, by: StaffMember) -> StaffMember:
        """Have a person be otherwise than they were read; return them. Raises Conflict, also for the last owner, and Busy."""
        newer = replace(after, version=before.version + 1)
        record = put(self._table, _CODEC.to_item(newer), _unchanged(before))
        self._write(by, newer.name, record, self._owners_after(before, newer), lambda: self._read(newer.name) == newer)
        return newer

    def remove(self, member: StaffMember, by: StaffMember) -> None:
        """Take access from a person as they were read. Raises Conflict, also for the last owner, and Busy."""
        record = remove(self._table, {"name": member.name}, _unchanged(member))
        self._write(by, member.name, record, self._owners_after(member, None), lambda: self._read(member.name) is None)

    def _write(
        self, by: StaffMember, name: str, record: Item, owners: list[Item], was_done: Callable[[], bool]
    ) -> None:
        self._cache.clear()
        actions = [*((owner, _LAST_OWNER) for owner in owners), (record, _PERSON)]
        # A transaction takes an item once: who changes themselves is in their record as they were read.
        if by.name != name:
            actions.insert(0, (check(self._table, {"name": by.name}, _unchanged(by)), _CALLER))
        try:
            self._db.transact(*(action for action, _ in actions), was_done=was_done)
        except ConditionFailed as error:
            _, refusal = actions[min(error.failed)]
            raise Conflict(refusal) from None

    def _owners_after(self, before: StaffMember | None, after: StaffMember | None) -> list[Item]:
        """Return what a change does to the list of owners, if anything; two who are the last ones meet there."""
        was, is_one = before is not None and before.is_owner, after is not None and after.is_owner
        if was == is_one:
            return []
        member = after or before
        names = {member.name} if member else set()
        if is_one:
            return [update(self._table, _OWNERS, expression("ADD #owners :names", names=names))]
        left = expression("size(#owners) > :one", one=1)
        return [update(self._table, _OWNERS, expression("DELETE #owners :names", names=names), left)]

    def _read(self, name: str) -> StaffMember | None:
        item = self._db.get(self._table, {"name": name})
        return _CODEC.from_item(item) if item and name != _OWNERS["name"] else None


def _unchanged(member: StaffMember) -> Expression:
    return expression("#version = :version", version=member.version)
