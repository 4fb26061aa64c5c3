"""A seeded history of Claude Code: transcripts with lines of the shapes that 2.1.32x writes, of any number and size."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

POOL_WORDS = 40_000
OLD_S = 1_700_000_000
"""A time long ago: nothing of the history is fresh enough to be taken into the log."""


def write_corpus(projects: Path, files: int, total_bytes: int, rng: Random) -> None:
    """Write so many transcripts below `projects`, one in four a subagent's, of sizes that differ by a thousand."""
    words = ["".join(rng.choices("etaoinshrdlucmfwyp", k=rng.randint(2, 10))) for _ in range(2000)]
    pool = " ".join(rng.choices(words, k=POOL_WORDS))
    sizes = [rng.lognormvariate(0, 1.5) for _ in range(files)]
    scale = total_bytes / sum(sizes)
    for number, size in enumerate(sizes):
        session = f"{rng.getrandbits(32):08x}-0000-4000-8000-{number:012x}"
        folder = projects / f"-home-dev-code-proj{number % 40}"
        agent = number % 4 == 3
        path = folder / session / "subagents" / f"agent-a{number}.jsonl" if agent else folder / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            written = 0
            for line in _lines(session, pool, rng, agent=agent):
                data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
                file.write(data)
                written += len(data)
                if written >= size * scale:
                    break


def _lines(session: str, pool: str, rng: Random, *, agent: bool) -> Iterator[dict[str, Any]]:
    def text(most: int) -> str:
        begin = rng.randrange(len(pool) - most)
        return pool[begin : begin + rng.randint(most // 10, most)]

    turn = 0
    while True:
        turn += 1
        head = {"parentUuid": None, "isSidechain": agent}
        tail = {
            "timestamp": "2026-08-01T10:00:00.000Z",
            "cwd": "/home/dev/code/proj",
            "sessionId": session,
            "version": "2.1.328",
        }
        asked = {"type": "user", "message": {"role": "user", "content": text(600)}}
        yield {**head, "promptId": f"p{turn}", **asked, "uuid": f"u{turn}", **tail}
        for call in range(rng.randint(1, 8)):
            name = f"toolu_{turn}_{call}"
            yield {"type": "api-request", "sessionId": session, "params": {"model": "m"}, "tail": [text(400)]}
            usage = {"input_tokens": 5, "output_tokens": 400, "cache_read_input_tokens": 60_000}
            said = [{"type": "text", "text": text(1500)}]
            used = [{"type": "tool_use", "id": name, "name": "Bash", "input": {"command": text(300)}}]
            for number, content in enumerate((said, used)):
                message = {"id": f"msg_{turn}_{call}", "type": "message", "role": "assistant", "content": content}
                message |= {"stop_reason": "tool_use", "usage": usage}
                yield {**head, "message": message, "type": "assistant", "uuid": f"a{turn}.{call}.{number}", **tail}
            output = text(rng.choice((300, 3000, 30_000)))
            result = {"tool_use_id": name, "type": "tool_result", "content": output}
            answered = {"type": "user", "message": {"role": "user", "content": [result]}}
            yield {**head, **answered, "uuid": f"r{turn}.{call}", "toolUseResult": {"stdout": output}, **tail}
