"""The functions' log lines, elsewhere than where they go by themselves."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from globalconnect.runtime import logs


@contextmanager
def log_to_nowhere() -> Iterator[None]:
    """Have log lines made and written, but not to be seen."""
    handler = logs.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler), "the log is written otherwise than it was"
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        before = handler.setStream(nowhere)
        try:
            yield
        finally:
            handler.setStream(before)
