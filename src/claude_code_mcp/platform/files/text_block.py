"""Pure edits of one block of ours in a text of somebody else, between two marker lines."""

from claude_code_mcp.platform.files.errors import BrokenText


def set_block(text: str, name: str, body: str, *, comment: str = "#") -> str:
    """Return `text` with our block `name` holding `body`; a new block goes to the end, an equal one stays.

    `comment` begins a line comment in the text's language.

    Raises:
        BrokenText: the markers do not come in one pair, so that no edit is certain.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    begin, end = _markers(name, comment)
    lines = [begin, *body.rstrip("\n").split("\n"), end]
    block = "".join(line + newline for line in lines)
    place = _place(text, begin, end)
    if place is not None:
        return text[: place[0]] + block + text[place[1] :]
    gap = "" if not text or text.endswith("\n") else newline
    return text + gap + block


def remove_block(text: str, name: str, *, comment: str = "#") -> str:
    """Return `text` without our block `name`; where there is none it comes back as it is.

    Raises:
        BrokenText: as `set_block`.
    """
    place = _place(text, *_markers(name, comment))
    return text if place is None else text[: place[0]] + text[place[1] :]


def _markers(name: str, comment: str) -> tuple[str, str]:
    return f"{comment} >>> {name} >>>", f"{comment} <<< {name} <<<"


def _place(text: str, begin: str, end: str) -> tuple[int, int] | None:
    starts, ends = [], []
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.rstrip("\r\n") == begin:
            starts.append((offset, number))
        offset += len(line)
        if line.rstrip("\r\n") == end:
            ends.append((offset, number))
    if not starts and not ends:
        return None
    if len(starts) != 1 or len(ends) != 1 or ends[0][1] < starts[0][1]:
        line_number = (starts or ends)[-1][1]
        raise BrokenText(f"the lines `{begin}` and `{end}` do not come in one pair", line_number, 1)
    return starts[0][0], ends[0][0]
