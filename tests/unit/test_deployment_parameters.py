"""Variables of `make deploy`: which parameters they set, and what is refused before anything is built."""

import json
import subprocess
from collections.abc import Mapping

import pytest

from deployment import parameters, sam
from deployment.failure import DeploymentError
from local.place import SAM
from simulation.aws import TEMPLATE

REGION = "eu-west-1"
CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/0a1b"
DOMAIN = {"DomainName": "sms.example.com"}


def named(**variables: str) -> dict[str, str]:
    return parameters.named(TEMPLATE["Parameters"], variables)


def check(given: Mapping[str, str], before: Mapping[str, str], quota: int | None = 1000) -> None:
    parameters.check(given, before, REGION, quota)


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


@pytest.mark.parametrize(
    ("variables", "given"),
    [
        pytest.param({"RETENTION_DAYS": "60", "HOME": "/root", "LANG": "C"}, {"RetentionDays": "60"}, id="others"),
        pytest.param({"ALARM_EMAIL": ""}, {"AlarmEmail": ""}, id="an empty one is no missing one"),
        pytest.param({"DOMAIN": "sms.example.com"}, DOMAIN, id="the domain's short name"),
        pytest.param({"DOMAIN_NAME": "sms.example.com"}, DOMAIN, id="the domain's own name"),
        pytest.param({"DOMAIN": "SMS.Example.com"}, DOMAIN, id="a domain has no capitals"),
        # Conditions of the template compare text.
        *(
            pytest.param({"RESERVED_CONCURRENCY": zero}, {"ReservedConcurrency": "0"}, id=f"a number is spelled {zero}")
            for zero in ("00", "-0", " 0 ")
        ),
    ],
)
def test_only_what_is_named_is_given_as_the_template_has_it(variables: dict[str, str], given: dict[str, str]) -> None:
    assert named(**variables) == given


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DOMAIN": "a.example.com", "DOMAIN_NAME": "b.example.com"}, "DOMAIN_NAME and DOMAIN differ"),
        ({"RETENTION_DAYS": ""}, "RETENTION_DAYS is a whole number"),
        ({"RETENTION_DAYS": "soon"}, "RETENTION_DAYS is a whole number"),
        ({"RETENTION_DAYS": "\u0663\u0660"}, "RETENTION_DAYS is a whole number"),
        ({"RETENTION_DAYS": "3e1"}, "RETENTION_DAYS is a whole number"),
        ({"RETENTION_DAYS": "366"}, "RETENTION_DAYS is a number from 1 to 365"),
        ({"RESERVED_CONCURRENCY": "-1"}, "RESERVED_CONCURRENCY is a number of at least 0"),
        ({"LOG_RETENTION_DAYS": "31"}, "LOG_RETENTION_DAYS is one of 1, 3, 5"),
        ({"RECOUNT_SCHEDULE": "nightly"}, "RECOUNT_SCHEDULE is not as template.yaml wants it"),
        ({"RECOUNT_SCHEDULE": ""}, "RECOUNT_SCHEDULE is not as template.yaml wants it"),
        ({"PUSH_LOOPBACK": "yes"}, "PUSH_LOOPBACK is one of true, false"),
        ({"ALARM_EMAIL": 'a"b@example.com'}, "ALARM_EMAIL can't hold quotes"),
        ({"ALARM_EMAIL": "a\\@example.com"}, "ALARM_EMAIL can't hold quotes, backslashes"),
    ],
)
def test_what_the_template_does_not_take_is_refused_by_the_variables_name(variables: dict[str, str], said: str) -> None:
    with pytest.raises(DeploymentError, match=said):
        named(**variables)


BEFORE = {**DOMAIN, "CertificateArn": CERTIFICATE, "HostedZoneId": ""}


@pytest.mark.parametrize(
    ("given", "before"),
    [
        ({"AlarmEmail": "ops@example.com"}, {}),
        ({"AlarmEmail": ""}, {}),
        ({**DOMAIN, "CertificateArn": CERTIFICATE}, {}),
        ({**DOMAIN, "CertificateArn": CERTIFICATE, "HostedZoneId": "Z0123456789ABC"}, {}),
        ({"WebAclArn": f"arn:aws:wafv2:{REGION}:123456789012:regional/webacl/hubs/0a1b"}, {}),
        ({"PushLoopback": "false"}, {}),
        ({"ReservedConcurrency": "300"}, {}),
        # The parts of a domain may come one after the other.
        ({"DomainName": "new.example.com"}, BEFORE),
        ({"HostedZoneId": "Z0123"}, BEFORE),
        ({"DomainName": "", "CertificateArn": ""}, BEFORE),
        # A stack that has half a domain already can still be deployed.
        ({"RetentionDays": "60"}, DOMAIN),
    ],
)
def test_what_can_be_meant_is_taken(given: dict[str, str], before: dict[str, str]) -> None:
    check(given, before)


@pytest.mark.parametrize(
    ("given", "before", "said"),
    [
        ({"DomainName": ""}, BEFORE, "CERTIFICATE_ARN is of no use without DOMAIN"),
        ({"AlarmEmail": "ops"}, {}, "ALARM_EMAIL is one e-mail address"),
        ({"AlarmEmail": "ops@example.com,dev@example.com"}, {}, "ALARM_EMAIL is one e-mail address"),
        (DOMAIN, {}, "DOMAIN needs CERTIFICATE_ARN"),
        ({"DomainName": "https://sms.example.com", "CertificateArn": CERTIFICATE}, {}, "DOMAIN_NAME is a name like"),
        ({"CertificateArn": CERTIFICATE}, {}, "CERTIFICATE_ARN is of no use without DOMAIN"),
        ({"HostedZoneId": "Z0123"}, {}, "HOSTED_ZONE_ID is of no use without DOMAIN"),
        ({**DOMAIN, "CertificateArn": "0a1b"}, {}, "CERTIFICATE_ARN is arn:aws:acm:"),
        ({**DOMAIN, "CertificateArn": CERTIFICATE.replace(REGION, "us-east-1")}, {}, "CERTIFICATE_ARN is in us-east-1"),
        ({**DOMAIN, "CertificateArn": CERTIFICATE, "HostedZoneId": "example.com"}, {}, "HOSTED_ZONE_ID is the id"),
        ({"WebAclArn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"}, {}, "WEB_ACL_ARN is arn:aws:wafv2:"),
        ({"PushLoopback": "true"}, {}, "PUSH_LOOPBACK is for a local stack"),
        ({"ReservedConcurrency": "301"}, {}, "RESERVED_CONCURRENCY .* 903 in all, .* 100 .* 1000"),
    ],
)
def test_what_aws_would_refuse_half_way_is_refused_before_by_the_variables_name(
    given: dict[str, str], before: dict[str, str], said: str
) -> None:
    with pytest.raises(DeploymentError, match=said):
        check(given, before)


def test_a_reservation_is_not_judged_by_a_quota_that_nobody_knows() -> None:
    check({"ReservedConcurrency": "301"}, {}, quota=None)


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
    ("arguments", "how"),
    [
        (["--stack-name", "x"], "It is a variable: STACK="),
        (["--region=eu-west-1"], "It is a variable: AWS_REGION="),
        (["--profile", "prod"], "It is a variable: AWS_PROFILE="),
        (["--parameter-overrides", "RestMinutes=5"], "It is variables: make deploy"),
        # With these nothing would be deployed.
        (["--guided"], "run SAM itself"),
        (["--no-execute-changeset"], "run SAM itself"),
        (["--config-env=x"], "run SAM itself"),
    ],
)
def test_what_is_not_for_args_is_refused_with_what_to_do_instead(arguments: list[str], how: str) -> None:
    with pytest.raises(DeploymentError, match="is not for ARGS") as refused:
        sam.check_arguments(arguments)
    assert how in refused.value.how


def test_other_arguments_reach_sam() -> None:
    sam.check_arguments(["--tags", "team=numbers", "--no-progressbar"])
