"""Does what came back fit what the page shows? Names that differ from run to run are learned on the way."""

import re

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAME = re.compile(rf"{_UUID}|\bpid:? \d+|\b127\.0\.0\.1:\d+")
_WILD = re.compile(r"^\.\.\.\n?|\.\.\.", re.MULTILINE)


class Names:
    """The ids and process ids of a page: what it shows stands for what there really is, once both were seen."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def put_in(self, typed: str) -> str:
        """Return a command with the real names in place of those that the page shows."""
        for shown, real in self._real.items():
            typed = re.sub(rf"\b{re.escape(shown)}\b", real, typed)
        return typed

    def fits(self, expected: str, output: str) -> bool:
        """Tell whether `output` is what `expected` shows, and learn the names in it.

        `...` on a line of its own stands for any lines, elsewhere for anything within its line.
        """
        groups: dict[str, str] = {}
        pattern = "".join(self._part(part, groups) for part in _split(expected.rstrip("\n") + "\n"))
        found = re.fullmatch(pattern, "\n".join(line.rstrip() for line in output.rstrip("\n").split("\n")) + "\n")
        if found is None:
            return False
        self._real |= {shown: found[group] for group, shown in groups.items()}
        return True

    def _part(self, part: str, groups: dict[str, str]) -> str:
        if part == "...\n":
            return r"(?:[^\n]*\n)*?"
        if part == "...":
            return r"[^\n]*?"
        if _NAME.fullmatch(part) is None:
            return re.escape(part)
        lead, shown = _parted(part)
        if shown in self._real:
            return re.escape(lead) + re.escape(self._real[shown])
        for group, known in groups.items():
            if known == shown:
                return f"{re.escape(lead)}(?P={group})"
        group = f"name{len(groups)}"
        groups[group] = shown
        return rf"{re.escape(lead)}(?P<{group}>{_UUID if not lead else '[0-9]+'})"


def _parted(name: str) -> tuple[str, str]:
    """Return what stands before a number that names something, and the number; an id has nothing before it."""
    number = re.search(r"(?<=[: ])\d+\Z", name)
    return (name[: number.start()], number[0]) if number else ("", name)


def _split(text: str) -> list[str]:
    """Cut text into wild cards, names, and what is between them."""
    found = re.compile(f"{_WILD.pattern}|{_NAME.pattern}", re.MULTILINE)
    parts: list[str] = []
    end = 0
    for match in found.finditer(text):
        parts += [text[end : match.start()], match[0]]
        end = match.end()
    return [part for part in [*parts, text[end:]] if part]
