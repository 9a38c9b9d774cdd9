"""Simulated hubs that buy from a supplier: `python -m conformance hub`, or `make hubsim`. What isn't said is read from the environment.

Ends with 0 where the account has no difference that decides, with 1 where it has, or says nothing, with 2 when it was
called wrongly, with 130 when it was broken off.
"""

import argparse
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.arguments import address, folder, key, number, supplier_url
from conformance.hubs import HUBS
from conformance.hubsim.partner import Send
from conformance.hubsim.play import Outcome, Partner, Settings, play
from conformance.hubsim.report import as_html, as_json, as_text
from conformance.sms_command import sms_command
from conformance.terminal import read, say

_MOST = 50
# It is a part of a path.
_NAME = re.compile(r"[A-Za-z0-9._-]+")
INTERRUPTED = 130


def main(arguments: Sequence[str], variables: Mapping[str, str] = os.environ) -> int:
    """Play as the arguments say; return the exit status."""
    parser = _parser(variables)
    given = read(parser, arguments)
    try:
        settings = _settings(given)
        reports = folder("REPORT", given.report) if given.report else None
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        outcome = play(settings, say, (signal.SIGINT, signal.SIGTERM))
    except OSError as error:
        parser.error(f"LISTEN={given.listen}: {error.strerror or error}")
    except KeyboardInterrupt:
        say("Interrupted; nothing is accounted for.")
        return INTERRUPTED
    say(as_text(outcome, settings))
    is_told = True
    if reports:
        try:
            _write(reports, outcome, settings)
            say(f"Report: {reports / 'hubsim.html'}")
        except OSError as error:
            say(f"REPORT={given.report}: {error.strerror or error}")
            is_told = False
    if outcome.broken_off is not None:
        return INTERRUPTED
    return 1 if outcome.fails or not is_told else 0


def _write(reports: Path, outcome: Outcome, settings: Settings) -> None:
    told = json.dumps(as_json(outcome, settings), indent=1, ensure_ascii=False)
    (reports / "hubsim.json").write_text(told + "\n", encoding="utf-8")
    (reports / "hubsim.txt").write_text(as_text(outcome, settings) + "\n", encoding="utf-8")
    (reports / "hubsim.html").write_text(as_html(outcome, settings), encoding="utf-8")


def _parser(variables: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m conformance hub", description=__doc__)

    def option(name: str, explained: str, default: str = "") -> None:
        variable = name.upper()
        parser.add_argument(
            f"--{name}", default=variables.get(variable) or default, help=f"{explained} (or {variable}=)"
        )

    option("url", "where the supplier is asked")
    option("keys", 'a file, [{"hub": "smshub", "key": "…", "name"?, "url"?}, …]: 1 to 50 partners')
    option("listen", "host:port where they take pushes, at / and their name", "127.0.0.1:8099")
    option("sms", "a command that has an SMS come, with {phone} and {text}; without one they come by themselves")
    option("minutes", "how long they buy", "5")
    option("paths", "0: a hub that has a path for each action asks at its URL alone, as was agreed", "1")
    option("rate", "sales that all together begin in a second", "1")
    option("down", "minutes that one of them is down", "0")
    option("seed", "the same draws again for the same", "1")
    option("report", "a folder for the report: text, JSON, HTML", "hubsim-report")
    is_set = variables.get("REMOTE", "") not in ("", "0")
    explained = "the supplier may be on another machine, and agrees to be bought from"
    parser.add_argument("--remote", action="store_true", default=is_set, help=explained)
    return parser


def _settings(given: argparse.Namespace) -> Settings:
    """Return what is to be played; raises ValueError or OSError that say what is wrong."""
    if not given.url or not given.keys:
        raise ValueError("URL and KEYS are needed.")
    supplier_url("URL", given.url, remote=given.remote)
    try:
        entries = json.loads(Path(given.keys).read_text(encoding="utf-8"))
    except OSError as error:
        # Not what was given: it may be the keys themselves.
        raise ValueError(f"KEYS is to be a file: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise ValueError("The file of KEYS is no JSON in UTF-8.") from None
    if given.paths not in ("0", "1"):
        raise ValueError("PATHS is 0 or 1.")
    partners = [
        one if given.paths == "1" else replace(one, hub=replace(one.hub, paths=False)) for one in read_partners(entries)
    ]
    for one in partners:
        if one.url:
            supplier_url(f"The URL of {one.name}", one.url, remote=given.remote)
    host, port = address("LISTEN", given.listen)
    minutes, rate = number("MINUTES", given.minutes), number("RATE", given.rate)
    down = float(given.down) if given.down == "0" else number("DOWN", given.down)
    if down >= minutes:
        raise ValueError("DOWN is to be below MINUTES.")
    try:
        seed = int(given.seed)
    except ValueError:
        raise ValueError("SEED is a whole number.") from None
    return Settings(
        url=given.url,
        partners=partners,
        seconds=minutes * 60,
        rate=rate,
        send=sender(given.sms) if given.sms else None,
        host=host,
        port=port,
        down=down * 60,
        seed=seed,
    )


def read_partners(entries: Any) -> list[Partner]:
    """Return the partners of a file of keys; raises ValueError that says what is wrong with it, and no key."""
    if not isinstance(entries, list) or not 1 <= len(entries) <= _MOST:
        raise ValueError(f"The file of keys is a list of 1 to {_MOST}.")
    partners = []
    seen: Counter[str] = Counter()
    for place, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or str(entry.get("hub")) not in HUBS or not isinstance(entry.get("key"), str):
            raise ValueError(f"Entry {place} of the file of keys lacks a key, or a hub of {', '.join(HUBS)}.")
        key(f"The key of entry {place} of the file of keys", entry["key"])
        seen[entry["hub"]] += 1
        name = str(entry.get("name") or f"{entry['hub']}-{seen[entry['hub']]}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"The name of entry {place} of the file of keys is to be of A-Z, a-z, 0-9, ., _ and -.")
        partners.append(Partner(name, HUBS[entry["hub"]], entry["key"], str(entry.get("url") or "")))
    if len({one.name for one in partners}) < len(partners) or len({one.key for one in partners}) < len(partners):
        raise ValueError("Two entries of the file of keys have the same name or key.")
    return partners


def sender(command: str) -> Send:
    """Return what has an SMS come by a command. Raises ValueError where it is none."""
    made = sms_command("SMS", command)

    def send(phone: str, text: str) -> bool:
        try:
            made(phone, text)
        except (OSError, ValueError, RuntimeError):
            return False
        return True

    return send


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
