import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from claude_code_mcp.platform.clients.host import System, current_host, launcher


def test_the_script_beside_the_interpreter_starts_us() -> None:
    (script,) = launcher(sys.executable)
    assert Path(script) == Path(sys.executable).with_name("claude-code-mcp")
    assert os.access(script, os.X_OK)


def test_without_a_script_the_interpreter_does(tmp_path: Path) -> None:
    venv.create(tmp_path / "v", with_pip=False)
    python = tmp_path / "v" / "bin" / "python"
    assert launcher(str(python)) == (str(python), "-m", "claude_code_mcp")
    # The interpreter of a virtual environment must not be resolved to the one behind it.
    shown = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], check=True, capture_output=True, timeout=60)
    assert shown.stdout.decode().strip() == str(tmp_path / "v")


def test_the_host_is_that_of_the_environment(tmp_path: Path) -> None:
    host = current_host({"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative"})
    assert (host.home, host.config_home) == (tmp_path, tmp_path / ".config")
    other = host.of_client({"HOME": "/h", "XDG_CONFIG_HOME": "/x"})
    assert (other.home, other.config_home) == (Path("/h"), Path("/x"))
    assert host.of_client({"HOME": "not absolute"}).home == tmp_path
    daemon = current_host({"HOME": "/d", "CLAUDE_CONFIG_DIR": "/of/another"})
    assert "CLAUDE_CONFIG_DIR" not in daemon.of_client({"HOME": "/h"}).env
    assert "SECRET" not in repr(host.of_client({"SECRET_TOKEN": "SECRET"}))


@pytest.mark.skipif(sys.platform != "linux", reason="WSL is a Linux")
def test_wsl_says_its_name() -> None:
    host = current_host({"HOME": "/h", "WSL_DISTRO_NAME": "Ubuntu-24.04"})
    assert (host.system, host.distribution) == (System.WSL, "Ubuntu-24.04")
