"""The emulator, put right where AWS does otherwise. Run by the emulator's own Python, in place of `-m ministack`.

- A table or user pool with deletion protection is not deleted with its stack (DynamoDB, DeleteTable: "protected tables
  can't be deleted"; CloudFormation reports DELETE_FAILED). The emulator deletes it.
- A stack that was rolled back, could not be, or is being worked on is not updated. The emulator updates it.
- What a rollback could not delete stays among the stack's resources, and those of a deleted stack can be listed. The
  emulator forgets both.
- A stack is described by what its template says of itself. The emulator says nothing of those made by a change set.
- An alarm may watch an expression. The emulator refuses that; here such an alarm is made and watches nothing.
- A number may come from a parameter, so as text. The emulator compares it with numbers.
- An API may have a method for any (`x-amazon-apigateway-any-method`). The emulator leaves it out.
- A function's code is unpacked once for all its processes. The emulator unpacks it for each of them, in its own process,
  and each compiles it anew: after a start with pushes that wait it was busy with that for half a minute.
- Logs of functions go when they are old. The emulator keeps all of them in memory, and saves them when it is stopped.

With KEEP_PROTECTED=0 in its environment it deletes, updates and forgets stacks as the emulator does.
"""

# ruff: noqa: SLF001 - what is put right is inside the emulator

import copy
import functools
import hashlib
import itertools
import os
import re
import sys
import tempfile
import threading
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # the emulator's Python has it
from ministack.core import lambda_runtime  # type: ignore[import-not-found]
from ministack.services import (  # type: ignore[import-not-found]
    apigateway_v1,
    cloudformation,
    cloudwatch_logs,
    cognito,
    dynamodb,
    lambda_svc,
)
from ministack.services.cloudformation import (  # type: ignore[import-not-found]
    handlers,
    helpers,
    provisioners,
    stacks,
)

# Log streams that a group keeps; the emulator has one per invocation.
KEPT_STREAMS = 5_000

_NOT_UPDATABLE = re.compile(r"(?!REVIEW)\w+_IN_PROGRESS|(UPDATE_)?ROLLBACK_FAILED|ROLLBACK_COMPLETE|DELETE_FAILED")
_NUMBERS = {
    "AWS::Lambda::EventSourceMapping": {"ParallelizationFactor", "MaximumConcurrency"},
    "AWS::Cognito::UserPoolClient": {"IdTokenValidity", "AccessTokenValidity"},
}


def _around[New: Callable[..., Any]](functions: dict[str, Any], name: str) -> Callable[[New], New]:
    """Replace one of some functions by the decorated one, which gets what it replaces as its first argument."""

    def replace(new: New) -> New:
        functions[name] = functools.wraps(functions[name])(functools.partial(new, functions[name]))
        return new

    return replace


def protect() -> None:
    def is_protected(held: Any, physical_id: str) -> bool:
        known = held.get(physical_id) or {}
        return bool(known.get("DeletionProtectionEnabled")) or known.get("DeletionProtection") == "ACTIVE"

    def delete_unprotected(held: Any, delete: Callable[..., None], physical_id: str, *arguments: Any) -> None:
        if is_protected(held, physical_id):
            raise RuntimeError(f"{physical_id} can't be deleted while its deletion protection is on")
        delete(physical_id, *arguments)

    for kind, held in (("AWS::DynamoDB::Table", dynamodb._tables), ("AWS::Cognito::UserPool", cognito._user_pools)):
        _around(provisioners._RESOURCE_HANDLERS[kind], "delete")(functools.partial(delete_unprotected, held))

    @_around(vars(cognito), "_delete_user_pool")
    def delete_unprotected_pool(delete: Callable[..., Any], request: dict[str, Any]) -> Any:
        if is_protected(cognito._user_pools, request.get("UserPoolId", "")):
            refused = "InvalidParameterException", "The user pool's deletion protection is active.", 400
            return cognito.error_response_json(*refused)
        return delete(request)


def refuse_to_update_what_is_not_complete() -> None:
    """Have no change set be made for a stack that can't be updated, in the words that AWS has for it."""

    @_around(handlers._ACTION_HANDLERS, "CreateChangeSet")
    def create_if_complete(create: Callable[..., Any], parameters: dict[str, list[str]]) -> Any:
        stack = handlers._resolve_stack(parameters.get("StackName", [""])[0])
        if stack and _NOT_UPDATABLE.fullmatch(stack.get("StackStatus", "")):
            refused = f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated."
            return helpers._error("ValidationError", refused)
        return create(parameters)


def remember_deleted_stacks() -> None:
    """Have what a stack held be listed after its deletion (CloudFormation, ListStackResources: for 90 days)."""

    @_around(vars(stacks), "_delete_stack_async")
    @_around(vars(handlers), "_delete_stack_async")
    async def delete_and_remember(
        delete: Callable[..., Any], name: str, stack_id: str, *arguments: Any, **options: Any
    ) -> None:
        stack = cloudformation._stacks.get(name)
        before = copy.deepcopy(stack.get("_resources", {})) if stack else {}
        await delete(name, stack_id, *arguments, **options)
        if not stack:
            return
        events = cloudformation._stack_events[stack_id]
        skipped = {each["LogicalResourceId"] for each in events if each["ResourceStatus"] == "DELETE_SKIPPED"}
        left = stack["_resources"]
        for logical_id, record in before.items():
            # The emulator would delete again what it deleted, were that still there after a deletion that failed.
            if logical_id in skipped or (stack["StackStatus"] == "DELETE_COMPLETE" and logical_id not in left):
                record["ResourceStatus"] = "DELETE_SKIPPED" if logical_id in skipped else "DELETE_COMPLETE"
                left[logical_id] = record


def remember_what_was_not_rolled_back() -> None:
    """Have a failed rollback keep what it could not delete among the stack's resources."""

    @_around(vars(stacks), "_roll_back_operation")
    async def roll_back_and_remember(
        roll_back: Callable[..., Any], name: str, stack_id: str, stack: dict[str, Any], operation: Any
    ) -> None:
        before = copy.deepcopy(stack.get("_resources", {}))
        await roll_back(name, stack_id, stack, operation)
        if stack["StackStatus"] == "ROLLBACK_FAILED":
            left = {name: before[name] | {"ResourceStatus": "DELETE_FAILED"} for name in stack["_rollback_failed"]}
            stack.setdefault("_resources", {}).update(left)


def describe_stacks_by_their_templates() -> None:
    @functools.lru_cache
    def description(template: str) -> str:
        return str(handlers._parse_template(template).get("Description", ""))

    @_around(handlers._ACTION_HANDLERS, "DescribeStacks")
    def describe_whole(describe: Callable[..., Any], parameters: Any) -> Any:
        for stack in cloudformation._stacks.values():
            stack["Description"] = description(stack.get("_template_body") or "{}")
        return describe(parameters)


def take_alarms_of_expressions() -> None:
    @_around(vars(provisioners), "_cw_metric_alarm_record")
    def record_expression(record: Callable[..., Any], name: str, properties: dict[str, Any]) -> Any:
        if "Metrics" in properties:
            others = {field: value for field, value in properties.items() if field != "Metrics"}
            properties = others | {"Namespace": "MetricMath", "MetricName": name}
        return record(name, properties)


def read_numbers() -> None:
    def handle_numbers(names: set[str], handle: Callable[..., Any], *arguments: Any) -> Any:
        return handle(*(_with_numbers(argument, names) for argument in arguments))

    for kind, names in _NUMBERS.items():
        for step in ("create", "update"):
            _around(provisioners._RESOURCE_HANDLERS[kind], step)(functools.partial(handle_numbers, names))


def _with_numbers(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: int(given) if name in names and isinstance(given, str) else _with_numbers(given, names)
            for name, given in value.items()
        }
    return value


def take_methods_for_any() -> None:
    apigateway_v1._OPENAPI_HTTP_METHODS.add("any")

    @_around(vars(apigateway_v1), "_import_path_item")
    def import_path_with_any(
        import_path: Callable[..., None], api_id: str, path: str, methods: dict[str, Any], *more: Any
    ) -> None:
        spelled = {
            "any" if method == "x-amazon-apigateway-any-method" else method: how for method, how in methods.items()
        }
        import_path(api_id, path, spelled, *more)


class CodeZip(zipfile.ZipFile):
    """A zip that is unpacked once, wherever it is extracted to; nothing may be written there but compiled modules."""

    shared: Path
    unpacking = threading.Lock()

    def extractall(self, path: Any = None, *_: object) -> None:
        """Make ``path``, an empty directory, lead to what is in the zip."""
        content = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
        unpacked = self.shared / content
        with self.unpacking:
            if not unpacked.exists():
                half = unpacked.with_suffix(".half")
                super().extractall(half)
                half.rename(unpacked)
        Path(path).rmdir()
        Path(path).symlink_to(unpacked)


def unpack_code_once() -> None:
    # A new directory: whatever an earlier emulator left may not be whole.
    CodeZip.shared = Path(tempfile.mkdtemp(prefix="code-"))
    lambda_runtime.zipfile = types.SimpleNamespace(**vars(zipfile) | {"ZipFile": CodeZip})


def forget_old_logs() -> None:
    @_around(vars(lambda_svc), "_emit_lambda_logs")
    def emit_and_forget(emit: Callable[..., None], *arguments: Any, **options: Any) -> None:
        emit(*arguments, **options)
        for group in cloudwatch_logs._log_groups.all_values():
            streams = group["streams"]
            for name in tuple(itertools.islice(streams, max(0, len(streams) - KEPT_STREAMS))):
                streams.pop(name, None)


if __name__ == "__main__":
    if os.environ.get("KEEP_PROTECTED") != "0":
        protect()
        refuse_to_update_what_is_not_complete()
        remember_deleted_stacks()
        remember_what_was_not_rolled_back()
    describe_stacks_by_their_templates()
    take_alarms_of_expressions()
    read_numbers()
    take_methods_for_any()
    unpack_code_once()
    forget_old_logs()
    sys.exit(app.main())
