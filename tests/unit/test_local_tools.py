"""The small parts of `local`: progress, files, the template's reader, the reports of the checks."""

import io
import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local import audit, deploy, emulator, locks, stack
from local.aws import environment
from local.failure import LocalError
from local.place import EMULATOR, EMULATOR_PYTHON, REPOSITORY, Place, read_private, write_private
from local.progress import Progress


def test_a_step_says_what_it_does_how_it_ended_and_how_long_it_took() -> None:
    shown = io.StringIO()
    with Progress(shown).step("building"):
        pass
    with pytest.raises(LocalError), Progress(shown).step("deploying"):
        raise LocalError("no")
    assert shown.getvalue().splitlines() == [
        "   building ...",
        "   building: ok, 0.0 s",
        "   deploying ...",
        "   deploying: FAILED, 0.0 s",
    ]


def test_a_failure_shows_the_end_of_its_log_where_it_is_and_how_to_go_on(tmp_path: Path) -> None:
    log = tmp_path / "deploy.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    said = str(LocalError("`sam build` failed.", how="Try again.", log=log)).splitlines()
    last = [f"  | line {number}" for number in range(85, 100)]
    assert said == ["`sam build` failed.", f"The last lines of {log}:", *last, "Try again."]


def test_private_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    write_private(path, {"adminPassword": "x"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path) == {"adminPassword": "x"}
    assert [file.name for file in tmp_path.iterdir()] == ["stack.json"]


@pytest.mark.parametrize("content", ["", '{"pid": 1', "[]"])
def test_half_a_file_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "emulator.json"
    path.write_text(content)
    assert read_private(path) is None


def test_two_commands_on_one_stack_do_not_mix(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.locked(), pytest.raises(LocalError, match="Another command"), Place(tmp_path).locked():
        pass
    with place.locked():
        pass


def test_down_does_not_say_that_it_saved_anything_when_nothing_ran(tmp_path: Path) -> None:
    said = io.StringIO()
    assert stack.down(tmp_path, Progress(said)) is False
    assert said.getvalue() == ""


@pytest.mark.parametrize("other_stack", [False, True], ids=["another program", "the emulator of another root"])
def test_a_stranger_with_the_emulators_old_pid_is_left_alone(tmp_path: Path, *, other_stack: bool) -> None:
    place = Place(tmp_path / "a")
    options = ["-X", f"stack={place.root}2"] if other_stack else []
    command = [str(EMULATOR_PYTHON), *options, "-c", "input()", str(EMULATOR)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as stranger:
        write_private(place.process_file, {"pid": stranger.pid, "port": 1})
        assert emulator.running(place) is None
        assert emulator.stop(place) is False
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_the_emulator_keeps_the_logs_of_the_newest_invocations_only() -> None:
    script = """
from local import as_aws
from ministack.services import cloudwatch_logs, lambda_svc
as_aws.KEPT_STREAMS = 2
as_aws.forget_old_logs()
for name in "abcd":
    lambda_svc._emit_lambda_logs({"config": {"FunctionName": "f"}}, "an id", f"invocation {name}", False, 1)
[group] = cloudwatch_logs._log_groups.all_values()
print([stream["events"][1]["message"] for stream in group["streams"].values()])
"""
    ran = subprocess.run([EMULATOR_PYTHON, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ran.stdout == "['invocation c', 'invocation d']\n", ran.stderr


def test_the_users_aws_settings_do_not_reach_our_commands() -> None:
    users = {"PATH": "/bin", "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "secret", "SAM_CLI_POLL_DELAY": "60"}
    ours = environment("http://127.0.0.1:1", users)
    expected = {"PATH": "/bin", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_CONFIG_FILE": os.devnull}
    assert ours.items() >= expected.items()
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "SAM_CLI_POLL_DELAY"} & ours.keys()


def test_the_gateways_own_answers_come_from_the_template() -> None:
    responses = deploy.gateway_responses()
    assert responses["MISSING_AUTHENTICATION_TOKEN"] == {
        "statusCode": "404",
        "responseParameters": {"gatewayresponse.header.Content-Type": "'application/json; charset=utf-8'"},
        "responseTemplates": {
            "application/json": '{"status":"ERROR","message":"There is nothing at this path and method"}'
        },
    }
    assert "statusCode" not in responses["DEFAULT_4XX"]


def test_pins_are_versions_without_hashes_and_comments() -> None:
    text = "# by uv\na==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nb==2 ; sys_platform == 'win32' \\\n    --hash=sha256:22\n"
    assert locks.pins(text) == {"a==1", "b==2 ; sys_platform == 'win32'"}


def test_a_stale_lock_is_named_with_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.in").write_text("a\nb\n")
    (tmp_path / "requirements.txt").write_text("a==1\n")
    monkeypatch.setattr(locks, "REPOSITORY", tmp_path)
    monkeypatch.setattr(locks, "LOCKED", ("requirements",))
    monkeypatch.setattr(locks, "_resolve", lambda _source, _locked: "a==1\nb==2\n")
    assert locks.stale() == ["requirements.txt: b==2"]


def test_the_audit_tells_vulnerable_clean_and_unknown_apart() -> None:
    dependencies: list[dict[str, Any]] = [
        {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]},
        {"name": "b", "version": "2", "vulns": []},
        {"name": "c", "skip_reason": "not found"},
    ]
    found = audit.read("functions/requirements", dependencies)
    assert found == audit.Report(("functions/requirements.txt: a 1: CVE-1, fixed in 1.1",), 2, 1, "not found")


CAUSE = {"title": "Runs what it reads", "url": "https://advisory.example/1"}


@pytest.mark.parametrize(
    ("report", "known"),
    [
        (
            {"vulnerabilities": {"a": {"range": "<2", "via": [CAUSE, "b"]}}},
            audit.Report(("x: a <2: Runs what it reads (https://advisory.example/1)",), 5, 0),
        ),
        ({"vulnerabilities": {}}, audit.Report((), 5, 0)),
        ({"message": "no such service"}, audit.Report((), 0, 5, "npm audit: no such service")),
    ],
    ids=["vulnerable", "clean", "unknown"],
)
def test_the_audit_of_npms_packages_tells_vulnerable_clean_and_unknown_apart(
    report: dict[str, Any], known: audit.Report
) -> None:
    assert audit.read_npm("x", report, 5) == known


def test_the_audit_fails_on_vulnerabilities_only_and_never_hides_what_it_skipped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit.tell([audit.Report((), 2, 0), audit.Report((), 3, 4, "not found")]) == 0
    assert "4 packages could NOT be audited" in capsys.readouterr().out
    assert audit.tell([audit.Report(("a 1: CVE-1",), 1, 0)]) == 1
    assert "CVE-1" in capsys.readouterr().out


def test_a_stale_lock_of_npms_is_named_and_so_is_a_registry_in_it(tmp_path: Path) -> None:
    asked: dict[str, object] = {"dependencies": {"a": "^1"}, "devDependencies": {"b": "^2"}}
    packages: dict[str, dict[str, object]] = {"": dict(asked), "node_modules/a": {"version": "1.0.0"}}
    (tmp_path / "package.json").write_text(json.dumps(asked))
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    assert locks.stale_npm(tmp_path) == []
    packages[""]["devDependencies"] = {"b": "^3"}
    packages["node_modules/a"]["resolved"] = "https://registry.example/a.tgz"
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    assert locks.stale_npm(tmp_path) == [
        f"{tmp_path.name}/package-lock.json: devDependencies of package.json",
        f"{tmp_path.name}/package-lock.json: node_modules/a says where it came from",
    ]
