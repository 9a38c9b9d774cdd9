"""What the row of the fresh clone takes for fresh: no browser, no caches, but the way to the registries."""

import os
import shutil
from pathlib import Path

from bench.deploy_fresh import bring_settings, environment, without_browsers


def program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).touch(mode=0o755)


def test_browsers_are_not_on_the_path_and_all_else_is(tmp_path: Path) -> None:
    with_browser, without = tmp_path / "with", tmp_path / "without"
    for folder, name in ((with_browser, "chromium"), (with_browser, "curl"), (without, "git")):
        program(folder, name)
    missing = tmp_path / "missing"
    path = without_browsers(os.pathsep.join(map(str, (with_browser, missing, without))), tmp_path / "others")
    assert shutil.which("chromium", path=path) is None
    assert shutil.which("curl", path=path)
    assert shutil.which("git", path=path) == str(without / "git")


def test_the_way_to_registries_is_passed_on_and_caches_are_not(tmp_path: Path) -> None:
    passed = {"PIP_INDEX_URL": "a", "UV_DEFAULT_INDEX": "b", "npm_config_registry": "c", "SSL_CERT_FILE": "d"}
    passed |= {"HTTPS_PROXY": "e", "no_proxy": "f", "PATH": "/bin", "NODE_EXTRA_CA_CERTS": "g"}
    kept_out = {"PIP_CACHE_DIR": "a", "UV_CACHE_DIR": "b", "npm_config_cache": "c", "XDG_CACHE_HOME": "d"}
    kept_out |= {"CHROMIUM": "e", "PYTHONPATH": "f", "MAKEFLAGS": "g", "VIRTUAL_ENV": "h", "HOME": "/root"}
    assert environment(passed | kept_out, tmp_path) == passed | {"HOME": str(tmp_path)}


def test_the_users_settings_of_registries_are_found_from_the_new_home(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / ".config" / "uv").mkdir(parents=True)
    (old / ".npmrc").write_text("registry=x")
    (old / ".config" / "uv" / "uv.toml").write_text("offline = false")
    (old / ".cache").mkdir()
    bring_settings(old, new)
    assert (new / ".npmrc").read_text() == "registry=x"
    assert (new / ".config" / "uv" / "uv.toml").read_text() == "offline = false"
    assert sorted(path.name for path in new.iterdir()) == [".config", ".npmrc"]
