"""`make deploy` says within seconds what it will do, or what it needs, and does nothing before."""

from collections.abc import Iterator, Mapping

import pytest

from tests.deployment import contact
from tests.deployment.checkout import Aws, Checkout
from tests.deployment.contact import Situation


@pytest.fixture(scope="module")
def situations(aws: Aws) -> Iterator[Mapping[str, Situation]]:
    with contact.situations(aws) as situations:
        yield situations


@pytest.mark.parametrize("name", contact.NAMES)
def test_it_says_within_seconds_what_it_does_or_needs(
    checkout: Checkout, situations: Mapping[str, Situation], name: str
) -> None:
    assert contact.seconds_until_told(checkout, situations[name]) < contact.WITHIN_SECONDS


def test_every_situation_is_tried(situations: Mapping[str, Situation]) -> None:
    assert set(situations) == set(contact.NAMES)


def test_what_is_refused_builds_nothing(checkout: Checkout, aws: Aws) -> None:
    ran = checkout.run("make", "deploy", "DOMAIN=sms.example.com", variables=aws.variables)
    assert ran.code != 0
    assert "DOMAIN needs CERTIFICATE_ARN" in ran.said
    assert "Build" not in ran.said


def test_an_empty_variable_reaches_the_deployment(checkout: Checkout, aws: Aws) -> None:
    ran = checkout.run("make", "deploy", "ALARM_EMAIL=", "RETENTION_DAYS=", variables=aws.variables)
    assert "RETENTION_DAYS is a whole number" in ran.said


def test_what_has_a_variable_is_refused_in_args(checkout: Checkout, aws: Aws) -> None:
    ran = checkout.run("make", "deploy", "ARGS=--region eu-west-1", variables=aws.variables)
    assert "--region is not for ARGS" in ran.said
    assert ran.code != 0


@pytest.mark.parametrize("assignments", [[], ["EMAIL=ada"]])
def test_nobody_is_invited_without_an_address(checkout: Checkout, aws: Aws, assignments: list[str]) -> None:
    ran = checkout.run("make", "staff", *assignments, variables=aws.variables)
    assert ran.code != 0
    assert "make staff EMAIL=ada@example.com" in ran.said


def test_nobody_is_invited_to_a_stack_that_is_not_there(checkout: Checkout, aws: Aws) -> None:
    ran = checkout.run("make", "staff", "EMAIL=ada@example.com", variables=aws.variables)
    assert ran.code != 0
    assert "The stack globalconnect is not there in us-east-1." in ran.said
