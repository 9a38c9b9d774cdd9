"""What counts as text."""


def is_text(value: str) -> bool:
    """Tell whether a string can be stored and sent: a lone surrogate is valid in JSON, but has no UTF-8 form."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
