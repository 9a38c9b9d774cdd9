"""What happens to a first deployment that is broken in the middle, told from its beginning to the stack's removal.

Each story runs the commands that a person types, and keeps what it saw after each. `make bench` tells the same ones.
"""

import time
from dataclasses import dataclass

from tests.deployment.checkout import Aws, Checkout, Ran

STACK = "globalconnect"
SAM = ".tools/sam/bin/sam"
# AWS finds out late that there is no such zone: tables, functions and the API are there by then.
_UNKNOWN_ZONE = {
    "DOMAIN": "sms.example.com",
    "CERTIFICATE_ARN": "arn:aws:acm:us-east-1:000000000000:certificate/0a1b",
    "HOSTED_ZONE_ID": "Z0123456789ABC",
}


@dataclass(frozen=True)
class Repaired:
    """The end of every story: `make deploy` alone, then `make remove`."""

    deployed: Ran
    status: str | None
    protected: dict[str, bool]
    removed: Ran
    left: list[str]

    @property
    def is_good(self) -> bool:
        """Whether the stack came about as it should, nothing done by hand."""
        return self.deployed.code == 0 and self.status == "UPDATE_COMPLETE" and self.is_protected

    @property
    def is_protected(self) -> bool:
        """Whether there are tables and a pool, and all are protected."""
        return len(self.protected) > 1 and all(self.protected.values())

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left of it but what is named."""
        named = all(word in self.removed.said for word in ("35 days", "SAM's bucket"))
        return self.removed.code == 0 and self.left == [] and named


@dataclass(frozen=True)
class Broken:
    """A first deployment that a resource broke: as it was done before, once more, by `make deploy`, and repaired."""

    before: Ran
    status_before: str | None
    protected_before: dict[str, bool]
    before_again: Ran
    now: Ran
    status_now: str | None
    repaired: Repaired


@dataclass(frozen=True)
class Killed:
    """A first deployment that was killed as soon as there was a stack, and repaired."""

    status: str | None
    repaired: Repaired


def broken(checkout: Checkout, aws: Aws) -> Broken:
    """Tell the story of the deployment that a resource broke."""
    by_sam = (SAM, "deploy", "--template-file", "template.yaml", "--region", aws.variables["AWS_REGION"])
    names = {"DOMAIN": "DomainName", "CERTIFICATE_ARN": "CertificateArn", "HOSTED_ZONE_ID": "HostedZoneId"}
    overrides = [f"{names[variable]}={value}" for variable, value in _UNKNOWN_ZONE.items()]
    before = checkout.run(*by_sam, "--parameter-overrides", *overrides, variables=aws.variables)
    status_before, protected_before = aws.status_of(STACK), aws.protected()
    before_again = checkout.run(*by_sam, variables=aws.variables)
    assignments = [f"{variable}={value}" for variable, value in _UNKNOWN_ZONE.items()]
    now = checkout.run("make", "deploy", *assignments, variables=aws.variables)
    return Broken(
        before, status_before, protected_before, before_again, now, aws.status_of(STACK), repaired(checkout, aws)
    )


def killed(checkout: Checkout, aws: Aws) -> Killed:
    """Tell the story of the deployment that was killed."""
    with checkout.started("make", "deploy", variables=aws.variables) as process:
        deadline = time.monotonic() + 60
        while aws.status_of(STACK) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("there never was a stack")
            time.sleep(0.02)
    return Killed(aws.status_of(STACK), repaired(checkout, aws))


def repaired(checkout: Checkout, aws: Aws) -> Repaired:
    """Tell how every story ends."""
    deployed = checkout.run("make", "deploy", variables=aws.variables)
    status, protected = aws.status_of(STACK), aws.protected()
    removed = checkout.run("make", "remove", f"CONFIRM={STACK}", variables=aws.variables)
    return Repaired(deployed, status, protected, removed, aws.holds())
