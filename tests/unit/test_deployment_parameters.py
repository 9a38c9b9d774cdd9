"""Variables of `make deploy`: which parameters they set, and what is refused before anything is built."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from deployment import parameters, sam
from deployment.failure import DeploymentError
from local.place import SAM
from simulation.aws import TEMPLATE

STATED: Mapping[str, Mapping[str, Any]] = {
    "AlarmEmail": {"Type": "String", "Default": ""},
    "CertificateArn": {"Type": "String", "Default": ""},
    "DomainName": {"Type": "String", "Default": ""},
    "HostedZoneId": {"Type": "String", "Default": ""},
    "PushLoopback": {"Type": "String", "Default": "false", "AllowedValues": ["true", "false"]},
    "RecountSchedule": {"Type": "String", "Default": "cron(0 3 * * ? *)"},
    "ReservedConcurrency": {"Type": "Number", "Default": 0, "MinValue": 0},
    "RetentionDays": {"Type": "Number", "Default": 30, "MinValue": 1, "MaxValue": 365},
    "WebAclArn": {"Type": "String", "Default": "", "AllowedPattern": "|arn:.*"},
}
REGION = "eu-west-1"
CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/0a1b"
DOMAIN = {"DomainName": "sms.example.com"}


def named(**variables: str) -> dict[str, str]:
    return parameters.named(STATED, variables)


def check(given: Mapping[str, str], before: Mapping[str, str] | None = None, quota: int | None = 1000) -> None:
    parameters.check(given, before or {}, REGION, quota)


@pytest.mark.parametrize(
    ("parameter", "variable"),
    [("RetentionDays", "RETENTION_DAYS"), ("WebAclArn", "WEB_ACL_ARN"), ("TryIt", "TRY_IT"), ("Tracing", "TRACING")],
)
def test_a_parameter_is_set_by_its_name_in_upper_snake_case(parameter: str, variable: str) -> None:
    assert parameters.variable_of(parameter) == variable


def test_every_parameter_of_the_template_has_a_variable_of_its_own() -> None:
    stated = TEMPLATE["Parameters"]
    variables = {parameters.variable_of(parameter) for parameter in stated}
    assert len(variables) == len(stated)
    assert not variables & {"STACK", "EMAIL", "ON", "CONFIRM", "ARGS", "PYTHON", "PORT", "PATHS"}


def test_only_what_is_named_is_given_and_other_variables_are_nobodys() -> None:
    assert named(RETENTION_DAYS="60", HOME="/root", LANG="C") == {"RetentionDays": "60"}


def test_an_empty_variable_is_an_empty_value_and_no_missing_one() -> None:
    assert named(ALARM_EMAIL="") == {"AlarmEmail": ""}


@pytest.mark.parametrize("variable", ["DOMAIN", "DOMAIN_NAME"])
def test_the_domain_goes_by_two_names(variable: str) -> None:
    assert named(**{variable: "sms.example.com"}) == DOMAIN


def test_two_domains_at_once_are_refused() -> None:
    with pytest.raises(DeploymentError, match="DOMAIN_NAME and DOMAIN differ"):
        named(DOMAIN="a.example.com", DOMAIN_NAME="b.example.com")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"RETENTION_DAYS": ""}, "RETENTION_DAYS is a whole number"),
        ({"RETENTION_DAYS": "soon"}, "RETENTION_DAYS is a whole number"),
        ({"RETENTION_DAYS": "366"}, "RETENTION_DAYS is a number from 1 to 365"),
        ({"PUSH_LOOPBACK": "yes"}, "PUSH_LOOPBACK is one of true, false"),
        ({"WEB_ACL_ARN": "my-acl"}, "WEB_ACL_ARN is not as template.yaml wants it"),
        ({"ALARM_EMAIL": 'a"b@example.com'}, "ALARM_EMAIL can't hold quotes"),
        ({"ALARM_EMAIL": "a\\@example.com"}, "ALARM_EMAIL can't hold quotes, backslashes"),
    ],
)
def test_what_the_template_does_not_take_is_refused_by_the_variables_name(variables: dict[str, str], said: str) -> None:
    with pytest.raises(DeploymentError, match=said):
        named(**variables)


@pytest.mark.parametrize(
    "given",
    [
        {"AlarmEmail": "ops@example.com"},
        {"AlarmEmail": ""},
        {**DOMAIN, "CertificateArn": CERTIFICATE},
        {**DOMAIN, "CertificateArn": CERTIFICATE, "HostedZoneId": "Z0123456789ABC"},
        {"WebAclArn": f"arn:aws:wafv2:{REGION}:123456789012:regional/webacl/hubs/0a1b"},
        {"PushLoopback": "false"},
        {"ReservedConcurrency": "300"},
    ],
)
def test_what_can_be_meant_is_taken(given: dict[str, str]) -> None:
    check(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"AlarmEmail": "ops"}, "ALARM_EMAIL is one e-mail address"),
        ({"AlarmEmail": "ops@example.com,dev@example.com"}, "ALARM_EMAIL is one e-mail address"),
        (DOMAIN, "DOMAIN needs CERTIFICATE_ARN"),
        ({"DomainName": "https://sms.example.com", "CertificateArn": CERTIFICATE}, "DOMAIN_NAME is a name like"),
        ({"CertificateArn": CERTIFICATE}, "CERTIFICATE_ARN is of no use without DOMAIN"),
        ({"HostedZoneId": "Z0123"}, "HOSTED_ZONE_ID is of no use without DOMAIN"),
        ({**DOMAIN, "CertificateArn": "0a1b"}, "CERTIFICATE_ARN is arn:aws:acm:"),
        ({**DOMAIN, "CertificateArn": CERTIFICATE.replace(REGION, "us-east-1")}, "CERTIFICATE_ARN is in us-east-1"),
        ({**DOMAIN, "CertificateArn": CERTIFICATE, "HostedZoneId": "example.com"}, "HOSTED_ZONE_ID is the id"),
        ({"WebAclArn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"}, "WEB_ACL_ARN is arn:aws:wafv2:"),
        ({"PushLoopback": "true"}, "PUSH_LOOPBACK is for a local stack"),
        ({"ReservedConcurrency": "301"}, "RESERVED_CONCURRENCY .* 903 in all, .* 100 .* 1000"),
    ],
)
def test_what_aws_would_refuse_half_way_is_refused_before_by_the_variables_name(
    given: dict[str, str], said: str
) -> None:
    with pytest.raises(DeploymentError, match=said):
        check(given)


def test_the_parts_of_a_domain_may_come_one_after_the_other() -> None:
    before = {**DOMAIN, "CertificateArn": CERTIFICATE, "HostedZoneId": ""}
    check({"DomainName": "new.example.com"}, before)
    check({"HostedZoneId": "Z0123"}, before)
    check({"DomainName": "", "CertificateArn": ""}, before)
    with pytest.raises(DeploymentError, match="CERTIFICATE_ARN is of no use without DOMAIN"):
        check({"DomainName": ""}, before)


def test_a_stack_that_has_half_a_domain_already_can_still_be_deployed() -> None:
    check({"RetentionDays": "60"}, DOMAIN)


def test_a_reservation_is_not_judged_by_a_quota_that_nobody_knows() -> None:
    check({"ReservedConcurrency": "301"}, quota=None)


def test_sam_reads_every_value_as_it_was_meant() -> None:
    values = ["", "two words", "a,b", "cron(0 3 * * ? *)", "it's", "A=B C=D", "60"]
    meant = {f"P{number}": value for number, value in enumerate(values)}
    code = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Type; "
        "print(json.dumps(Type().convert(tuple(sys.argv[1:]), None, None)))"
    )
    command = [str(SAM.with_name("python")), "-c", code, *sam.overrides(meant)[1:]]
    read = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(read.stdout) == meant


@pytest.mark.parametrize(
    "arguments",
    [["--stack-name", "x"], ["--region=eu-west-1"], ["--profile", "prod"], ["--parameter-overrides", "RestMinutes=5"]],
)
def test_what_has_a_variable_is_refused_in_args_with_its_name(arguments: list[str]) -> None:
    with pytest.raises(DeploymentError, match="is not for ARGS"):
        sam.check_arguments(arguments)


def test_other_arguments_reach_sam() -> None:
    sam.check_arguments(["--tags", "team=numbers", "--no-progressbar"])


@pytest.mark.parametrize("given", ["00", "-0", " 0 "])
def test_a_number_is_spelled_one_way_since_conditions_compare_text(given: str) -> None:
    assert named(RESERVED_CONCURRENCY=given) == {"ReservedConcurrency": "0"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RETENTION_DAYS", "\u0663\u0660"),
        ("RETENTION_DAYS", "3e1"),
        ("LOG_RETENTION_DAYS", "31"),
        ("RECOUNT_SCHEDULE", "nightly"),
        ("RECOUNT_SCHEDULE", ""),
        ("RESERVED_CONCURRENCY", "-1"),
    ],
)
def test_what_aws_would_only_refuse_while_it_deploys_is_refused_before(variable: str, value: str) -> None:
    with pytest.raises(DeploymentError, match=variable) as failure:
        parameters.named(TEMPLATE["Parameters"], {variable: value})
    assert "None" not in failure.value.what


def test_a_domain_has_no_capitals() -> None:
    assert named(DOMAIN="SMS.Example.com") == {"DomainName": "sms.example.com"}


@pytest.mark.parametrize("argument", ["--guided", "--no-execute-changeset", "--config-env=x"])
def test_arguments_with_which_nothing_would_be_deployed_are_refused(argument: str) -> None:
    with pytest.raises(DeploymentError, match="is not for ARGS"):
        sam.check_arguments([argument])
