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


def test_the_curl_lines_play_a_sale_as_pasted(market: Market, tmp_path: Path) -> None:
    _, _, rest = README.partition(MARK)
    block = re.match(r"\n```sh\n(.*?)```", rest, re.DOTALL)
    assert block
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(market.stack.as_json()), encoding="utf-8")
    played = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.group(1)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert played.returncode == 0, played.stderr
    service, imported, delivered, polled, finished, services = map(json.loads, played.stdout.splitlines())
    assert service["code"] == "tg"
    assert imported == {"imported": 1, "updated": 0, "rejected": []}
    assert delivered == finished == {"status": "SUCCESS"}
    assert [sms["text"] for sms in polled["messages"]] == ["Your code: 50151"]
    assert services["status"] == "SUCCESS"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_of_the_readme_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}\b.*:", makefile, re.MULTILINE)
