"""The acceptance tests of hubs, for any supplier of phone numbers; the standard library alone is needed."""

import sys

# Before anything is imported that an older one doesn't have.
if sys.version_info < (3, 13):  # noqa: UP036 - `make` takes whichever python3 there is
    needed = "conformance needs Python 3.13 or later; this is %s (make PYTHON=python3.13 takes another)."
    print(needed % sys.version.split()[0], file=sys.stderr)
    sys.exit(2)
