"""Looks up known vulnerabilities of everything that is locked, and says what could not be looked up.

A vulnerability fails the check. A service that can't be reached does not: it says nothing about the packages, and a
check that fails on a plane gets switched off. It is reported in words that can't be mistaken for a clean bill.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.locks import LOCKED, pins
from local.place import NODE, NPM, NPM_PROJECTS, REPOSITORY

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
    command = [str(PIP_AUDIT), "--requirement", str(requirements), "--require-hashes", "--disable-pip"]
    options = ["--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603 - our own tool
            [*command, *options], capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
        )
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, subprocess.TimeoutExpired) as error:
        return Report((), 0, len(pins(requirements.read_text(encoding="utf-8"))), f"pip-audit broke off: {error}")
    return read(name, dependencies)


def audit_npm(project: Path) -> Report:
    """Look up the packages of one package-lock.json."""
    lock = project / "package-lock.json"
    packages = len(json.loads(lock.read_text(encoding="utf-8"))["packages"]) - 1
    if not NODE.exists():
        return Report((), 0, packages, "node is not installed (make .tools/node/.done)")
    try:
        done = subprocess.run(  # noqa: S603 - our own tool
            [*NPM, "audit", "--json", "--package-lock-only"],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        return read_npm(str(lock.relative_to(REPOSITORY)), json.loads(done.stdout), packages)
    except (ValueError, subprocess.TimeoutExpired) as error:
        return Report((), 0, packages, f"npm audit broke off: {error}")


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


def read(name: str, dependencies: Iterable[dict[str, object]]) -> Report:
    """What pip-audit's list of dependencies says."""
    vulnerabilities, audited, skipped, reason = [], 0, 0, ""
    for dependency in dependencies:
        if "skip_reason" in dependency:
            skipped += 1
            reason = reason or str(dependency["skip_reason"])
            continue
        audited += 1
        found = dependency.get("vulns")
        for one in found if isinstance(found, list) else []:
            fixed = ", ".join(one.get("fix_versions", [])) or "no version yet"
            package = f"{dependency['name']} {dependency['version']}"
            vulnerabilities.append(f"{name}.txt: {package}: {one['id']}, fixed in {fixed}")
    return Report(tuple(vulnerabilities), audited, skipped, reason)


def main() -> int:
    """Print what was found; returns the exit status."""
    with ThreadPoolExecutor() as pool:
        of_npm = pool.map(audit_npm, NPM_PROJECTS)
        reports = [*pool.map(audit, LOCKED), *of_npm]
    for vulnerability in (line for report in reports for line in report.vulnerabilities):
        print(f"   {vulnerability}")
    audited, skipped = sum(report.audited for report in reports), sum(report.skipped for report in reports)
    print(f"   {audited} packages looked up")
    if skipped:
        reason = next(report.reason for report in reports if report.reason)
        print(f"   !! {skipped} packages could NOT be audited, so nothing is known about them. The first reason given:")
        print(f"   !! {reason}")
    return 1 if any(report.vulnerabilities for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
