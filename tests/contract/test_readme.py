"""What the README and docs/by-hand.md tell people to paste works as it stands, in the shells that people have."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.emulator import free_port
from local.place import REPOSITORY
from local.stack import Stack
from tests.contract.market import Market

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BY_HAND = (REPOSITORY / "docs" / "by-hand.md").read_text(encoding="utf-8")


def _blocks(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


(PARTNER,) = (block for block in _blocks(README) if "SMSBOWER" in block)
SET_UP, SALE, PUSH, IMPORT, CHECKS = _blocks(BY_HAND)
# Each reads what is pasted as from a terminal, and goes on when a line fails; no settings of whoever runs the tests.
SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
INSTALLED = [name for name in SHELLS if shutil.which(name)]
# The functions that push may have to be started first, and attempts are 10 s apart.
PATIENCE_SECONDS = 180
NOWHERE = Stack("http://127.0.0.1:9/live", "", "", "token", "", "", "", "", 0)


@pytest.fixture(params=INSTALLED)
def shell(request: pytest.FixtureRequest) -> str:
    """Return each shell that this machine has."""
    name: str = request.param
    return name


def test_the_readmes_lines_show_what_is_on_sale_and_take_a_number_as_pasted(
    market: Market, shell: str, tmp_path: Path
) -> None:
    market.admin("PUT", "/admin/services/tg", {"name": "Telegram"})
    pool = market.pool(1)
    lines = PARTNER.replace("england", pool.country)
    (services, issued), _ = pasted(lines, shell, market.stack, tmp_path)
    assert json.loads(services)["status"] == "SUCCESS"
    assert json.loads(issued)["number"] == pool.phones[0]


def test_the_blocks_play_a_sale_and_show_a_push_that_is_refused_twice_as_pasted(
    market: Market, shell: str, tmp_path: Path
) -> None:
    port = str(free_port())
    shown, _ = pasted(SET_UP + SALE + PUSH.replace("9000", port), shell, market.stack, tmp_path)
    service, imported, delivered, polled, finished, services = map(json.loads, shown[:6])
    assert service["code"] == "tg"
    assert imported == {"imported": 1, "updated": 0, "rejected": []}
    assert delivered == finished == {"status": "SUCCESS"}
    assert [sms["text"] for sms in polled["messages"]] == ["Your code: 50151"]
    assert services["status"] == "SUCCESS"
    pushes = [line.partition(" POST /push ")[2] for line in shown if " POST /push " in line]
    assert [json.loads(push)["text"] for push in pushes] == ["Your code: 50152"] * 3
    answers = [line.partition("-> ")[2] for line in shown if "-> " in line]
    assert answers == ['200 {"status":"ERROR"}', "500 Internal Server Error", '200 {"status":"SUCCESS"}']
    # After it has ended by itself.
    assert json.loads(shown[-1]) == {"status": "SUCCESS"}


def test_the_blocks_import_a_large_file_in_parts_as_pasted(market: Market, shell: str, tmp_path: Path) -> None:
    # The last line has no end, as spreadsheets leave it.
    rows = [f"{460_000_000_000 + place},readme land,Import {shell}" for place in range(2_002)]
    (tmp_path / "numbers.csv").write_text("\n".join(["phone,country,operator", *rows]), encoding="utf-8")
    shown, _ = pasted(SET_UP + IMPORT, shell, market.stack, tmp_path)
    _, first, second, finished = map(json.loads, shown)
    assert (first["part"], first["rows"], second["part"], second["rows"]) == (1, 2_000, 2, 2)
    assert (finished["state"], finished["rows"], finished["rejected"]) == ("finished", 2_002, 0)


def test_the_blocks_put_the_stack_to_the_tests_of_a_hub_as_pasted(market: Market, shell: str, tmp_path: Path) -> None:
    for name in ("Makefile", "conformance"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    some = (
        "export ARGS='--only excluded-number --only never-twice-service --only getsms-messages --only push-content'\n"
    )
    # Shells have different ones: what a check has bought of a pool isn't there for another.
    checks = CHECKS.replace("9001", str(free_port())).replace("england", f"readme {shell}")
    shown, said = pasted(some + SET_UP + checks, shell, market.stack, tmp_path)
    passed = [line.split() for line in shown if line.startswith("passed ")]
    assert [name for _, _, name, *_ in passed] == [
        "never-twice-service:",
        "excluded-number",
        "getsms-messages",
        "push-content",
    ], (shown, said)


@pytest.mark.parametrize("stack", [None, NOWHERE], ids=["down", "killed"])
def test_without_a_stack_the_blocks_say_how_to_start_one(stack: Stack | None, shell: str, tmp_path: Path) -> None:
    _, said = pasted(SET_UP, shell, stack, tmp_path)
    assert "make up" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("block", _blocks(README) + _blocks(BY_HAND), ids=lambda block: block.splitlines()[0])
def test_no_block_has_what_a_shell_does_not_take_when_it_is_pasted(block: str) -> None:
    # zsh runs a comment as a command, and its echo reads the backslashes of JSON; ! is history in both.
    assert not re.search(r"(^|\s)#|echo \"\$|![\w\"]", block, re.MULTILINE)


def pasted(block: str, shell: str, stack: Stack | None, folder: Path) -> tuple[list[str], str]:
    """Return the lines that a block shows, and its errors, when it is pasted in a checkout with that stack if any."""
    for name in ("local", ".venv"):
        (folder / name).symlink_to(REPOSITORY / name)
    if stack is not None:
        (folder / ".local").mkdir()
        (folder / ".local" / "stack.json").write_text(json.dumps(stack.as_json()), encoding="utf-8")
    played = subprocess.run(
        SHELLS[shell], input=block, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert "command not found" not in played.stderr, played.stderr
    return played.stdout.splitlines(), played.stderr


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}\b.*:", makefile, re.MULTILINE)
