"""The console as it was built, read once (docs/adr/0027)."""

from dataclasses import dataclass
from pathlib import Path

from globalconnect.runtime.page import BuiltPage
from globalconnect.runtime.startup import Environment, at_startup

STATIC = Path(__file__).with_name("static")


@dataclass(frozen=True, slots=True)
class Parts:
    """The console as it was built, and what its page is told."""

    user_pool_client_id: str
    cognito_url: str
    try_it: bool
    built: BuiltPage


def build(env: Environment, static: Path = STATIC) -> Parts:
    """Read what was built into `static`."""
    return Parts(
        user_pool_client_id=env.text("USER_POOL_CLIENT_ID"),
        cognito_url=env.text("COGNITO_URL"),
        try_it=env.flag("TRY_IT"),
        built=BuiltPage.read(static),
    )


@at_startup
def parts() -> Parts:
    return build(Environment())
