"""Write what the catalogue of gateway types says: docs/gateways.md, and the table in docs/adding-a-gateway.md.

Run by `python -m docs.gateways`.
"""

import re
import sys
from pathlib import Path

from pydantic.alias_generators import to_camel

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "functions"))

from globalconnect.domain.provider import PROVIDERS, Certainty, ProviderSpec, SecretOrigin, SettingSpec  # noqa: E402

GUIDE = ROOT / "docs" / "gateways.md"
FILE = ROOT / "docs" / "adding-a-gateway.md"

_PLACE = re.compile(r"(?<=<!-- catalogue -->\n).*(?=<!-- end of catalogue -->\n)", re.DOTALL)
_SECRETS = {SecretOrigin.MADE: "made by us, or given", SecretOrigin.GIVEN: "the provider's, to be given"}
_CERTAINTY = {
    Certainty.SOURCE: "read in its source code, or in its makers' own library",
    Certainty.DOCUMENTS: "read in its documents",
    Certainty.REPORTS: "told by others",
}
_INTRODUCTION = """\
# Gateways

How SMS come in from each type of gateway, as the console shows it too when a source is entered. Written from the
catalogue (`functions/globalconnect/domain/provider.py`) by `.venv/bin/python -m docs.gateways`; what a type that is not
here needs: [adding a gateway](adding-a-gateway.md).

1. Console > Sources > New source: the type, its settings and, where the provider makes it, the secret.
2. Enter the address that is shown at the gateway. `{url}` stands for the source's URL, `{secret}` for its secret.
3. Where the gateway names a SIM or device and not its number, map its lines: on the source's page, or as a CSV
   `line,phone`. What comes in on a line that nobody has mapped waits, and is then given to whoever held the number when
   it came.
4. "Watch for a test" on the source's page: send the number an SMS from a telephone and see what arrives.

A secret in a URL is kept out of logs, traces and kept payloads; senders that sign are still better.

## gammu-smsd

It speaks no HTTP. [samples/gammu-receive](samples/gammu-receive) is a `RunOnReceive` script that sends the `generic` form
and keeps what could not be delivered until it can; how to install it stands at its top.
"""


def rendered() -> str:
    """Return the content of the file on adding a gateway, with the table as the catalogue has it."""
    head = "| provider | title | by | proof | secret | settings |\n|---|---|---|---|---|---|\n"
    rows = [_row(name, spec) for name, spec in PROVIDERS.items()]
    return _PLACE.sub(lambda _: head + "".join(rows), FILE.read_text(encoding="utf-8"))


def guide() -> str:
    """Return the content of docs/gateways.md."""
    return "\n".join([_INTRODUCTION, *(_section(name, spec) for name, spec in PROVIDERS.items())])


def _section(name: str, spec: ProviderSpec) -> str:
    lines = [
        f"## {name}: {spec.title}",
        "",
        *(f"{number}. {step}" for number, step in enumerate(spec.steps, start=1)),
        "",
        "| | |",
        "|---|---|",
        f"| address | `{spec.address}` |",
        f"| by | {', '.join(spec.methods)} |",
        f"| proof of origin | {spec.authentication} |",
        f"| secret | {_SECRETS[spec.secret]} |",
        *(f"| setting {_setting(setting)} |" for setting in spec.settings),
        f"| a line is | {spec.line or 'never named: it gives the number'} |",
        f"| how sure we are | {_CERTAINTY[spec.certainty]} |",
    ]
    if spec.limits:
        lines += ["", "Known limits:", "", *(f"- {limit}" for limit in spec.limits)]
    return "\n".join([*lines, ""])


def _setting(setting: SettingSpec) -> str:
    return f"`{to_camel(setting.name)}`{'' if setting.is_required else ' (optional)'} | {setting.description}"


def _row(name: str, spec: ProviderSpec) -> str:
    settings = ", ".join(f"`{to_camel(setting.name)}`{'' if setting.is_required else '?'}" for setting in spec.settings)
    cells = (
        f"[`{name}`](gateways.md#{_anchor(f'{name}: {spec.title}')})",
        spec.title,
        ", ".join(spec.methods),
        spec.authentication,
        _SECRETS[spec.secret],
        settings or "none",
    )
    return f"| {' | '.join(cells)} |\n"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="utf-8")
    GUIDE.write_text(guide(), encoding="utf-8")
