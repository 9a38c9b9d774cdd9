"""The console as it was built, read once (docs/adr/0027)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from globalconnect.runtime.http import Response
from globalconnect.runtime.startup import Environment, at_startup

STATIC = Path(__file__).with_name("static")

_PAGE = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
# Files whose names say what is in them never change.
_HASHED = re.compile(r"-[A-Z0-9]{8}\.(js|css)")
_FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"

# What every answer of the console carries, whatever it holds.
GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The console as it was built: its page, without what a request decides, and its files by name.

    `page` is None when it has not been built.
    """

    user_pool_client_id: str
    cognito_url: str
    try_it: bool
    page: str | None
    files: Mapping[str, Response]


def build(env: Environment, static: Path = STATIC) -> Parts:
    """Read what was built into `static`; a folder that is not there is a console that has not been built."""
    page = static / _PAGE
    files = {path.name: _file(path) for path in static.glob("*") if path.suffix in TYPES and path != page}
    return Parts(
        user_pool_client_id=env.text("USER_POOL_CLIENT_ID"),
        cognito_url=env.text("COGNITO_URL"),
        try_it=env.flag("TRY_IT"),
        page=page.read_text(encoding="utf-8") if page.exists() else None,
        files=files,
    )


def _file(path: Path) -> Response:
    cache = _FOR_EVER if _HASHED.search(path.name) else ASK_EACH_TIME
    return Response(
        200,
        path.read_text(encoding="utf-8"),
        gzipped=path.with_name(f"{path.name}.gz").read_bytes(),
        headers={"Content-Type": TYPES[path.suffix], "Cache-Control": cache, **GUARDED},
    )


@at_startup
def parts() -> Parts:
    return build(Environment())
