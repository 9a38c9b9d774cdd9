"""A page and the files that it loads, as `make console` built them: read once, and served (docs/adr/0027)."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from globalconnect.domain.errors import NotFound, existing
from globalconnect.runtime.http import Response

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

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {called}; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)

# What every answer carries, whatever it holds.
_GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
}


@dataclass(frozen=True, slots=True)
class BuiltPage:
    """A page, without what a request decides, and its files by name. `page` is None when it has not been built."""

    page: str | None
    files: Mapping[str, Response]

    @classmethod
    def read(cls, static: Path) -> "BuiltPage":
        """Return what was built into a folder; one that is not there is a page that has not been built."""
        page = static / _PAGE
        files = {path.name: _file(path) for path in static.glob("*") if path.suffix in _TYPES and path != page}
        return cls(page.read_text(encoding="utf-8") if page.exists() else None, files)

    def file(self, name: str | None, what: str) -> Response | None:
        """Return the file that is named exactly, None where none is named, which asks for the page.

        Raises NotFound, also, calling it `what`, when nothing has been built.
        """
        if self.page is None:
            raise NotFound(f"The built {what} (`make console` builds it)")
        # Only what was read at the start can be had, by its name: no path is ever made of what was asked for.
        return existing(self.files.get(name), "file") if name else None

    def filled(self, base: str, configuration: Mapping[str, object], also_called: str = "") -> Response:
        """Return the page with its configuration.

        `base` is the URL that its files are found from, with a slash at its end; `also_called` another origin that it may
        call.
        """
        # A base of its own, so that its files are found with a slash at the end of its path and without.
        filled = (self.page or "").replace("{{base}}", html.escape(base))
        filled = filled.replace("{{configuration}}", html.escape(json.dumps(configuration)))
        headers = {
            "Content-Type": _TYPES[".html"],
            "Cache-Control": _ASK_EACH_TIME,
            "Content-Security-Policy": _POLICY.format(called=f"'self' {also_called}".rstrip()),
            **_GUARDED,
        }
        return Response(200, filled, headers)


def _file(path: Path) -> Response:
    cache = _FOR_EVER if _HASHED.search(path.name) else _ASK_EACH_TIME
    return Response(
        200,
        path.read_text(encoding="utf-8"),
        gzipped=path.with_name(f"{path.name}.gz").read_bytes(),
        headers={"Content-Type": _TYPES[path.suffix], "Cache-Control": cache, **_GUARDED},
    )
