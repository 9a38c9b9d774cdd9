"""Random histories, played by hypothesis."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def play(machine: Callable[[], RuleBasedStateMachine], examples: int, steps: int, **more: Any) -> None:
    """Play so many histories of at most so many steps. Raises AssertionError for the shortest that breaks a rule."""
    options: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), **more}
    factory: Any = machine
    run_state_machine_as_test(factory, settings=settings(max_examples=examples, stateful_step_count=steps, **options))
