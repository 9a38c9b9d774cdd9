"""What a deployment will do, before it does it: the parameters of its one or two steps, and the words for them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment.stacks import POOL, TABLE, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployment.scaling import Scaling
    from deployment.stacks import Stack

_PROTECTION = "DeletionProtection"
# What is counted before it is made: singular, plural.
_KINDS = {
    TABLE: ("table", "tables"),
    "AWS::Serverless::Function": ("function", "functions"),
    "AWS::SQS::Queue": ("queue", "queues"),
    "AWS::CloudWatch::Alarm": ("alarm", "alarms"),
    "AWS::Serverless::Api": ("API", "APIs"),
    POOL: ("user pool", "user pools"),
}
_IDLE_MONTH = re.compile(r"\*\*(US\$\s[\d.,]*\d)\sfor\sa\smonth\swith\s([\d,]+)\snumbers\sand\snobody\scalling\*\*")


@dataclass(frozen=True)
class Plan:
    """The parameters given to each step; ``protecting`` is None when one step is enough."""

    first: Mapping[str, str]
    protecting: Mapping[str, str] | None


def plan(stated: Mapping[str, Any], named: Mapping[str, str], scaling: Scaling, before: Stack | None) -> Plan:
    """The parameters to give: those ``named``, and those that have a rule.

    ``stated`` are the template's, ``before`` the complete stack, None when there is none. SAM keeps the values that
    are not given, so what has a rule is given every time. What is protected can't be rolled back, so a stack that is
    made is protected in a second step (docs/adr/0029).
    """
    architecture = before.parameters.get("Architecture") if before else None
    ruled = {
        # The functions are built for it, so the build has to know what the stack keeps.
        "Architecture": architecture or str(stated["Architecture"]["Default"]),
        _PROTECTION: "true",
        **scaling.parameters(),
    }
    given = {name: value for name, value in {**ruled, **named}.items() if name in stated}
    if before is not None or given[_PROTECTION] == "false":
        return Plan(given, None)
    return Plan({**given, _PROTECTION: "false"}, given)


def lines(plan: Plan, named: Mapping[str, str]) -> list[str]:
    """The parameters that are given, those ``named`` apart from those that have a rule."""
    by_rule = [f"{name}={value}" for name, value in sorted(plan.first.items()) if name not in named]
    by_name = [f"{name}={value or '(empty)'}" for name, value in sorted(named.items())]
    said = [f"  by rule   {' '.join(by_rule)}"]
    if by_name:
        said.append(f"  as named  {' '.join(by_name)}")
    if plan.protecting:
        said.append("  in steps  made first, and protected from deletion as soon as it is complete")
    return said


def standing(stack: Stack | None, step: Step) -> str:
    """How the stack stands and what is done about it, in a few words."""
    if stack is None:
        return "is not there yet, and will be made"
    what_next = {
        Step.UPDATE: "will be updated",
        Step.WAIT: "AWS is at work on it, which is waited for",
        Step.CLEAR: "never was complete; what is left of it will be removed, and it will be made anew",
    }
    return f"{stack.status}, {what_next.get(step, 'which needs a decision of yours')}"


def product(template: Mapping[str, Any]) -> str:
    """The name by which a stack of this template, in any version, is known: its description begins with it."""
    return str(template["Description"]).partition(" ")[0]


def contents(template: Mapping[str, Any]) -> str:
    """How many of what the template makes, whatever its parameters."""
    always = Counter(each["Type"] for each in template["Resources"].values() if "Condition" not in each)
    counted = [(always[kind], words) for kind, words in _KINDS.items() if always[kind]]
    return ", ".join(f"{count} {words[count > 1]}" for count, words in counted)


def idle_month(costs: str) -> str | None:
    """What docs/costs.md says a month without traffic costs; None when it does not say."""
    found = _IDLE_MONTH.search(costs)
    return found and f"A month with {found[2]} numbers and nobody calling costs about {found[1]} (docs/costs.md)."
