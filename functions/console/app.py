"""The operators' console: one page and the files it loads, as `make console` built them (docs/adr/0027)."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from globalconnect import web
from globalconnect.domain.errors import NotFound
from globalconnect.init import made_in_init
from globalconnect.settings import ConsoleSettings

STATIC = Path(__file__).with_name("static")
RESOURCE = "/console"

_PAGE = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
# Files whose names say what is in them never change.
_HASHED = re.compile(r"-[A-Z0-9]{8}\.(js|css)")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"

# What every answer of the console carries, whatever it holds.
_GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {cognito}; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Console:
    """The console as it was built: its page, without what a request decides, and its files by name.

    `page` is None when it has not been built.
    """

    settings: ConsoleSettings
    page: str | None
    files: Mapping[str, web.File]


def read(settings: ConsoleSettings, static: Path = STATIC) -> Console:
    """Read what was built into `static`; a folder that is not there is a console that has not been built."""
    page = static / _PAGE
    files = {path.name: _file(path) for path in static.glob("*") if path.suffix in _TYPES and path != page}
    return Console(settings, page.read_text(encoding="utf-8") if page.exists() else None, files)


def _file(path: Path) -> web.File:
    cache = _FOR_EVER if _HASHED.search(path.name) else _ASK_EACH_TIME
    return web.File(
        text=path.read_text(encoding="utf-8"),
        packed=path.with_name(f"{path.name}.gz").read_bytes(),
        headers={"Content-Type": _TYPES[path.suffix], "Cache-Control": cache, **_GUARDED},
    )


def answer(event: web.ProxyEvent, console: Console) -> web.File:
    """Return the page, or the file that is named exactly. Raises NotFound."""
    if console.page is None:
        raise NotFound("The built console (`make console` builds it)")
    name = (event.get("pathParameters") or {}).get("file")
    if not name:
        return _page(console.page, event, console.settings)
    # Only what was read at the start can be had, by its name: no path is ever made of what was asked for.
    file = console.files.get(name)
    if file is None:
        raise NotFound("file")
    return file


def _page(page: str, event: web.ProxyEvent, settings: ConsoleSettings) -> web.File:
    api = web.public_url(event, RESOURCE)
    cognito = web.stage_variable(event, "cognitoUrl") or settings.cognito_url
    configuration = {
        "api": api,
        "userPoolClientId": settings.user_pool_client_id,
        "cognito": cognito,
        "tryIt": settings.try_it,
    }
    # A base of its own, so that its files are found from /console as from /console/.
    filled = page.replace("{{base}}", html.escape(f"{api}{RESOURCE}/")).replace(
        "{{configuration}}", html.escape(json.dumps(configuration))
    )
    policy = _POLICY.format(cognito=cognito.rstrip("/"))
    headers = {
        "Content-Type": _TYPES[".html"],
        "Cache-Control": _ASK_EACH_TIME,
        "Content-Security-Policy": policy,
        **_GUARDED,
    }
    return web.File(text=filled, packed=None, headers=headers)


@made_in_init
def console() -> Console:
    """Return the function's parts, put together once per environment."""
    return read(ConsoleSettings.from_env())


handler = web.endpoint(lambda event: answer(event, console()))
