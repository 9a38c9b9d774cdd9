"""Fixtures of the tests of faults."""

from tests.integration.conftest import _emulator, emulated

__all__ = ["_emulator", "emulated"]
