"""What the README tells people to paste works as it stands."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.contract.market import Market

README = (ROOT / "README.md").read_text(encoding="utf-8")
MARK = "<!-- tests/contract/test_readme.py runs this block as it stands -->"
IMPORT_MARK = "<!-- tests/contract/test_readme.py runs this block too -->"


def test_the_curl_lines_play_a_sale_as_pasted(market: Market, tmp_path: Path) -> None:
    played = _pasted(_block(MARK), market, tmp_path)
    service, imported, delivered, polled, finished, services = map(json.loads, played)
    assert service["code"] == "tg"
    assert imported == {"imported": 1, "updated": 0, "rejected": []}
    assert delivered == finished == {"status": "SUCCESS"}
    assert [sms["text"] for sms in polled["messages"]] == ["Your code: 50151"]
    assert services["status"] == "SUCCESS"


def test_the_curl_lines_import_a_large_file_in_parts_as_pasted(market: Market, tmp_path: Path) -> None:
    # The last line has no end, as spreadsheets leave it.
    rows = [f"{460_000_000_000 + place},readme land,Import" for place in range(2_002)]
    (tmp_path / "numbers.csv").write_text("\n".join(["phone,country,operator", *rows]), encoding="utf-8")
    variables, _, _ = _block(MARK).partition("\n\n")
    first, second, finished = map(json.loads, _pasted(f"{variables}\n{_block(IMPORT_MARK)}", market, tmp_path))
    assert (first["part"], first["rows"], second["part"], second["rows"]) == (1, 2_000, 2, 2)
    assert (finished["state"], finished["imported"], finished["rejected"]) == ("finished", 2_002, 0)


def _block(mark: str) -> str:
    _, _, rest = README.partition(mark)
    block = re.match(r"\n```sh\n(.*?)```", rest, re.DOTALL)
    assert block
    return block.group(1)


def _pasted(block: str, market: Market, folder: Path) -> list[str]:
    """Give the lines that a block shows when it is pasted in a folder beside the stack's."""
    (folder / ".local").mkdir()
    (folder / ".local" / "stack.json").write_text(json.dumps(market.stack.as_json()), encoding="utf-8")
    played = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert played.returncode == 0, played.stderr
    return played.stdout.splitlines()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_of_the_readme_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}\b.*:", makefile, re.MULTILINE)
