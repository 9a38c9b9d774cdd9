"""The functions' log lines, elsewhere than where they go by themselves."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from globalconnect.runtime import logs, request_log


@contextmanager
def log_to(stream: TextIO) -> Iterator[None]:
    """Have log lines written to a stream."""
    handler = logs.logger.registered_handler
    if not isinstance(handler, logging.StreamHandler):
        raise TypeError("the log is written otherwise than it was")
    before, request_log.stream = handler.setStream(stream), stream
    try:
        yield
    finally:
        handler.setStream(before)
        request_log.stream = None


@contextmanager
def log_to_nowhere() -> Iterator[None]:
    """Have log lines made and written, but not to be seen."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, log_to(nowhere):
        yield
