"""What a deployment is told: make variables, and the parameters of template.yaml that come of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from deployment.failure import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A second name that is what people try first.
ALIASES = {"DOMAIN": "DomainName"}
# What Lambda keeps for functions without a reservation, and how many functions ReservedConcurrency is for.
UNRESERVED_LEAST, RESERVING = 100, 3

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}\.)+{_LABEL}", re.IGNORECASE)
# SAM's reading of `Name="value"` gives none of these back as they were.
_UNSPEAKABLE = re.compile(r'["\\\x00-\x1f\x7f]')


def variable_of(parameter: str) -> str:
    """The make variable that sets ``parameter``: RetentionDays is RETENTION_DAYS."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def named(stated: Mapping[str, Mapping[str, Any]], variables: Mapping[str, str]) -> dict[str, str]:
    """The parameters that ``variables`` name, empty ones included, checked against what the template says of each.

    ``stated`` is the template's Parameters. Raises DeploymentError naming the variable.
    """
    found: dict[str, str] = {}
    names = {variable_of(parameter): parameter for parameter in stated}
    names |= {alias: parameter for alias, parameter in ALIASES.items() if parameter in stated}
    for variable, parameter in names.items():
        if variable not in variables:
            continue
        value = variables[variable].strip()
        if parameter == "DomainName":
            # DNS makes no difference, API Gateway does.
            value = value.lower()
        if found.setdefault(parameter, value) != value:
            raise DeploymentError(f"{variable_of(parameter)} and {variable} differ.", how="Give one of them.")
        problem = _unspeakable(value) or _breach(stated[parameter], value)
        if problem:
            raise DeploymentError(f"{variable} {problem}.")
        if stated[parameter]["Type"] == "Number":
            # Conditions of the template compare text: 00 is no 0.
            found[parameter] = str(int(value))
    return found


def check(given: Mapping[str, str], before: Mapping[str, str], region: str, quota: int | None) -> None:
    """Refuse what AWS would refuse half-way through, or what can't be meant.

    ``given`` are the parameters named this time, ``before`` those that the stack has. Raises DeploymentError naming
    the variable.
    """
    for parameter, value in given.items():
        problem = _RULES[parameter](value, region) if value and parameter in _RULES else None
        if problem:
            raise DeploymentError(f"{variable_of(parameter)} {problem}.")
    _check_domain(given, {**before, **given})
    reserved = RESERVING * int(given.get("ReservedConcurrency") or 0)
    if reserved and quota is not None and reserved > quota - UNRESERVED_LEAST:
        raise DeploymentError(
            f"RESERVED_CONCURRENCY is set aside for each of {RESERVING} functions, {reserved} in all, and Lambda keeps "
            f"{UNRESERVED_LEAST} of the account's {quota} for those without a reservation.",
        )


def _check_domain(given: Mapping[str, str], all_of_them: Mapping[str, str]) -> None:
    if not {"DomainName", "CertificateArn", "HostedZoneId"} & given.keys():
        return
    domain, certificate, zone = (all_of_them.get(name) for name in ("DomainName", "CertificateArn", "HostedZoneId"))
    if domain and not certificate:
        raise DeploymentError(
            "DOMAIN needs CERTIFICATE_ARN, the ACM certificate of that name.",
            how=f"aws acm request-certificate --domain-name {domain} --validation-method DNS",
        )
    if certificate and not domain:
        raise DeploymentError("CERTIFICATE_ARN is of no use without DOMAIN.", how="Give both, or both empty.")
    if zone and not domain:
        raise DeploymentError("HOSTED_ZONE_ID is of no use without DOMAIN.", how="Give both, or both empty.")


def is_email(text: str) -> bool:
    """Whether ``text`` looks like one e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def _unspeakable(value: str) -> str | None:
    return "can't hold quotes, backslashes or line breaks" if _UNSPEAKABLE.search(value) else None


def _breach(stated: Mapping[str, Any], value: str) -> str | None:
    """What ``value`` breaks of what the template states of its parameter."""
    allowed = [str(choice) for choice in stated.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"is one of {', '.join(choice or 'nothing' for choice in allowed)}"
    if stated["Type"] == "Number":
        least, most = stated.get("MinValue"), stated.get("MaxValue")
        if not re.fullmatch(r"-?[0-9]{1,9}", value):
            return "is a whole number"
        if (least is not None and int(value) < least) or (most is not None and int(value) > most):
            return f"is a number from {least} to {most}" if most is not None else f"is a number of at least {least}"
    pattern = stated.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        return f"is not as template.yaml wants it: {stated.get('ConstraintDescription', pattern)}"
    return None


def _email(value: str, _region: str) -> str | None:
    return None if is_email(value) else "is one e-mail address"


def _domain(value: str, _region: str) -> str | None:
    return None if _HOST.fullmatch(value) else "is a name like sms.example.com, without https:// and path"


def _certificate(value: str, region: str) -> str | None:
    return _arn(value, "acm", region, "certificate/", "arn:aws:acm:<region>:<account>:certificate/<id>")


def _web_acl(value: str, region: str) -> str | None:
    shape = "arn:aws:wafv2:<region>:<account>:regional/webacl/<name>/<id>"
    return _arn(value, "wafv2", region, "regional/webacl/", shape)


def _arn(value: str, service: str, region: str, resource: str, shape: str) -> str | None:
    match value.split(":", 5):
        case ["arn", _, named_service, its_region, _, rest] if named_service == service and rest.startswith(resource):
            return (
                None if its_region == region else f"is in {its_region}, and has to be in the stack's region, {region}"
            )
        case _:
            return f"is {shape}"


def _zone(value: str, _region: str) -> str | None:
    return None if re.fullmatch(r"Z[A-Z0-9]{1,31}", value) else "is the id of a Route 53 zone, like Z0123456789ABC"


def _loopback(value: str, _region: str) -> str | None:
    return "is for a local stack: on AWS it would let pushes reach inside the function" if value == "true" else None


_RULES: Mapping[str, Callable[[str, str], str | None]] = {
    "AlarmEmail": _email,
    "CertificateArn": _certificate,
    "DomainName": _domain,
    "HostedZoneId": _zone,
    "PushLoopback": _loopback,
    "WebAclArn": _web_acl,
}
