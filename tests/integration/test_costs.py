"""docs/costs.md is what the code, the template and the prices give today."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


# In a process of its own, as `make costs` is: tests do not import the bench, and the pretend cloud there begins empty.
@pytest.mark.timeout(600)
def test_the_committed_costs_are_the_computed_ones() -> None:
    command = [sys.executable, "-m", "bench.costs", "--check"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions")}
    checked = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
