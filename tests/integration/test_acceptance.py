"""`make check-deployment`: right where the stack is, and each check fails on a stack that is wrong in just that."""

import httpx
import pytest
from botocore.exceptions import ClientError

from acceptance.checks import Check, Finding, checks
from acceptance.cloud import Tokens
from acceptance.run import holds, run, table
from acceptance.trial import PHONES, CheckError, Trial
from simulation.supplier import Fault, PretendCloud, Supplier, trial

CHECKS = checks(360)
FAILS = {
    Fault.ACCESS_TOKEN_OPENS: "signed-in staff alone get in",
    Fault.CONSOLE_IN_A_FRAME: "the console is there, with its policy",
    Fault.NO_SCRIPT: "the console is there, with its policy",
    Fault.SLASH_IS_404: "both paths, GET and POST, with and without slash",
    Fault.NO_OWN_DOMAIN: "both paths, GET and POST, with and without slash",
    Fault.NEVER_GZIPPED: "gzip both ways",
    Fault.HTML_404: "every refusal is our JSON",
    Fault.COUNTS_LAG: "counts follow sales",
    Fault.SOME_REFUSED: "30 GET_NUMBER at once",
    Fault.SLOW_SALE: "30 GET_NUMBER at once",
    Fault.LATE_PUSH: "an SMS is pushed at once",
    Fault.SLOW_CADENCE: "an outage of 360 s keeps its cadence",
    Fault.GIVES_UP: "an outage of 360 s keeps its cadence",
    Fault.DEAD_LETTER: "no dead letters",
    Fault.DROPPED: "no retries dropped as a loop",
    Fault.KEY_IN_TRACE: "no key in traces",
    Fault.NOBODY_TOLD: "alarms reach somebody",
    Fault.SILENT_ALARM: "alarms reach somebody",
    Fault.SMALL_QUOTA: "quotas suffice",
}
LOCAL_CANT_SHOW = ["no retries dropped as a loop", "no key in traces", "alarms reach somebody", "quotas suffice"]


def found(asked: Trial, *, live: bool = False) -> tuple[dict[str, bool | None], str]:
    """Return what each check says of a stack, and what a person is told."""
    said: list[str] = []
    lines = run(asked, CHECKS, said.append, live=live)
    return {line.check: line.finding.ok for line in lines}, "\n".join([*said, table(lines)])


def test_a_stack_that_is_right_passes_every_check_in_ten_minutes() -> None:
    supplier = Supplier()
    began = supplier.now
    said, told = found(trial(supplier))
    assert set(said.values()) == {True}, told
    assert supplier.now - began < 600


@pytest.mark.parametrize("fault", Fault)
def test_a_stack_that_is_wrong_in_one_thing_fails_the_check_of_that_alone(fault: Fault) -> None:
    said, told = found(trial(Supplier(fault)))
    assert [check for check, ok in said.items() if not ok] == [FAILS[fault]], told
    assert "NO " in told


def test_every_check_is_failed_by_some_stack() -> None:
    assert set(FAILS.values()) == set(CHECKS)


def test_what_a_target_cant_show_is_not_here_by_name_and_no_failure() -> None:
    supplier = Supplier()
    asked = trial(supplier, PretendCloud(supplier, sees_all=False))
    lines = run(asked, CHECKS, lambda _: None, live=False)
    assert [line.check for line in lines if line.finding.measured == "not here"] == LOCAL_CANT_SHOW
    assert holds(lines)


def test_beside_other_live_keys_it_stops_before_it_changes_anything_unless_told_to_go_on() -> None:
    others = [{"name": "Hub", "partnerId": "p1", "key": "k", "revoked": False}]
    supplier = Supplier(partners=others)
    with pytest.raises(CheckError, match=r"a live key \(Hub\) will see 100 numbers of the country zz-check") as stopped:
        found(trial(supplier))
    assert "LIVE=1" in str(stopped.value)
    assert (supplier.partners, supplier.numbers, supplier.services) == (others, {}, {})
    said, told = found(trial(supplier), live=True)
    assert set(said.values()) == {True}
    assert "will see 100 numbers" in told


def _interrupted(_: Trial) -> Finding:
    raise KeyboardInterrupt


@pytest.mark.parametrize("stopped", [False, True])
def test_at_the_end_and_when_stopped_all_that_can_be_is_taken_away_and_the_rest_is_said(*, stopped: bool) -> None:
    supplier = Supplier()
    asked = trial(supplier, cloud := PretendCloud(supplier))
    ours: dict[str, Check] = {**CHECKS, "stopped": _interrupted} if stopped else dict(CHECKS)
    told: list[str] = []
    try:
        run(asked, ours, told.append, live=False)
    except KeyboardInterrupt:
        assert stopped
    assert all(partner["revoked"] for partner in supplier.partners)
    assert supplier.numbers == dict.fromkeys(PHONES, False)
    assert (supplier.services, supplier.sources, cloud.left) == ({"zz-check": False}, [], [])
    assert all(sold["over"] for sold in supplier.activations.values())
    assert "100 numbers, withdrawn" in told[-1]
    assert not any(secret in "".join(told) for secret in (asked.key, "secret of a source"))


def test_what_a_killed_run_has_left_is_taken_away_by_the_next_with_what_it_bought() -> None:
    supplier = Supplier()
    killed = trial(supplier)
    killed.set_up("https://partner.example/push")
    for _ in range(60):
        killed.buy()
    said, told = found(trial(supplier))
    assert set(said.values()) == {True}, told
    assert [partner["revoked"] for partner in supplier.partners] == [True, True]
    assert all(sold["over"] for sold in supplier.activations.values())


def test_where_too_few_numbers_can_be_sold_it_says_so_instead_of_calling_the_stack_wrong() -> None:
    supplier = Supplier(numbers=dict.fromkeys(PHONES, True))
    # They rest after a sale, or somebody who can't be finished holds them.
    supplier.activations = {
        n: {"phone": phone, "over": False, "sms": [], "partner": "?"} for n, phone in enumerate(PHONES[:50])
    }
    with pytest.raises(CheckError, match="50 of 100 numbers of zz-check can be sold, and 63 are needed"):
        found(trial(supplier))
    assert supplier.services == {"zz-check": False}


def test_what_aws_refuses_in_one_check_is_that_checks_finding_and_the_others_are_made() -> None:
    def refused(_: Trial) -> Finding:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "BatchGetTraces")

    lines = run(trial(Supplier()), {"refused": refused, **CHECKS}, lambda _: None, live=False)
    assert [line.check for line in lines if not line.finding.ok] == ["refused"]
    assert "AccessDenied" in lines[0].finding.measured


def test_a_deployment_whose_pushes_end_before_the_outage_can_not_show_it() -> None:
    supplier = Supplier()
    cloud = PretendCloud(supplier)
    cloud.parameters["PushMaxAgeMinutes"] = "5"
    lines = run(trial(supplier, cloud), CHECKS, lambda _: None, live=False)
    assert [line.finding.measured for line in lines if line.finding.ok is None] == ["not here: pushes end after 300 s"]


@pytest.mark.parametrize(
    "trouble", [KeyboardInterrupt(), ClientError({"Error": {"Code": "Throttled"}}, "AdminSetUserPassword")]
)
def test_what_goes_wrong_while_it_tidies_keeps_nothing_else_from_being_tidied(trouble: BaseException) -> None:
    supplier = Supplier()
    cloud = PretendCloud(supplier)
    asked = trial(supplier, cloud)
    told: list[str] = []

    def stopped(_: Trial) -> Finding:
        sign_in, asked._token_ends = cloud.sign_in, 0.0

        def once() -> Tokens:
            cloud.sign_in = sign_in  # type: ignore[method-assign]
            raise trouble

        cloud.sign_in = once  # type: ignore[method-assign]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(asked, {**CHECKS, "stopped": stopped}, told.append, live=False)
    assert [partner["revoked"] for partner in supplier.partners] == [True]
    assert (supplier.services, supplier.sources) == ({"zz-check": False}, [])
    assert any(type(trouble).__name__ in line for line in told)


def test_what_can_not_be_taken_away_is_named() -> None:
    told: list[str] = []

    def broken(asked: Trial) -> Finding:
        asked.http = httpx.Client(base_url="https://x.example", transport=httpx.MockTransport(_unavailable))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(trial(Supplier()), {**CHECKS, "broken": broken}, told.append, live=False)
    for left in ("activations that are not finished", "numbers on sale", "the service, switched on", "a partner's key"):
        assert any(line.startswith(f"  {left}") and "HTTP 503" in line for line in told)


def _unavailable(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, json={"status": "ERROR", "message": "Temporarily busy; try again"})
