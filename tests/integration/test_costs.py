"""docs/costs.md is what the code, the template and the prices give today."""

import os
import subprocess
import sys

import pytest

from local.place import REPOSITORY


# In a process of its own, as `make costs` is: tests do not import the bench, and the pretend cloud there begins empty.
@pytest.mark.timeout(600)
def test_the_committed_costs_are_the_computed_ones() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'functions'}{os.pathsep}{REPOSITORY}"}
    checked = subprocess.run(
        [sys.executable, "-m", "bench.costs", "--check"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
