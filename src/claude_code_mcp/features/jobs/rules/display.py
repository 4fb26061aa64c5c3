"""A program's output as text to read: no escape sequences, what was overwritten gone, nothing that acts on a screen."""

import re

from claude_code_mcp.kernel.display import visible

_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI (ECMA-48 5.4)
    r"|[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC up to their terminator
    r"|[ -/]+[0-~]|[0-~])"  # two and more characters
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_BACK = re.compile(r"[^\x08\n]\x08")
_OVERWRITES = 200
_PLAIN = b"\t\n" + bytes(range(0x20, 0x7F))
"""What is shown as it is; nearly all output is of nothing else."""
_LONGEST = 256


def clean(data: bytes) -> str:
    """Return `data` as text: UTF-8 with what is not shown as U+FFFD, escape sequences out, a line that was written
    over with carriage returns as it stood last, and everything else that would act on a screen made visible."""
    if not data.translate(None, _PLAIN):
        return data.decode("ascii")
    text = _SEQUENCE.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
    for _ in range(_OVERWRITES):
        text, changed = _BACK.subn("", text)
        if not changed:
            break
    if "\r" in text:
        text = "\n".join(_last_written(line) for line in text.split("\n"))
    return visible(text)


def _last_written(line: str) -> str:
    """Return how a line looks after its carriage returns: what came later stands over what came before."""
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown


def whole(data: bytes) -> int:
    """Return how much of `data` does not end within a UTF-8 character or an escape sequence."""
    end = len(data)
    for back in range(1, min(4, end) + 1):
        byte = data[end - back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            end -= back if length > back else 0
            break
    start = data.rfind(b"\x1b", max(0, end - _LONGEST), end)
    if start >= 0 and not _SEQUENCE.match(data[start:end].decode("utf-8", "replace")):
        return start
    return end
