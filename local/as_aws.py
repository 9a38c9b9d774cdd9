"""The emulator, put right where AWS does otherwise. Run by the emulator's own Python, in place of `-m ministack`.

- A table or user pool with deletion protection is not deleted with its stack (DynamoDB, DeleteTable: "protected tables
  can't be deleted"; CloudFormation reports DELETE_FAILED). The emulator deletes it.
- What a rollback could not delete stays among the stack's resources. The emulator forgets it.
"""

from __future__ import annotations

import copy
import functools
import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class ProtectedError(Exception):
    """The service refuses to delete what is protected."""


def _refusing(delete: Callable[..., None], protected: Callable[[str], bool]) -> Callable[..., None]:
    @functools.wraps(delete)
    def delete_unprotected(physical_id: str, *arguments: Any) -> None:
        if protected(physical_id):
            raise ProtectedError(f"{physical_id} can't be deleted while its deletion protection is on")
        delete(physical_id, *arguments)

    return delete_unprotected


def protect() -> None:
    """Have stacks fail to delete protected tables and user pools."""
    package = "ministack.services"
    handlers: Any = importlib.import_module(f"{package}.cloudformation.provisioners")._RESOURCE_HANDLERS  # noqa: SLF001
    tables = importlib.import_module(f"{package}.dynamodb")._tables  # noqa: SLF001
    pools = importlib.import_module(f"{package}.cognito")._user_pools  # noqa: SLF001

    def is_protected_table(name: str) -> bool:
        return bool((tables.get(name) or {}).get("DeletionProtectionEnabled"))

    def is_protected_pool(pool_id: str) -> bool:
        return (pools.get(pool_id) or {}).get("DeletionProtection") == "ACTIVE"

    for kind, protected in (
        ("AWS::DynamoDB::Table", is_protected_table),
        ("AWS::Cognito::UserPool", is_protected_pool),
    ):
        handlers[kind]["delete"] = _refusing(handlers[kind]["delete"], protected)


def remember_what_was_not_rolled_back() -> None:
    """Have a failed rollback keep what it could not delete among the stack's resources."""
    stacks: Any = importlib.import_module("ministack.services.cloudformation.stacks")
    roll_back = stacks._roll_back_operation  # noqa: SLF001

    @functools.wraps(roll_back)
    async def roll_back_and_remember(name: str, stack_id: str, stack: dict[str, Any], operation: Any) -> None:
        before = copy.deepcopy(stack.get("_resources", {}))
        await roll_back(name, stack_id, stack, operation)
        if stack["StackStatus"] == "ROLLBACK_FAILED":
            left = {logical_id: before[logical_id] for logical_id in stack["_rollback_failed"]}
            for record in left.values():
                record["ResourceStatus"] = "DELETE_FAILED"
            stack.setdefault("_resources", {}).update(left)

    stacks._roll_back_operation = roll_back_and_remember  # noqa: SLF001


if __name__ == "__main__":
    protect()
    remember_what_was_not_rolled_back()
    sys.exit(importlib.import_module("ministack.app").main())
