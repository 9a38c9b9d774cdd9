"""What CloudFormation gets of template.yaml keeps the rules of tests/transformed.py, and they see what breaks them."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from local import template as templates
from local.place import TEMPLATE
from tests import transformed
from tests.transformed import RULES, Rule, resources


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_transformed_template_keeps_the_rule(rule: Rule) -> None:
    assert list(rule(resources())) == []


def _properties(found: dict[str, Any], name: str) -> dict[str, Any]:
    properties: dict[str, Any] = found[name]["Properties"]
    return properties


def _statement(found: dict[str, Any], role: str) -> dict[str, Any]:
    statement: dict[str, Any] = _properties(found, role)["Policies"][0]["PolicyDocument"]["Statement"][0]
    return statement


def _grow(found: dict[str, Any]) -> None:
    permission = found["AdminApiFunctionAnyPermissionlive"]
    found.update({f"Permission{number}": permission for number in range(40)})


BROKEN: list[tuple[Rule, Callable[[dict[str, Any]], object]]] = [
    (
        transformed.no_physical_name_is_written_out,
        lambda found: _properties(found, "RecountFunctionEveryNight").update(Name="RecountFunctionEveryNight"),
    ),
    (transformed.no_policy_is_near_its_limit, _grow),
    (
        transformed.nothing_is_allowed_on_everything,
        lambda found: _properties(found, "PushRetryFunctionRole")["ManagedPolicyArns"].append(
            "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
        ),
    ),
    (
        transformed.every_alarm_is_sent_and_called_off,
        lambda found: _properties(found, "CountsOffAlarm").pop("OKActions"),
    ),
    (
        transformed.every_alarm_is_sent_and_called_off,
        lambda found: found["AlarmTopic"].update(
            Properties={"KmsMasterKeyId": "arn:aws:kms:eu-west-1:123456789012:alias/aws/sns"}
        ),
    ),
    (
        transformed.who_feeds_a_queue_it_reads_may_go_on,
        lambda found: _properties(found, "PushRetryFunction").pop("RecursiveLoop"),
    ),
    (
        transformed.no_trace_or_log_holds_a_query,
        lambda found: _properties(found, "ApiliveStage").update(TracingEnabled=True),
    ),
    (
        transformed.no_trace_or_log_holds_a_query,
        lambda found: _properties(found, "ApiliveStage").update(AccessLogSetting={"Format": "$context.path"}),
    ),
    (
        transformed.nothing_is_allowed_on_everything,
        lambda found: _statement(found, "GetsmsFunctionRole").update(Resource="arn:aws:dynamodb:*:*:table/*"),
    ),
    (
        transformed.nothing_is_allowed_on_everything,
        lambda found: found.update(More={"Type": "AWS::IAM::Policy", "Properties": {}}),
    ),
    (
        transformed.nothing_that_lasts_is_renamed,
        lambda found: _properties(found, "NumbersTable").update(
            KeySchema=[{"AttributeName": "pool", "KeyType": "HASH"}]
        ),
    ),
    (
        transformed.nothing_that_lasts_is_renamed,
        lambda found: _properties(found, "OperatorPool").update(UsernameAttributes=["email"]),
    ),
    (
        transformed.nothing_that_lasts_is_renamed,
        lambda found: found.update(NumberTable=found.pop("NumbersTable")),
    ),
]


@pytest.mark.parametrize(("rule", "spoil"), BROKEN)
def test_a_template_that_breaks_the_rule_is_seen(rule: Rule, spoil: Callable[[dict[str, Any]], object]) -> None:
    spoiled = copy.deepcopy(dict(resources()))
    spoil(spoiled)
    assert list(rule(spoiled)) != []


def test_the_api_is_called_as_its_alarm_says() -> None:
    assert resources()["Api"]["Properties"]["Body"]["info"]["title"] == {"Ref": "AWS::StackName"}
    dimensions = resources()["ServerErrorsAlarm"]["Properties"]["Dimensions"]
    assert {"Name": "ApiName", "Value": {"Ref": "AWS::StackName"}} in dimensions


def test_a_late_schedule_is_dropped_and_a_failed_run_is_not_repeated() -> None:
    schedules = [given["Properties"] for given in resources().values() if given["Type"] == "AWS::Scheduler::Schedule"]
    assert len(schedules) == 3
    for schedule in schedules:
        assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2}
        function = schedule["Target"]["Arn"]["Fn::GetAtt"][0]
        assert resources()[f"{function}EventInvokeConfig"]["Properties"]["MaximumRetryAttempts"] == 0


def test_every_table_and_the_pool_are_protected_by_the_one_parameter_and_tables_use_the_free_key() -> None:
    for given in resources().values():
        if given["Type"] == "AWS::DynamoDB::Table":
            assert given["Properties"]["DeletionProtectionEnabled"] == {"Fn::If": ["Protected", True, False]}
            # A property that goes away leaves the key of KMS that older stacks have.
            assert given["Properties"]["SSESpecification"] == {"SSEEnabled": False}
    pool = resources()["OperatorPool"]
    assert pool["Properties"]["DeletionProtection"] == {"Fn::If": ["Protected", "ACTIVE", "INACTIVE"]}
    assert pool["DeletionPolicy"] == "RetainExceptOnCreate"


def test_tables_that_hold_texts_can_be_restored_for_as_long_as_the_parameter_says() -> None:
    recovery = {
        name: given["Properties"]["PointInTimeRecoverySpecification"]
        for name, given in resources().items()
        if given["Type"] == "AWS::DynamoDB::Table"
    }
    texts = {"ActivationsTable", "InboxTable"}
    stated = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": {"Ref": "RecoveryDays"}}
    assert [recovery[name] for name in texts] == [stated, stated]
    assert all(recovery[name] == {"PointInTimeRecoveryEnabled": True} for name in recovery.keys() - texts)
    # What DynamoDB takes.
    asked = templates.load(TEMPLATE)["Parameters"]["RecoveryDays"]
    assert (asked["MinValue"], asked["MaxValue"]) == (1, 35)


def test_functions_are_traced_by_the_parameter_alone_which_is_off() -> None:
    for given in resources().values():
        if given["Type"] == "AWS::Lambda::Function":
            assert given["Properties"]["TracingConfig"] == {"Mode": {"Ref": "Tracing"}}
    assert templates.load(TEMPLATE)["Parameters"]["Tracing"]["Default"] == "PassThrough"


def test_nobody_changes_the_name_that_the_audit_log_calls_them() -> None:
    written = set(resources()["OperatorClient"]["Properties"]["WriteAttributes"])
    assert written
    assert not written & {"email", "name", "preferred_username", "phone_number"}
    # Cognito refuses a client that can't write what the pool requires.
    schema = resources()["OperatorPool"]["Properties"].get("Schema", [])
    assert {attribute["Name"] for attribute in schema if attribute.get("Required")} <= written


def test_the_limits_of_partners_and_gateways_are_not_those_of_the_rest() -> None:
    settings = {
        (setting["ResourcePath"], setting["HttpMethod"]): setting["ThrottlingRateLimit"]
        for setting in resources()["ApiliveStage"]["Properties"]["MethodSettings"]
    }
    stated = {
        (path.replace("/", "~1").replace("~1", "/~1", 1), method.upper())
        for path, methods in resources()["Api"]["Properties"]["Body"]["paths"].items()
        for method in methods
    }
    rest = settings.pop(("/*", "*"))
    assert settings.keys() < stated
    assert all(limit > rest for limit in settings.values())
    assert not {path for path, _ in settings if "admin" in path or "console" in path}
