"""Both commands say which Python they need, whatever it lacks of theirs."""

import runpy
import sys

import pytest

import conformance


def test_an_older_python_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11, 2))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(conformance.__file__)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("conformance needs Python 3.13 or later")
