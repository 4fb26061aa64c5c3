"""Seeded project trees: a big one of small source files, a small one of big files, one huge file, and edits of them."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

LINES = 1200
"""Lines that the files of one package have in common: imports, idioms, names."""
COPIED = 0.5
"""The share of a file's pieces that come from these."""

_STARTS = ("def ", "return ", "if ", "", "", "", "for ", "self.", "import ", "assert ")
_JOINTS = (" = ", ".", ", ", "(", " + ", "): ")
_PIECE = 1_000_000
_STEP = 1 << 22


def write_sources(root: Path, files: int, total_bytes: int, rng: Random) -> None:
    """Write so many source files, about ten in a folder, of sizes that differ by a thousand.

    Each package has words and lines of its own that its files share, so that they compress together as source does.
    """
    words = _words(rng, 6000)
    scale = total_bytes / files / 1.65  # the mean of the distribution below is exp(1 / 2) times its middle
    made = 0
    while made < files:
        package = root / f"lib{made // 250:03d}-{rng.choice(words)}"
        own = [*rng.sample(words, 500), *_words(rng, 500)]
        pool = [_line(rng, own) for _ in range(LINES)]
        head = "".join(rng.choices(pool, k=12))
        for folder in _folders(package, rng, own, 25):
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(min(10, files - made)):
                size = max(40, int(rng.lognormvariate(0, 1) * scale))
                _write(folder / f"{rng.choice(own)}_{number}.py", _source(rng, own, pool, head, size))
                made += 1


def write_mixed(root: Path, files: int, total_bytes: int, rng: Random) -> None:
    """Write so many files of `total_bytes` together: three in ten cannot be compressed, the others are text."""
    words = _words(rng, 4000)
    pool = "".join(_line(rng, words) for _ in range(total_bytes // 400)).encode()
    sizes = [rng.lognormvariate(0, 1.2) for _ in range(files)]
    scale = total_bytes / sum(sizes)
    for number, size in enumerate(int(one * scale) + 64 for one in sizes):
        folder = root / f"part{number % 37}" / f"sub{number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        if number % 10 < 3:
            _write(folder / f"f{number}.bin", rng.randbytes(size))
            continue
        start = rng.randrange(len(pool))
        data = b"# file %d\n" % number + (pool[start:] + pool * (1 + size // len(pool)))[:size]
        _write(folder / f"f{number}.txt", data)


def write_huge(path: Path, total_bytes: int, rng: Random) -> None:
    """Write one file, text and what cannot be compressed in turns."""
    words = _words(rng, 4000)
    pool = "".join(_line(rng, words) for _ in range(200_000)).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for number in range(total_bytes // _PIECE):
            start = rng.randrange(len(pool) - _PIECE)
            file.write(rng.randbytes(_PIECE) if number % 2 else pool[start : start + _PIECE])


def insert_byte(path: Path) -> None:
    """Insert one byte in the middle of a file, as an editor does: into a new file, which takes the name."""
    other = path.with_name(path.name + ".new")
    with path.open("rb") as source, other.open("wb") as target:
        left = path.stat().st_size // 2 + 12_345
        while left:
            left -= target.write(source.read(min(left, _STEP)))
        target.write(b"X")
        while data := source.read(_STEP):
            target.write(data)
    other.replace(path)


def files_of(root: Path) -> list[Path]:
    """Return all files of a tree, `.git` excepted, in order."""
    found = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if name != ".git")
        found += [Path(folder, name) for name in sorted(names)]
    return found


def edit(files: list[Path], count: int, rng: Random) -> list[Path]:
    """Append a line to `count` of `files`; return which."""
    chosen = rng.sample(files, count)
    for path in chosen:
        with path.open("ab") as file:
            file.write(b"# edited %d\n" % rng.getrandbits(64))
    return chosen


def _folders(package: Path, rng: Random, words: list[str], count: int) -> Iterator[Path]:
    made = [package / "src"]
    while len(made) <= count:
        made.append(rng.choice(made[-8:]) / f"{rng.choice(words)}{len(made)}")
    yield from made[1:]


def _words(rng: Random, count: int) -> list[str]:
    return ["".join(rng.choices("etaoinshrdlucmfwyp_", k=rng.randint(2, 11))) for _ in range(count)]


def _line(rng: Random, words: list[str]) -> str:
    last = len(words) - 1
    named = [words[min(last, int(rng.paretovariate(0.45)))] for _ in range(rng.randint(1, 7))]
    return "    " * rng.randint(0, 4) + rng.choice(_STARTS) + rng.choice(_JOINTS).join(named) + "\n"


def _source(rng: Random, words: list[str], pool: list[str], head: str, size: int) -> bytes:
    found, length = [head], len(head)
    while length < size:
        if rng.random() < COPIED:
            start = rng.randrange(LINES - 8)
            lines = pool[start : start + rng.randint(1, 8)]
        else:
            lines = [_line(rng, words) for _ in range(4)]
        found += lines
        length += sum(map(len, lines))
    return "".join(found).encode()[:size]


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
