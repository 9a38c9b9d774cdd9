"""`python -m conformance check`: the acceptance tests of hubs, against any supplier. What isn't said is read from the environment.

Ends with 0 when every required check that was run passed, with 1 when one failed or could not be made or none passed, with 2
when it was called wrongly, with 130 when it was interrupted.
"""

import argparse
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from conformance import report
from conformance.arguments import address, folder, key, number, supplier_url
from conformance.checks.catalogue import CHECKS, checks_of
from conformance.checks.check import Need, Result, missing
from conformance.checks.running import BrokenOff, run_checks
from conformance.hubs import HUBS, PATHS, Hub
from conformance.masking import MASK
from conformance.push_server import PushServer
from conformance.sms_command import sms_command
from conformance.terminal import read, say
from conformance.trial import RETURNED, Settings

INTERRUPTED = 130


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Do what is asked for; returns the exit status."""
    if arguments[:1] == ["hub"]:
        # Here, so that the checks alone need nothing of it.
        simulate = importlib.import_module("conformance.hubsim.__main__").main
        return int(simulate(arguments[1:]))
    parser = _parser(variables)
    given = read(parser, arguments)
    hubs = _hubs(parser, given.hub, given.only)
    try:
        settings = _settings(given)
    except ValueError as error:
        parser.error(str(error))
    if given.dry_run:
        print(_plan(hubs, settings, has_push=bool(given.push)))
        return 0
    try:
        return _check(parser, given, hubs, settings)
    except KeyboardInterrupt:
        print("\nInterrupted before a report was written.", file=sys.stderr)
        return INTERRUPTED


def _check(parser: argparse.ArgumentParser, given: argparse.Namespace, hubs: Sequence[Hub], settings: Settings) -> int:
    saying = threading.Lock()

    def tell(result: Result) -> None:
        with saying:
            say(report.line(result))

    try:
        reports = folder("REPORT", given.report) if given.report else None
    except ValueError as error:
        parser.error(str(error))
    verdicts: list[report.Verdict] = []
    broken_off: BrokenOff | None = None
    with ExitStack() as open_ones:
        pushes = None
        if given.push:
            host, port = address("PUSH", given.push)
            try:
                pushes = open_ones.enter_context(PushServer(host, port))
            except OSError as error:
                parser.error(f"PUSH={given.push}: {error.strerror or error}")
            say(f"Waiting for pushes at {pushes.url}")
        ready = replace(settings, pushes=pushes)
        for hub in hubs:
            say(f"== {hub.title}")
            try:
                verdicts.append(report.Verdict(hub, run_checks(hub, ready, tell, given.only)))
            except BrokenOff as broken:
                verdicts.append(report.Verdict(hub, broken.results))
                broken_off = broken
                break
    found = report.Report(settings.url, datetime.now(UTC).isoformat(timespec="seconds"), verdicts, settings.masking)
    say(f"\n{report.text(found, lists=broken_off is not None)}")
    is_written = all(
        [_written(reports / name, form(found)) for name, form in report.FORMATS.items()] if reports else ()
    )
    if reports and is_written:
        say(f"Report: {reports / 'report.html'}")
    if broken_off:
        print(f"Interrupted. {broken_off}", file=sys.stderr)
        return INTERRUPTED
    return 0 if found.holds and is_written else 1


def _written(file: Path, content: str) -> bool:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        print(f"{file}: {error.strerror or error}", file=sys.stderr)
        return False
    return True


def _parser(variables: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m conformance check", description=__doc__)
    parser.add_argument("check", choices=["check"], help="make the checks (or `hub`: be a simulated hub)")

    def option(name: str, explained: str, *, default: str | None = None) -> None:
        variable = name.upper().replace("-", "_")
        parser.add_argument(
            f"--{name}", default=variables.get(variable) or default, help=f"{explained} (or {variable}=)"
        )

    option("url", "where the supplier is asked")
    option("key", "the supplier's key for the hub")
    option("key2", "a second key, of another hub")
    option("hub", f"{', '.join(HUBS)}, or all", default="all")
    option("push", "host:port where the supplier pushes to")
    option("sms", "a command that has an SMS come, with {phone} and {text}")
    option("report", "a folder for the report: text, JSON, JUnit, HTML")
    option("patience", "minutes after which an SMS must still be pushed")
    option("per-second", "requests a second at most", default="5")
    option("retry", "seconds between two attempts of a push", default="10")
    option("tolerance", "seconds that an attempt may be off", default="1")
    option("paths", "0: a hub that has a path for each action asks at the URL alone, as was agreed", default="1")
    for name in ("country", "operator", "service"):
        option(name, f"buy of this {name} alone")
    for name, explained in (
        ("destructive", "make those checks, too, that use numbers up"),
        ("dry-run", "list what would be sent, send nothing"),
        ("remote", "the supplier may be on another machine, and agrees to be tested"),
    ):
        is_set = variables.get(name.upper().replace("-", "_"), "") not in ("", "0")
        parser.add_argument(f"--{name}", action="store_true", default=is_set, help=explained)
    parser.add_argument(
        "--only", action="append", choices=sorted(CHECKS), metavar="CHECK", help="make this check alone"
    )
    return parser


def _hubs(parser: argparse.ArgumentParser, name: str, only: Sequence[str] | None) -> Sequence[Hub]:
    """Return the hubs that are meant, without those that have none of the checks."""
    if name != "all" and name not in HUBS:
        parser.error(f"There is no hub {name}; there are {', '.join(HUBS)}, all.")
    making = [hub for hub in HUBS.values() if only is None or not hub.rules.keys().isdisjoint(only)]
    meant = [hub for hub in making if name in ("all", hub.name)]
    if not meant:
        parser.error(f"{name} has no such check; who has one: {', '.join(hub.name for hub in making)}.")
    return meant


def _settings(given: argparse.Namespace) -> Settings:
    """Return what is to be tested; raises ValueError that says what is wrong."""
    if not given.url or not given.key:
        raise ValueError("URL and KEY are needed.")
    if given.key2 == given.key:
        raise ValueError("KEY2 is to be another key.")
    if given.push:
        address("PUSH", given.push)
    if given.paths not in ("0", "1"):
        raise ValueError("PATHS is 0 or 1.")
    return Settings(
        supplier_url("URL", given.url, remote=given.remote),
        key("KEY", given.key),
        other_key=key("KEY2", given.key2) if given.key2 else None,
        sms=sms_command("SMS", given.sms) if given.sms else None,
        destructive=given.destructive,
        outlive=number("PATIENCE", given.patience) * 60 if given.patience else None,
        per_second=number("PER_SECOND", given.per_second),
        retry=number("RETRY", given.retry),
        tolerance=number("TOLERANCE", given.tolerance),
        paths=given.paths == "1",
        country=given.country,
        operator=given.operator,
        service=given.service,
    )


def _plan(hubs: Sequence[Hub], settings: Settings, *, has_push: bool) -> str:
    """Return what would be sent, in text."""
    lines = [
        f"Nothing is sent. To {settings.masking.text(settings.url)}, at most {settings.per_second:g} requests a second:"
    ]
    for hub in hubs:
        place = {
            "country": settings.country or "…",
            "operator": settings.operator or "…",
            "service": settings.service or "…",
        }
        lines += [f"\n== {hub.title}", "Every request has the headers:"]
        lines += [f"  {name}: {value}" for name, value in hub.headers_with(MASK).items()]
        lines += ["Requests, … as the counts list it:"]
        requests: Sequence[Mapping[str, object]] = (
            {"action": hub.counts_action, "key": MASK},
            {"action": "GET_NUMBER", "key": MASK, **place, **hub.hints[0], "exceptionPhoneSet": [hub.prefixes("1")]},
            {"action": "FINISH_ACTIVATION", "key": MASK, "activationId": 1, "status": RETURNED, **hub.finish_extras},
        )
        for fields in requests:
            path = PATHS.get(str(fields["action"]), "") if hub.paths and settings.paths else ""
            lines.append(f"  POST {_at(settings, path)} {json.dumps(fields, ensure_ascii=False)}")
        if "get-method" in hub.rules:
            lines.append(f"  GET {_at(settings, query='action=…')}, each of these in the query")
        if "getsms" in hub.rules:
            lines.append(f"  GET {_at(settings, '/getsms/', f'apiKey={MASK}&id=1')}")
        for each in checks_of(hub):
            lacking = [need for need in missing(each, settings) if not (need is Need.PUSH and has_push)]
            sends = f"not run, needs {', '.join(lacking)}" if lacking else each.sends
            lines.append(f"  {hub.rules[each.name].level:8}  {each.name}: {sends}")
    return "\n".join(lines)


def _at(settings: Settings, path: str = "", query: str = "") -> str:
    parts = urlsplit(settings.masking.text(settings.url))
    asked = "&".join(filter(None, (parts.query, query)))
    return parts._replace(path=parts.path.rstrip("/") + path if path else parts.path, query=asked).geturl()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A terminal may know fewer characters than answers have.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    # Said for SIGINT, too: who starts this in the background of a shell has it ignored.
    for interrupt in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interrupt, _interrupt)
    status = main(sys.argv[1:], os.environ)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if status == INTERRUPTED:
        # Else what is still under way would be waited for.
        os._exit(status)
    sys.exit(status)
