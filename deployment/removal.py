"""Takes a stack away with all it holds: what is protected, and what outlives its stack."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deployment.failure import DeploymentError
from deployment.stacks import POOL, TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from deployment.stacks import Resource, Stack, Stacks

_GONE = "ResourceNotFoundException"
_ACTIVE = "ACTIVE"
_WITH_SECRETS = {"PartnersTable", "SourcesTable"}
_UNPROTECTED_SECONDS = 300.0
_LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Held:
    """A table or user pool that a stack holds, with what is in it."""

    logical_id: str
    physical_id: str
    kind: str
    count: int
    is_protected: bool

    def __str__(self) -> str:
        """It as a line for the person who is about to lose it."""
        one, many = ("person", "people") if self.kind == POOL else ("item", "items")
        return f"{self.logical_id:<20} {self.count:>10,} {one if self.count == 1 else many}"


@dataclass(frozen=True)
class Data:
    """The data of stacks, through clients of DynamoDB and Cognito."""

    tables: Any
    pools: Any
    pause: Callable[[float], None] = time.sleep

    def held(self, resources: Iterable[Resource]) -> list[Held]:
        """The tables and pools among ``resources`` that exist. DynamoDB counts items every six hours or so."""
        found = (self._looked_at(each) for each in resources if each.physical_id)
        return [each for each in found if each is not None]

    def _looked_at(self, resource: Resource) -> Held | None:
        named = resource.logical_id, resource.physical_id, resource.kind
        if resource.kind == TABLE and (table := self._table(resource.physical_id)):
            return Held(*named, int(table.get("ItemCount", 0)), bool(table.get("DeletionProtectionEnabled")))
        if resource.kind == POOL and (pool := self._pool(resource.physical_id)):
            protected = pool.get("DeletionProtection") == _ACTIVE
            return Held(*named, int(pool.get("EstimatedNumberOfUsers", 0)), protected)
        return None

    def encrypted(self, resources: Iterable[Resource]) -> int:
        """How many items of the tables with keys and secrets hold an encrypted one."""
        names = [each.physical_id for each in resources if each.logical_id in _WITH_SECRETS]
        scan = self.tables.get_paginator("scan")
        pages = (page for name in names for page in scan.paginate(TableName=name, ConsistentRead=True))
        return sum(_is_encrypted(item) for page in pages for item in page["Items"])

    def protect(self, held: Iterable[Held], *, on: bool = True) -> None:
        """Put deletion protection on, or lift it. Raises DeploymentError when a table stays at work for minutes."""
        for each in held:
            if each.kind == TABLE:
                self._protect_table(each.physical_id, on=on)
            else:
                self._protect_pool(each.physical_id, on=on)

    def delete_pools(self, held: Iterable[Held]) -> None:
        """Delete the pools that are still there."""
        for each in held:
            if each.kind == POOL and self._pool(each.physical_id):
                self._protect_pool(each.physical_id, on=False)
                self.pools.delete_user_pool(UserPoolId=each.physical_id)

    def _protect_table(self, name: str, *, on: bool) -> None:
        table = self._table(name)
        if table is None:
            return
        if bool(table.get("DeletionProtectionEnabled")) is not on:
            self.tables.update_table(TableName=name, DeletionProtectionEnabled=on)
        # A table can't be deleted while it is updated.
        waited = 0.0
        while (table := self._table(name)) and (
            table["TableStatus"] == "UPDATING" or bool(table.get("DeletionProtectionEnabled")) is not on
        ):
            if waited >= _UNPROTECTED_SECONDS:
                raise DeploymentError(f"The table {name} is still being updated.", how="Wait, then try again.")
            self.pause(_LOOK_EVERY_SECONDS)
            waited += _LOOK_EVERY_SECONDS

    def _protect_pool(self, pool_id: str, *, on: bool) -> None:
        pool = self._pool(pool_id)
        if pool and (pool.get("DeletionProtection") == _ACTIVE) is not on:
            takes = self.pools.meta.service_model.operation_model("UpdateUserPool").input_shape.members
            self.pools.update_user_pool(UserPoolId=pool_id, **protecting(pool, takes, on=on))

    def _table(self, name: str) -> Any:
        try:
            return self.tables.describe_table(TableName=name)["Table"]
        except ClientError as error:
            return _none_if_gone(error)

    def _pool(self, pool_id: str) -> Any:
        try:
            return self.pools.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        except ClientError as error:
            return _none_if_gone(error)


def protecting(pool: Mapping[str, Any], takes: Iterable[str], *, on: bool) -> dict[str, Any]:
    """The arguments of UpdateUserPool that protect ``pool``, as it was described, or not, and change nothing else.

    What UpdateUserPool is not given goes back to Cognito's default, and by default anybody may sign up.
    """
    # Tags may hold CloudFormation's own, which are refused.
    arguments = {name: pool[name] for name in takes if pool.get(name) and name != "UserPoolTags"}
    invitations = arguments.get("AdminCreateUserConfig")
    if invitations:
        # Described beside its successor in the password policy, and refused beside it.
        kept = {name: value for name, value in invitations.items() if name != "UnusedAccountValidityDays"}
        arguments["AdminCreateUserConfig"] = kept
    return arguments | {"DeletionProtection": _ACTIVE if on else "INACTIVE"}


def _is_encrypted(value: Any) -> bool:
    """Whether there is anything binary in an item, or in what is in it: nothing else in these tables is."""
    if isinstance(value, dict):
        return "B" in value or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def take_away(stack: Stack, stacks: Stacks, data: Data) -> None:
    """Delete ``stack`` and all it holds, protected or not. Raises DeploymentError when something stays.

    May be broken off anywhere and done again: what is gone by then is passed over.
    """
    held = data.held(stacks.resources(stack.id))
    data.protect(held, on=False)
    try:
        stacks.delete(stack)
    except DeploymentError as error:
        left = "What is left of it is no longer protected from deletion."
        raise DeploymentError(f"{error.what}\n{left}", how=error.how) from None
    data.delete_pools(held)


def _none_if_gone(error: ClientError) -> None:
    if error.response["Error"]["Code"] != _GONE:
        raise error
