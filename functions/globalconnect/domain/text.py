"""What counts as text."""


def is_text(value: str) -> bool:
    """Return whether a string can be stored and sent: a lone surrogate is valid in JSON, but has no UTF-8 form."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def repaired(value: str) -> str:
    """Return a string as text: what is no character becomes U+FFFD, two halves of one become that one."""
    return value if is_text(value) else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
