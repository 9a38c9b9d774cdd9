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

import copy
import functools
import hashlib
import importlib
import itertools
import os
import sys
import tempfile
import threading
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Log streams that a group keeps; the emulator has one per invocation.
KEPT_STREAMS = 5_000


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
    """Have protected tables and user pools not be deleted, neither with their stack nor by themselves."""
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

    cognito: Any = importlib.import_module(f"{package}.cognito")
    delete_pool, refused = cognito._delete_user_pool, cognito.error_response_json  # noqa: SLF001

    def delete_unprotected_pool(request: dict[str, Any]) -> Any:
        if is_protected_pool(request.get("UserPoolId", "")):
            return refused("InvalidParameterException", "The user pool's deletion protection is active.", 400)
        return delete_pool(request)

    cognito._delete_user_pool = delete_unprotected_pool  # noqa: SLF001


def refuse_to_update_what_is_not_complete() -> None:
    """Have no change set be made for a stack that can't be updated, in the words that AWS has for it."""
    handlers: Any = importlib.import_module("ministack.services.cloudformation.handlers")
    refused: Any = importlib.import_module("ministack.services.cloudformation.helpers")._error  # noqa: SLF001
    create = handlers._ACTION_HANDLERS["CreateChangeSet"]  # noqa: SLF001

    @functools.wraps(create)
    def create_if_complete(parameters: dict[str, list[str]]) -> Any:
        stack = handlers._resolve_stack(parameters.get("StackName", [""])[0]) or {}  # noqa: SLF001
        status = stack.get("StackStatus", "")
        at_work = status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
        if at_work or status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"}:
            return refused("ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated.")
        return create(parameters)

    handlers._ACTION_HANDLERS["CreateChangeSet"] = create_if_complete  # noqa: SLF001


def remember_deleted_stacks() -> None:
    """Have what a stack held be listed after its deletion (CloudFormation, ListStackResources: for 90 days)."""
    stacks: Any = importlib.import_module("ministack.services.cloudformation.stacks")
    handlers: Any = importlib.import_module("ministack.services.cloudformation.handlers")
    package: Any = importlib.import_module("ministack.services.cloudformation")
    delete = stacks._delete_stack_async  # noqa: SLF001

    @functools.wraps(delete)
    async def delete_and_remember(name: str, stack_id: str, *arguments: Any, **options: Any) -> None:
        stack = package._stacks.get(name)  # noqa: SLF001
        before = copy.deepcopy(stack.get("_resources", {})) if stack else {}
        await delete(name, stack_id, *arguments, **options)
        if not stack:
            return
        events = package._stack_events[stack_id]  # noqa: SLF001
        skipped = {each["LogicalResourceId"] for each in events if each["ResourceStatus"] == "DELETE_SKIPPED"}
        left = stack["_resources"]
        for logical_id, record in before.items():
            # The emulator would delete again what it deleted, were that still there after a deletion that failed.
            if logical_id in skipped or (stack["StackStatus"] == "DELETE_COMPLETE" and logical_id not in left):
                record["ResourceStatus"] = "DELETE_SKIPPED" if logical_id in skipped else "DELETE_COMPLETE"
                left[logical_id] = record

    stacks._delete_stack_async = handlers._delete_stack_async = delete_and_remember  # noqa: SLF001


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


def describe_stacks_by_their_templates() -> None:
    """Have DescribeStacks give the description of the template."""
    handlers: Any = importlib.import_module("ministack.services.cloudformation.handlers")
    package: Any = importlib.import_module("ministack.services.cloudformation")
    (table,) = (given for given in vars(handlers).values() if isinstance(given, dict) and "DescribeStacks" in given)
    describe = table["DescribeStacks"]

    @functools.lru_cache
    def description(template: str) -> str:
        return str(handlers._parse_template(template).get("Description", ""))  # noqa: SLF001

    @functools.wraps(describe)
    def describe_whole(parameters: Any) -> Any:
        for stack in package._stacks.values():  # noqa: SLF001
            stack["Description"] = description(stack.get("_template_body") or "{}")
        return describe(parameters)

    table["DescribeStacks"] = describe_whole


def take_alarms_of_expressions() -> None:
    """Have alarms on metric math made, as alarms of a metric that nobody reports."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    record = provisioners._cw_metric_alarm_record  # noqa: SLF001

    @functools.wraps(record)
    def record_expression(name: str, properties: dict[str, Any]) -> Any:
        if "Metrics" not in properties:
            return record(name, properties)
        others = {field: value for field, value in properties.items() if field != "Metrics"}
        return record(name, others | {"Namespace": "MetricMath", "MetricName": name})

    provisioners._cw_metric_alarm_record = record_expression  # noqa: SLF001


_NUMBERS = {
    "AWS::Lambda::EventSourceMapping": {"ParallelizationFactor", "MaximumConcurrency"},
    "AWS::Cognito::UserPoolClient": {"IdTokenValidity", "AccessTokenValidity"},
}


def _with_numbers(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: int(given) if name in names and isinstance(given, str) else _with_numbers(given, names)
            for name, given in value.items()
        }
    return value


def read_numbers() -> None:
    """Have properties that are numbers read as numbers."""
    handlers: Any = importlib.import_module("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS  # noqa: SLF001
    for kind, names in _NUMBERS.items():
        for step in ("create", "update"):
            handlers[kind][step] = _reading(handlers[kind][step], names)


def _reading(handle: Callable[..., Any], names: set[str]) -> Callable[..., Any]:
    @functools.wraps(handle)
    def handle_numbers(*arguments: Any) -> Any:
        return handle(*(_with_numbers(argument, names) for argument in arguments))

    return handle_numbers


def take_methods_for_any() -> None:
    """Have the import of an API take the method that stands for all."""
    gateway: Any = importlib.import_module("ministack.services.apigateway_v1")
    gateway._OPENAPI_HTTP_METHODS.add("any")  # noqa: SLF001
    import_path = gateway._import_path_item  # noqa: SLF001

    @functools.wraps(import_path)
    def import_path_with_any(api_id: str, path: str, methods: dict[str, Any], *more: Any) -> None:
        spelled = {
            "any" if method == "x-amazon-apigateway-any-method" else method: how for method, how in methods.items()
        }
        import_path(api_id, path, spelled, *more)

    gateway._import_path_item = import_path_with_any  # noqa: SLF001


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
    """Have all processes of a function share its code."""
    # A new directory: whatever an earlier emulator left may not be whole.
    CodeZip.shared = Path(tempfile.mkdtemp(prefix="code-"))
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    runtime.zipfile = types.SimpleNamespace(**vars(zipfile) | {"ZipFile": CodeZip})


def forget_old_logs() -> None:
    """Have each log group keep the streams of its newest invocations only."""
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    groups: Any = importlib.import_module("ministack.services.cloudwatch_logs")._log_groups  # noqa: SLF001
    emit = functions._emit_lambda_logs  # noqa: SLF001

    @functools.wraps(emit)
    def emit_and_forget(*arguments: Any, **options: Any) -> None:
        emit(*arguments, **options)
        for group in groups.all_values():
            streams = group["streams"]
            for name in tuple(itertools.islice(streams, max(0, len(streams) - KEPT_STREAMS))):
                streams.pop(name, None)

    functions._emit_lambda_logs = emit_and_forget  # noqa: SLF001


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
    sys.exit(importlib.import_module("ministack.app").main())
