"""Write the table of gateway types into docs/adding-a-gateway.md, from the catalogue: `python -m docs.gateways`."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "functions"))

from globalconnect.domain.provider import PROVIDERS, ProviderSpec, SecretOrigin  # noqa: E402

FILE = ROOT / "docs" / "adding-a-gateway.md"

_PLACE = re.compile(r"(?<=<!-- catalogue -->\n).*(?=<!-- end of catalogue -->\n)", re.DOTALL)
_SECRETS = {SecretOrigin.MADE: "made by us, or given", SecretOrigin.GIVEN: "the provider's, to be given"}


def rendered() -> str:
    """Return the content of the file, with the table as the catalogue has it."""
    head = "| provider | title | by | proof | secret | settings |\n|---|---|---|---|---|---|\n"
    rows = [_row(name, spec) for name, spec in PROVIDERS.items()]
    return _PLACE.sub(lambda _: head + "".join(rows), FILE.read_text(encoding="utf-8"))


def _row(name: str, spec: ProviderSpec) -> str:
    settings = ", ".join(
        f"`{setting.name}`{'' if setting.is_required else '?'} ({setting.type}): {setting.description}"
        for setting in spec.settings
    )
    cells = (
        f"`{name}`",
        spec.title,
        ", ".join(spec.methods),
        spec.authentication,
        _SECRETS[spec.secret],
        settings or "none",
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="utf-8")
