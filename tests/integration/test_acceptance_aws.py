"""How `make check-deployment` reads what the emulator has not, or has otherwise, in AWS's own answers."""

from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from acceptance.cloud import AwsCloud, Receivers, Traces
from deployment.stacks import Resource, Stack
from local.place import REPOSITORY
from local.template import load

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
HELD = ("PartnerApiFunction", "GetsmsFunction", "PushSmsFunction", "PushRetryFunction", "AdminApiFunction", "SomeAlarm")


class Stacks:
    """The resources of a stack, each called by its logical id and a suffix."""

    def resources(self, stack_id: str) -> list[Resource]:
        return [Resource(name, f"{stack_id}-{name}-X1", "AWS::Any::Thing", "CREATE_COMPLETE") for name in HELD]


def cloud(*answers: tuple[str, str, dict[str, Any], dict[str, Any]]) -> AwsCloud:
    """Return a cloud in which AWS answers so: service, operation, expected parameters, answer."""
    clients: dict[str, Any] = {service: boto3.client(service) for service in {each[0] for each in answers}}  # type: ignore[call-overload]
    for service, client in clients.items():
        stubber = Stubber(client)
        for _, operation, expected, answer in (each for each in answers if each[0] == service):
            stubber.add_response(operation, answer, expected)
        stubber.activate()
    stack = Stack("gc", "gc", "CREATE_COMPLETE", outputs={"AlarmTopicArn": TOPIC})
    return AwsCloud(clients.__getitem__, stack, Stacks())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subscription", "actions", "enabled", "found"),
    [
        (f"{TOPIC}:1", [TOPIC], True, Receivers(1, [])),
        ("PendingConfirmation", [TOPIC], True, Receivers(0, [])),
        (f"{TOPIC}:1", [], True, Receivers(1, ["SomeAlarm"])),
        (f"{TOPIC}:1", [TOPIC], False, Receivers(1, ["SomeAlarm"])),
    ],
)
def test_a_receiver_has_confirmed_and_an_alarm_tells_the_topic(
    subscription: str, actions: list[str], found: Receivers, *, enabled: bool
) -> None:
    alarm = {"AlarmName": "gc-SomeAlarm-X1", "ActionsEnabled": enabled, "AlarmActions": actions}
    asked = cloud(
        (
            "sns",
            "list_subscriptions_by_topic",
            {"TopicArn": TOPIC},
            {"Subscriptions": [{"SubscriptionArn": subscription}]},
        ),
        (
            "cloudwatch",
            "describe_alarms",
            {"AlarmNames": ["gc-SomeAlarm-X1"], "MaxRecords": 100},
            {"MetricAlarms": [alarm]},
        ),
    )
    assert asked.receivers() == found


def test_a_key_is_looked_for_in_the_traces_of_the_functions_that_are_given_it() -> None:
    document = '{"name": "gc", "http": {"request": {"url": "https://x/SMSBOWER?key=gc_1.secret"}}}'
    summaries = {"TraceSummaries": [{"Id": "1-1"}, {"Id": "1-2"}]}
    traces = [
        {"Id": "1-1", "Segments": [{"Id": "1", "Document": document}]},
        {"Id": "1-2", "Segments": [{"Id": "2", "Document": "{}"}]},
    ]
    named = " OR ".join(f'service("gc-{name}-X1")' for name in HELD[:-1])
    asked = {"StartTime": ANY, "EndTime": ANY, "FilterExpression": named}
    answers = (
        ("xray", "get_trace_summaries", asked, summaries),
        ("xray", "batch_get_traces", {"TraceIds": ["1-1", "1-2"]}, {"Traces": traces}),
    )
    assert cloud(*answers).traces("gc_1.secret", 0) == Traces(2, 1)
    assert cloud(*answers).traces("gc_2.other", 0) == Traces(2, 0)


def test_what_aws_dropped_as_a_loop_is_counted_over_both_functions_that_push() -> None:
    point = {"Datapoints": [{"Sum": 2.0}, {"Sum": 1.0}]}

    def asked(function: str) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        expected = {
            "Namespace": "AWS/Lambda",
            "MetricName": "RecursiveInvocationsDropped",
            "Dimensions": [{"Name": "FunctionName", "Value": f"gc-{function}-X1"}],
            "StartTime": ANY,
            "EndTime": ANY,
            "Period": 60,
            "Statistics": ["Sum"],
        }
        return ("cloudwatch", "get_metric_statistics", expected, point)

    assert cloud(asked("PushSmsFunction"), asked("PushRetryFunction")).dropped_recursions(0) == 6


def test_the_pretend_partners_url_has_both_permissions_and_its_role_none() -> None:
    resources = load(REPOSITORY / "acceptance" / "stack.yaml")["Resources"]
    of = {name: each["Properties"] for name, each in resources.items()}
    allowed = {each["Action"]: each for each in of.values() if "Action" in each}
    assert allowed["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == of["Url"]["AuthType"] == "NONE"
    assert allowed["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True
    assert of["Role"].keys() == {"AssumeRolePolicyDocument"}
    assert len((REPOSITORY / "acceptance" / "pretend_partner.py").read_bytes()) <= 4_096
