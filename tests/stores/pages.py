"""Listings, walked to their end."""

from collections.abc import Callable

from globalconnect.store.cursors import Page


def every[T](listed: Callable[[str | None], Page[T]]) -> list[T]:
    """Return what is on all pages of a listing, which takes a cursor."""
    page = listed(None)
    found = page.items
    while page.cursor is not None:
        page = listed(page.cursor)
        found += page.items
    return found
