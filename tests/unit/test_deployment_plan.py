"""What a deployment will do, and what it says of that: parameters by rule, the Lambda quota, counts, costs."""

from typing import Any

import pytest

from deployment import plan, scaling
from deployment.scaling import Scaling
from deployment.stacks import Stack, Step
from simulation.aws import TEMPLATE

STATED: dict[str, Any] = {
    name: {"Type": "String", "Default": default}
    for name, default in {
        "Architecture": "arm64",
        "DeletionProtection": "true",
        "PushParallelization": "10",
        "RetentionDays": "30",
        "RetryConcurrency": "50",
        "SlowRetryConcurrency": "100",
    }.items()
}
SCALED = {"PushParallelization": "10", "RetryConcurrency": "50", "SlowRetryConcurrency": "100"}


def complete(**parameters: str) -> Stack:
    return Stack("globalconnect", "arn:1", "UPDATE_COMPLETE", parameters=parameters)


@pytest.mark.parametrize(
    ("named", "before", "protections"),
    [
        ({}, None, ["false", "true"]),
        ({"DeletionProtection": "true"}, None, ["false", "true"]),
        ({"DeletionProtection": "false"}, None, ["false"]),
        ({"DeletionProtection": "false"}, complete(DeletionProtection="true"), ["false"]),
        ({}, complete(DeletionProtection="false"), ["true"]),
    ],
)
def test_a_stack_that_is_made_is_protected_in_a_second_step_and_by_nothing_else(
    named: dict[str, str], before: Stack | None, protections: list[str]
) -> None:
    planned = plan.plan(STATED, {"RetentionDays": "60", **named}, Scaling(), before)
    others = {"Architecture": "arm64", "RetentionDays": "60", **SCALED}
    steps = [planned.first] if planned.protecting is None else [planned.first, planned.protecting]
    assert steps == [{**others, "DeletionProtection": protection} for protection in protections]


def test_what_has_a_rule_is_given_again_and_what_has_none_is_kept() -> None:
    before = complete(RetryConcurrency="7", RetentionDays="90", Architecture="arm64")
    assert plan.plan(STATED, {}, Scaling(), before).first == {
        "Architecture": "arm64",
        "DeletionProtection": "true",
        **SCALED,
    }


def test_functions_are_built_for_the_processor_that_the_stack_keeps() -> None:
    before = complete(Architecture="x86_64")
    assert plan.plan(STATED, {}, Scaling(), before).first["Architecture"] == "x86_64"
    assert plan.plan(STATED, {"Architecture": "arm64"}, Scaling(), before).first["Architecture"] == "arm64"


def test_a_template_is_given_only_what_it_takes() -> None:
    older = {name: STATED[name] for name in ("Architecture", "DeletionProtection")}
    assert plan.plan(older, {}, Scaling(), complete()).first.keys() == older.keys()


def test_the_template_takes_what_has_a_rule() -> None:
    assert STATED.keys() <= TEMPLATE["Parameters"].keys()


@pytest.mark.parametrize(
    ("quota", "scaled"),
    [
        (None, Scaling(50, 100, 10)),
        (1000, Scaling(50, 100, 10)),
        (400, Scaling(50, 100, 10)),
        (200, Scaling(26, 53, 5)),
        (50, Scaling(7, 14, 1)),
        (10, Scaling(2, 2, 1)),
        (1, Scaling(2, 2, 1)),
    ],
)
def test_pushes_get_what_the_quota_allows(quota: int | None, scaled: Scaling) -> None:
    assert scaling.for_quota(quota) == scaled


def test_at_least_half_of_the_quota_is_left_to_the_rest_where_the_least_that_aws_takes_allows_it() -> None:
    least = 2 * Scaling(2, 2, 1).at_most
    assert [quota for quota in range(least, 2_000) if scaling.for_quota(quota).at_most > quota / 2] == []


def test_a_scaling_that_is_named_wins() -> None:
    assert scaling.for_quota(10).but({"RetryConcurrency": "80"}) == Scaling(80, 2, 1)


@pytest.mark.parametrize(
    ("quota", "count", "said"),
    [
        (1000, 1, ["1000 Lambda invocations at a time: 190 at most for pushes, 810 for the rest"]),
        (scaling.ENOUGH, 1, []),
        (scaling.ENOUGH - 1, 5, []),
        (
            10,
            5,
            [
                "10 Lambda invocations at a time: 8 at most for pushes, 2 for the rest",
                "retries come later than every 10 s",
                "request-service-quota-increase --service-code lambda",
                "--quota-code L-B99A9384 --desired-value 1000 --region eu-west-1",
            ],
        ),
        (None, 2, ["unknown: these credentials may not ask"]),
    ],
)
def test_a_usual_quota_is_one_line_and_a_small_one_is_told_with_how_to_get_more(
    quota: int | None, count: int, said: list[str]
) -> None:
    lines = scaling.lines(quota, scaling.for_quota(quota), "eu-west-1")
    assert len(lines) == count
    assert [part for part in said if part not in "\n".join(lines)] == []


def test_what_is_made_is_counted_without_what_depends_on_parameters() -> None:
    resources = {
        "A": {"Type": "AWS::DynamoDB::Table"},
        "B": {"Type": "AWS::DynamoDB::Table"},
        "C": {"Type": "AWS::DynamoDB::Table", "Condition": "HasDomain"},
        "D": {"Type": "AWS::Serverless::Function"},
        "E": {"Type": "AWS::Logs::LogGroup"},
    }
    assert plan.contents({"Resources": resources}) == "2 tables, 1 function"


def test_what_is_given_is_told_apart_by_whether_it_was_named() -> None:
    named = {"AlarmEmail": "", "RetentionDays": "60"}
    by_rule, by_name, steps = plan.lines(plan.plan(STATED | {"AlarmEmail": {}}, named, Scaling(), None), named)
    assert "DeletionProtection=false" in by_rule
    assert "RetentionDays" not in by_rule
    assert by_name.split()[2:] == ["AlarmEmail=(empty)", "RetentionDays=60"]
    assert "protected from deletion as soon as it is complete" in steps


@pytest.mark.parametrize(
    ("status", "step", "said"),
    [
        ("CREATE_COMPLETE", Step.UPDATE, "CREATE_COMPLETE, will be updated"),
        ("CREATE_IN_PROGRESS", Step.WAIT, "CREATE_IN_PROGRESS, AWS is at work on it, which is waited for"),
        (
            "ROLLBACK_FAILED",
            Step.CLEAR,
            "ROLLBACK_FAILED, never was complete; what is left of it will be removed, and it will be made anew",
        ),
        (None, Step.MAKE, "is not there yet, and will be made"),
    ],
)
def test_how_a_stack_stands_is_told_with_what_is_done_about_it(status: str | None, step: Step, said: str) -> None:
    assert plan.standing(Stack("globalconnect", "arn:1", status) if status else None, step) == said


def test_an_idle_month_is_told_as_the_costs_have_it() -> None:
    costs = "text **US$ 9.99 for a month with\n10,000 numbers and nobody calling**, at list prices"
    assert (
        plan.idle_month(costs) == "A month with 10,000 numbers and nobody calling costs about US$ 9.99 (docs/costs.md)."
    )
    assert plan.idle_month("**US$ 135 per million sales**") is None
