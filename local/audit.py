"""Looks up known vulnerabilities of everything that is locked, and says what could not be looked up.

A vulnerability fails the check. A service that can't be reached does not: it says nothing about the packages, and a
check that fails on a plane gets switched off. It is reported in words that can't be mistaken for a clean bill.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.locks import LOCKED, pins
from local.place import NPM, NPM_PROJECTS, REPOSITORY

PIP_AUDIT = REPOSITORY / ".venv" / "bin" / "pip-audit"
# pip-audit and npm end with 1 both when they found something and when they broke; only their reports tell.
TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Report:
    """What is known of one set of packages: vulnerabilities, packages looked up, packages that could not be."""

    vulnerabilities: tuple[str, ...]
    audited: int
    skipped: int
    reason: str = ""


def audit(name: str) -> Report:
    """Look up the packages of one requirements .txt."""
    requirements = REPOSITORY / f"{name}.txt"
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        return read(name, _asked([str(PIP_AUDIT), "--requirement", str(requirements), *options])["dependencies"])
    except (ValueError, subprocess.TimeoutExpired) as error:
        return Report((), 0, len(pins(requirements.read_text(encoding="utf-8"))), f"pip-audit broke off: {error}")


def audit_npm(project: Path) -> Report:
    """Look up the packages of one package-lock.json."""
    lock = project / "package-lock.json"
    packages = len(json.loads(lock.read_text(encoding="utf-8"))["packages"]) - 1
    try:
        report = _asked([*NPM, "audit", "--json", "--package-lock-only"], project)
    except (ValueError, subprocess.TimeoutExpired) as error:
        return Report((), 0, packages, f"npm audit broke off: {error}")
    return read_npm(str(lock.relative_to(REPOSITORY)), report, packages)


def _asked(command: Sequence[str], folder: Path = REPOSITORY) -> Any:
    """Return a tool's report. Raises ValueError when it is none, TimeoutExpired when it does not come."""
    done = subprocess.run(  # noqa: S603 - our own tools
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
    )
    return json.loads(done.stdout)


def read_npm(lock: str, report: Mapping[str, Any], packages: int) -> Report:
    """What npm's report on so many packages of a lock says."""
    if "vulnerabilities" not in report:
        said = report.get("message") or report.get("error") or "npm audit gave no report"
        return Report((), 0, packages, f"npm audit: {said}")
    vulnerabilities = [
        f"{lock}: {name} {one['range']}: {cause['title']} ({cause['url']})"
        for name, one in report["vulnerabilities"].items()
        for cause in one["via"]
        if isinstance(cause, dict)
    ]
    return Report(tuple(vulnerabilities), packages, 0)


def read(name: str, dependencies: Sequence[Mapping[str, Any]]) -> Report:
    """What pip-audit's list of dependencies says."""
    skipped = [str(one["skip_reason"]) for one in dependencies if "skip_reason" in one]
    vulnerabilities = [
        f"{name}.txt: {package['name']} {package['version']}: {one['id']}, fixed in "
        f"{', '.join(one.get('fix_versions', [])) or 'no version yet'}"
        for package in dependencies
        for one in package.get("vulns", [])
    ]
    return Report(tuple(vulnerabilities), len(dependencies) - len(skipped), len(skipped), next(iter(skipped), ""))


def tell(reports: Sequence[Report]) -> int:
    """Print what was found; returns the exit status."""
    vulnerabilities = [f"   {line}" for report in reports for line in report.vulnerabilities]
    skipped = sum(report.skipped for report in reports)
    print("\n".join([*vulnerabilities, f"   {sum(report.audited for report in reports)} packages looked up"]))
    if skipped:
        reason = next(report.reason for report in reports if report.reason)
        print(f"   !! {skipped} packages could NOT be audited, so nothing is known about them. The first reason given:")
        print(f"   !! {reason}")
    return 1 if vulnerabilities else 0


if __name__ == "__main__":
    with ThreadPoolExecutor() as pool:
        of_npm = pool.map(audit_npm, NPM_PROJECTS)
        sys.exit(tell([*pool.map(audit, LOCKED), *of_npm]))
