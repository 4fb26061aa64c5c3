"""The shell lines that keep a hook in the spool, and the form in which they keep it.

A record is a line `SECONDS PID PAYLOAD` after an empty one, appended to `log` by one write; a payload that is too long
for that, or has several lines, gets a file `SECONDS.PID.big` of its own, which appears whole. When the spool is full
nothing more is kept, and `lost` grows by one byte for each that was not.
"""

import os
from pathlib import Path

from claude_code_mcp.platform.files.atomic import write_atomic
from claude_code_mcp.platform.files.private import private_dir

SPOOL = "spool"
SCRIPT = "hook.sh"
LOG = "log"
BIG = ".big"
LOST = "lost"
LISTENING = "http.pid"
"""In the state directory while somebody listens for hooks: the process that does."""
QUOTA_KIB = 64 * 1024
_LINE_BYTES = 3500  # shells write lines of up to 4096 bytes at once

_TEXT = f"""\
# Kept by claude-code-mcp: a hook of Claude Code that nobody may be listening for goes into the spool.
# $d: the directory of this file. $w: "away" keeps it only while no daemon listens.
exec >/dev/null 2>&1
LC_ALL=C
umask 077
if [ "$w" = away ] && read -r p <"$d/{LISTENING}" && kill -0 "$p"; then exit 0; fi
s=$d/{SPOOL}
e=$(cat)
[ -n "$e" ] || exit 0
k=$(du -sk "$s")
k=${{k%%[!0-9]*}}
if [ "${{k:-0}}" -ge {QUOTA_KIB} ]; then printf . >>"$s/{LOST}"; exit 0; fi
t=$(date +%s.%N)
n=${{#e}}
case $e in *'
'*) n=99999 ;; esac
if [ "$n" -le {_LINE_BYTES} ]; then
  printf '\\n%s %s %s\\n' "$t" "${{CLAUDE_PID:-0}}" "$e" >>"$s/{LOG}"
else
  printf '%s %s %s\\n' "$t" "${{CLAUDE_PID:-0}}" "$e" >"$s/.$$.$t" && mv "$s/.$$.$t" "$s/$t.$$.{BIG[1:]}"
fi
exit 0
"""


def keep_script(state_dir: Path) -> Path:
    """Write the script and make the spool below `state_dir`, and return the script; a good one is left alone.

    Raises:
        OSError, DirectoryUnsafe: the directory would not have it.
    """
    private_dir(state_dir / SPOOL)
    path = state_dir / SCRIPT
    try:
        if path.read_text("utf-8") == _TEXT:
            return path
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    write_atomic(path, _TEXT.encode())
    return path


def say_listening(state_dir: Path) -> None:
    """Say that this process listens for hooks: none is kept for it any more but those that are never posted.

    Raises:
        OSError: it could not be said; hooks are kept, and told twice at worst.
    """
    write_atomic(state_dir / LISTENING, f"{os.getpid()}\n".encode())


def say_deaf(state_dir: Path) -> None:
    """Take that back. A process that dies without it counts as deaf as well."""
    if _listener(state_dir) == os.getpid():
        (state_dir / LISTENING).unlink(missing_ok=True)


def is_heard(state_dir: Path) -> bool:
    """Tell whether somebody listens for hooks, as the script sees it."""
    pid = _listener(state_dir)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return pid > 0


def _listener(state_dir: Path) -> int:
    try:
        text = (state_dir / LISTENING).read_text("ascii", "replace").strip()
    except OSError:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
