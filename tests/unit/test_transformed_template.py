"""template.yaml as CloudFormation gets it, after SAM, keeps its rules (docs/adr/0029), and they see what breaks them."""

import copy
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from globalconnect.runtime.metrics import Metric
from globalconnect.runtime.request_log import RefusalCount
from local.place import REPOSITORY
from local.place import TEMPLATE as TEMPLATE_FILE
from simulation.aws import TEMPLATE

LASTING = REPOSITORY / "tests" / "unit" / "lasting_resources.json"

type Resources = Mapping[str, Any]
type Rule = Callable[[Resources], Iterator[str]]

# IAM takes 10,240 characters of inline policies a role, Lambda 20,480 bytes of permissions a function.
LARGEST_POLICY = 12 * 1024

# With the properties that can't be changed: another value makes a new one, too.
_LASTING_TYPES = {
    "AWS::DynamoDB::Table": ("KeySchema",),
    "AWS::Cognito::UserPool": ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "Schema"),
    "AWS::Cognito::UserPoolClient": ("GenerateSecret", "UserPoolId"),
    "AWS::SQS::Queue": ("FifoQueue",),
    "AWS::ApiGateway::RestApi": (),
    "AWS::Lambda::EventSourceMapping": ("EventSourceArn", "StartingPosition"),
}
# Which a second stack of the account and region could not have, too.
_PHYSICAL_NAME = re.compile(r"(Name|(Table|Queue|Role|Function|LogGroup|Topic|UserPool|Alarm|Client|Bucket|Group)Name)")
# What these may hold by their nature.
_NAMED_BY_OTHERS = {"AWS::ApiGateway::DomainName", "AWS::Route53::RecordSet"}
_LOGS_AND_TRACES = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSXRayDaemonWriteAccess"}
_MANAGED = {
    name: f"arn:aws:iam::aws:policy/{name}"
    for name in (*_LOGS_AND_TRACES, "AWSLambdaSQSQueueExecutionRole", "AWSLambdaDynamoDBExecutionRole")
}
# What of a request may be in an access log: `resourcePath` is the route, not what was asked for.
_LOGGED = {"requestTime", "requestId", "identity.sourceIp", "httpMethod", "resourcePath", "status", "responseLatency"}


@cache
def resources() -> Resources:
    """Return the resources that SAM makes of template.yaml."""
    template = yaml_parse(TEMPLATE_FILE.read_text(encoding="utf-8"))
    # Where `sam deploy` puts it.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
        transformed: dict[str, Any] = transform(template, {}, SimpleNamespace(load=lambda: _MANAGED))
    return json.loads(json.dumps(transformed["Resources"]))  # type: ignore[no-any-return]


def lasting(found: Resources) -> dict[str, dict[str, Any]]:
    """Return what a deployed stack holds its data, sign-ins and URL by: a rename would make a new one, and lose that."""
    return {
        name: {"Type": given["Type"]}
        | {field: given["Properties"].get(field) for field in _LASTING_TYPES[given["Type"]]}
        | _types_of_keys(given["Properties"])
        for name, given in sorted(found.items())
        if given["Type"] in _LASTING_TYPES
    }


def _types_of_keys(table: Mapping[str, Any]) -> dict[str, str]:
    keys = {key["AttributeName"] for key in table.get("KeySchema", [])}
    types = {given["AttributeName"]: given["AttributeType"] for given in table.get("AttributeDefinitions", [])}
    return {name: types[name] for name in sorted(keys)}


def _of(found: Resources, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, given.get("Properties", {})) for name, given in found.items() if given["Type"] == kind)


def _statements(found: Resources) -> Iterator[tuple[str, dict[str, Any]]]:
    for role, properties in _of(found, "AWS::IAM::Role"):
        for policy in properties.get("Policies", []):
            # With a condition or without; what else a condition gives is nothing.
            for statement in policy.get("Fn::If", [None, policy])[1]["PolicyDocument"]["Statement"]:
                yield role, statement


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def no_physical_name_is_written_out(found: Resources) -> Iterator[str]:
    """A second stack in the account and region must find every name free."""
    for name, given in found.items():
        for field, value in given.get("Properties", {}).items():
            if given["Type"] not in _NAMED_BY_OTHERS and _PHYSICAL_NAME.fullmatch(field) and isinstance(value, str):
                yield f"{name}.{field} is {value}"


def no_policy_is_near_its_limit(found: Resources) -> Iterator[str]:
    policies = [(role, len(json.dumps(statement))) for role, statement in _statements(found)]
    for _, permission in _of(found, "AWS::Lambda::Permission"):
        # As Lambda keeps it, with a name, an ARN and a condition.
        policies.append((permission["FunctionName"]["Ref"], len(json.dumps(permission)) + 200))
    for name in {name for name, _ in policies}:
        size = sum(part for owner, part in policies if owner == name)
        if size > LARGEST_POLICY:
            yield f"{name} has {size} bytes of policy"


def nothing_is_allowed_on_everything(found: Resources) -> Iterator[str]:
    """Only logs and traces, which AWS's own policies for them give."""
    for role, properties in _of(found, "AWS::IAM::Role"):
        for arn in properties.get("ManagedPolicyArns", []):
            if arn.rpartition("/")[2] not in _LOGS_AND_TRACES:
                yield f"{role} has {arn}"
    for role, statement in _statements(found):
        # Resources are named by what the template makes; text alone is never one of those.
        named = all(isinstance(resource, dict) for resource in _listed(statement["Resource"]))
        if not named or any("*" in action for action in _listed(statement["Action"])):
            yield f"{role} may {statement['Action']} on {statement['Resource']}"
    for name, given in found.items():
        if given["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}:
            yield f"{name} is a policy apart from its role"


def every_alarm_is_sent_and_called_off(found: Resources) -> Iterator[str]:
    """To a topic that CloudWatch may publish to: not one encrypted with the AWS-managed key."""
    topics = dict(_of(found, "AWS::SNS::Topic"))
    for name, alarm in _of(found, "AWS::CloudWatch::Alarm"):
        for actions in ("AlarmActions", "OKActions"):
            if not {action.get("Ref") for action in alarm.get(actions, [])} & topics.keys():
                yield f"{name} has no {actions}"
    yield from (
        f"{name} is encrypted, and CloudWatch may not use the key"
        for name in topics
        if "KmsMasterKeyId" in topics[name]
    )


def who_feeds_a_queue_it_reads_may_go_on(found: Resources) -> Iterator[str]:
    """Lambda ends such a loop after some 16 turns unless it is told to allow it (docs/adr/0028)."""
    for name, mapping in _of(found, "AWS::Lambda::EventSourceMapping"):
        function = mapping["FunctionName"]["Ref"]
        role = found[function]["Properties"]["Role"]["Fn::GetAtt"][0]
        queue = mapping["EventSourceArn"]
        feeds = any(
            queue in _listed(statement["Resource"]) and "sqs:SendMessage" in _listed(statement["Action"])
            for its_role, statement in _statements(found)
            if its_role == role
        )
        if feeds and found[function]["Properties"].get("RecursiveLoop") != "Allow":
            yield f"{function} feeds the queue of {name} and would be stopped"


def no_trace_or_log_holds_a_query(found: Resources) -> Iterator[str]:
    """Partners' keys are in queries, and gateways' secrets may be (docs/adr/0008)."""
    for name, stage in _of(found, "AWS::ApiGateway::Stage"):
        # Without the property, a stage that older versions traced may stay so.
        if stage.get("TracingEnabled") is not False:
            yield f"{name} is traced, or may still be"
        for setting in stage.get("MethodSettings", []):
            if setting.get("LoggingLevel", "OFF") != "OFF" or setting.get("DataTraceEnabled"):
                yield f"{name} logs executions of {setting['HttpMethod']} {setting['ResourcePath']}"
        logged = json.dumps(stage.get("AccessLogSetting", {}))
        for variable in set(re.findall(r"\$context\.([\w.]+)", logged)) - _LOGGED:
            yield f"{name} logs {variable}"
        if "$input" in logged or "$stageVariables" in logged:
            yield f"{name} logs more than the context"


def nothing_that_lasts_is_renamed(found: Resources) -> Iterator[str]:
    """`lasting_resources.json` is what deployed stacks have: names may be added to it, none changed or taken away."""
    known = json.loads(LASTING.read_text(encoding="utf-8"))
    there = lasting(found)
    for name in sorted(known.keys() | there.keys()):
        if known.get(name) != there.get(name):
            yield f"{name} is {there.get(name)}, and {known.get(name)} in {LASTING.name}"


RULES: tuple[Rule, ...] = (
    no_physical_name_is_written_out,
    no_policy_is_near_its_limit,
    nothing_is_allowed_on_everything,
    every_alarm_is_sent_and_called_off,
    who_feeds_a_queue_it_reads_may_go_on,
    no_trace_or_log_holds_a_query,
    nothing_that_lasts_is_renamed,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_transformed_template_keeps_the_rule(rule: Rule) -> None:
    assert list(rule(resources())) == []


type Spoil = Callable[[dict[str, Any]], object]


def _changing(name: str, **properties: object) -> Spoil:
    return lambda found: found[name].setdefault("Properties", {}).update(properties)


def _grow(found: dict[str, Any]) -> None:
    permission = found["AdminApiFunctionAnyPermissionlive"]
    found.update({f"Permission{number}": permission for number in range(40)})


QUEUES = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
EVERYWHERE = {"Statement": [{"Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:*:*:table/*"}]}
BROKEN: list[tuple[Rule, Spoil]] = [
    (no_physical_name_is_written_out, _changing("RecountFunctionEveryNight", Name="RecountFunctionEveryNight")),
    (no_policy_is_near_its_limit, _grow),
    (nothing_is_allowed_on_everything, _changing("PushRetryFunctionRole", ManagedPolicyArns=[QUEUES])),
    (nothing_is_allowed_on_everything, _changing("GetsmsFunctionRole", Policies=[{"PolicyDocument": EVERYWHERE}])),
    (
        nothing_is_allowed_on_everything,
        lambda found: found.update(More={"Type": "AWS::IAM::Policy", "Properties": {}}),
    ),
    (every_alarm_is_sent_and_called_off, _changing("CountsOffAlarm", OKActions=[])),
    (every_alarm_is_sent_and_called_off, _changing("AlarmTopic", KmsMasterKeyId="alias/aws/sns")),
    (who_feeds_a_queue_it_reads_may_go_on, _changing("PushRetryFunction", RecursiveLoop=None)),
    (no_trace_or_log_holds_a_query, _changing("ApiliveStage", TracingEnabled=True)),
    (no_trace_or_log_holds_a_query, _changing("ApiliveStage", AccessLogSetting={"Format": "$context.path"})),
    (
        nothing_that_lasts_is_renamed,
        _changing("NumbersTable", KeySchema=[{"AttributeName": "pool", "KeyType": "HASH"}]),
    ),
    (nothing_that_lasts_is_renamed, _changing("OperatorPool", UsernameAttributes=["email"])),
    (nothing_that_lasts_is_renamed, lambda found: found.update(NumberTable=found.pop("NumbersTable"))),
]


@pytest.mark.parametrize(("rule", "spoil"), BROKEN)
def test_a_template_that_breaks_the_rule_is_seen(rule: Rule, spoil: Spoil) -> None:
    spoiled = copy.deepcopy(dict(resources()))
    spoil(spoiled)
    assert list(rule(spoiled)) != []


def test_the_api_is_called_as_its_alarm_says() -> None:
    assert resources()["Api"]["Properties"]["Body"]["info"]["title"] == {"Ref": "AWS::StackName"}
    dimensions = resources()["ServerErrorsAlarm"]["Properties"]["Dimensions"]
    assert {"Name": "ApiName", "Value": {"Ref": "AWS::StackName"}} in dimensions


def test_a_late_schedule_is_dropped_and_a_failed_run_is_not_repeated() -> None:
    schedules = [schedule["Target"] for _, schedule in _of(resources(), "AWS::Scheduler::Schedule")]
    assert len(schedules) == 4
    for target in schedules:
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2}
        invoked = resources()[f"{target['Arn']['Fn::GetAtt'][0]}EventInvokeConfig"]
        assert invoked["Properties"]["MaximumRetryAttempts"] == 0


def test_every_table_and_the_pool_are_protected_by_the_one_parameter_and_tables_use_the_free_key() -> None:
    for _, table in _of(resources(), "AWS::DynamoDB::Table"):
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["Protected", True, False]}
        # A property that goes away leaves the key of KMS that older stacks have.
        assert table["SSESpecification"] == {"SSEEnabled": False}
    pool = resources()["OperatorPool"]
    assert pool["Properties"]["DeletionProtection"] == {"Fn::If": ["Protected", "ACTIVE", "INACTIVE"]}
    assert pool["DeletionPolicy"] == "RetainExceptOnCreate"


def test_tables_that_hold_texts_can_be_restored_for_as_long_as_the_parameter_says() -> None:
    for name, table in _of(resources(), "AWS::DynamoDB::Table"):
        days = {"RecoveryPeriodInDays": {"Ref": "RecoveryDays"}} if name in {"ActivationsTable", "InboxTable"} else {}
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True, **days}
    # What DynamoDB takes.
    asked = TEMPLATE["Parameters"]["RecoveryDays"]
    assert (asked["MinValue"], asked["MaxValue"]) == (1, 35)


def test_functions_are_traced_by_the_parameter_alone_which_is_off() -> None:
    tracing = [function["TracingConfig"] for _, function in _of(resources(), "AWS::Lambda::Function")]
    assert tracing == [{"Mode": {"Ref": "Tracing"}}] * len(tracing)
    assert TEMPLATE["Parameters"]["Tracing"]["Default"] == "PassThrough"


def test_nobody_changes_the_name_that_the_audit_log_calls_them() -> None:
    written = set(resources()["OperatorClient"]["Properties"]["WriteAttributes"])
    assert written
    assert not written & {"email", "name", "preferred_username", "phone_number"}
    # Cognito refuses a client that can't write what the pool requires.
    schema = resources()["OperatorPool"]["Properties"].get("Schema", [])
    assert {attribute["Name"] for attribute in schema if attribute.get("Required")} <= written


def test_staff_sign_in_with_their_password_and_in_no_other_way() -> None:
    flows = resources()["OperatorClient"]["Properties"]["ExplicitAuthFlows"]
    assert flows == ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


def test_a_second_factor_is_an_authenticator_app_and_cognito_requires_it_of_nobody() -> None:
    pool = resources()["OperatorPool"]["Properties"]
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


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
    on_the_page = {key: settings.pop(key) for key in [*settings] if key[0].startswith("/~1partner~1")}
    assert all(limit > rest for limit in settings.values())
    # What strangers may try without a sign-in.
    assert sorted(on_the_page) == [(f"/~1partner~1{asked}", "POST") for asked in ("explain", "forms", "getsms", "link")]
    assert all(limit < rest for limit in on_the_page.values())
    assert not {path for path, _ in settings if "admin" in path or "console" in path}


def test_the_dashboard_shows_every_alarm_function_and_metric_of_ours() -> None:
    found = resources()
    body = found["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{([^}]+)\}", r"\1", body))["widgets"]
    shown = [(widget["type"], widget["properties"]) for widget in widgets]
    alarms = {alarm for kind, properties in shown if kind == "alarm" for alarm in properties["alarms"]}
    assert alarms == {f"{name}.Arn" for name, _ in _of(found, "AWS::CloudWatch::Alarm")}

    metrics = [tuple(metric[:-1]) for kind, properties in shown if kind == "metric" for metric in properties["metrics"]]
    ours = {("GlobalConnect", str(metric), "service", "AWS::StackName") for metric in [*Metric, *RefusalCount]}
    failed = {("AWS/Lambda", "Errors", "FunctionName", name) for name, _ in _of(found, "AWS::Lambda::Function")}
    assert ours | failed <= set(metrics)
    # Every other dimension names something that is there.
    named = {value.partition(".")[0] for metric in metrics for value in metric[3::2]}
    assert named <= {*found, "AWS::StackName"}
