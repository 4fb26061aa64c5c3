"""What a shell command really runs: each simple command in it, found by tree-sitter's grammar of Bash.

Those in pipes, lists, substitutions and functions are included, with assignments and redirections left out and quotes
removed. Nothing is run or looked up: a program can do what its name does not say, and a script is not read.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a grammar is wanted when there is a command to read
    from tree_sitter import Node, Parser

_WRAPPERS: Mapping[str, str] = {
    "sudo": "ughpCDRT",
    "doas": "uC",
    "env": "uCS",
    "nohup": "",
    "nice": "n",
    "ionice": "cnp",
    "time": "fo",
    "timeout": "ks",
    "command": "",
    "builtin": "",
    "exec": "a",
    "setsid": "",
    "stdbuf": "ioe",
    "xargs": "aEdILnPs",
}
"""Programs that run the command after their options; the letters of the options that have a value."""
_RUNS_AFTER = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
"""Actions of find(1) that are followed by a command."""
_QUOTED = re.compile(r"""\$?'([^']*)'|\$?"((?:\\.|[^"\\])*)"|\\(.)""", re.S)
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_DEPTH = 8


@cache
def _parser() -> "Parser":
    import tree_sitter_bash  # noqa: PLC0415 - see above
    from tree_sitter import Language, Parser  # noqa: PLC0415 - as above

    language: object = tree_sitter_bash.language()
    return Parser(Language(language))


def commands(text: str, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """Yield the words of each simple command in the shell text, wrappers such as sudo taken off, and of those that it
    hands to a shell with `-c`; a text that is no shell is one command as it stands."""
    tree = _parser().parse(text.encode("utf-8", "surrogateescape"))
    found = False
    for node in _walk(tree.root_node):
        if node.type == "command":
            found = True
            yield from _unwrapped(tuple(_words(node)), depth)
    if not found or tree.root_node.has_error:
        yield tuple(text.split())


def _walk(node: "Node") -> "Iterator[Node]":
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def _words(command: "Node") -> Iterator[str]:
    for child in command.named_children:
        if child.type not in {"variable_assignment", "file_redirect", "heredoc_redirect", "herestring_redirect"}:
            yield _plain((child.text or b"").decode("utf-8", "replace"))


def _plain(word: str) -> str:
    """Return a word as the shell would give it, as far as that can be said without running anything: one level of
    quotes is taken off, so that what is quoted within stays what it is."""
    return _QUOTED.sub(_unquoted, word)


def _unquoted(found: re.Match[str]) -> str:
    single, double, escaped = found.groups()
    if double is not None:
        return re.sub(r'\\(["\\$`])', r"\1", double)
    return single if single is not None else escaped or ""


def _unwrapped(words: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    yield words
    while words and words[0].rpartition("/")[2] in _WRAPPERS:
        words = _wrapped(words)
        if words:
            yield words
    if not words:
        return
    name = words[0].rpartition("/")[2]
    if name != words[0]:
        yield (name, *words[1:])
    yield from _handed_on(name, words, depth)


def _wrapped(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that a wrapper runs: what stands behind its options, their values, and assignments."""
    wrapper = words[0].rpartition("/")[2]
    rest = list(words[1:])
    while rest and (rest[0].startswith("-") or re.match(r"\w+=", rest[0])):
        option = rest.pop(0)
        # The value stands by itself where the letter is the last one: `-u root`, but not `-uroot`.
        if option[:1] == "-" and option[:2] != "--" and option[-1:] in _WRAPPERS[wrapper] and len(option) == 2 and rest:
            rest.pop(0)
    if wrapper == "timeout" and rest:
        rest.pop(0)
    return tuple(rest)


def _handed_on(name: str, words: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the commands in what a command is given to run: by a shell's `-c`, `eval`, find's `-exec`."""
    if depth >= _DEPTH:
        return
    if name in _SHELLS:
        flags = [n for n, word in enumerate(words) if re.fullmatch(r"-[a-z]*c[a-z]*", word)]
        if flags and flags[0] + 1 < len(words):
            yield from commands(words[flags[0] + 1], depth + 1)
    elif name == "eval":
        yield from commands(" ".join(words[1:]), depth + 1)
    elif name == "find":
        for n, word in enumerate(words):
            if word in _RUNS_AFTER:
                yield from _unwrapped(words[n + 1 :], depth + 1)
