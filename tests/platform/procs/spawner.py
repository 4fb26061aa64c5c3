"""A stand-in for the daemon, as a process that tests can kill: `python -m tests.platform.procs.spawner MODE ROOT`.

`follow` starts one run that counts, and writes each line with its offsets to ROOT.journal as a daemon commits it to
its database. `many` starts runs as fast as it can; each run writes its id to ROOT.started before anything else.
`talk` starts the run that is given as JSON, writes it the line that is given, and keeps the same journal.
"""

import asyncio
import json
import os
import sys
from contextlib import aclosing
from pathlib import Path

from claude_code_mcp.platform.procs.models import RunSpec
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import python, shell, spec

COUNT = 400
COUNTING = f"""
import sys, time
for number in range({COUNT}):
    print(number, 'x' * (number % 97 * 40), flush=True)
    if number % 10 == 0: time.sleep(0.01)
sys.exit(21)
"""


async def follow(root: Path) -> None:
    async with Runs(root) as runs:
        await keep_journal(root, await runs.spawn(spec(*python(COUNTING))))


async def talk(root: Path) -> None:
    async with Runs(root) as runs:
        run = await runs.spawn(RunSpec(**json.loads(sys.argv[3])))
        await run.write_line(sys.argv[4].encode())
        await keep_journal(root, run)


async def keep_journal(root: Path, run: Run) -> None:
    journal = os.open(f"{root}.journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    async with aclosing(run.follow()) as batches:
        async for batch in batches:
            rows = [f"{line.offset} {line.end} {line.data.split()[0].decode()}\n" for line in batch.lines]
            os.write(journal, "".join(rows).encode())


async def many(root: Path) -> None:
    async with Runs(root) as runs:
        while True:
            await asyncio.gather(
                *(runs.spawn(spec(*shell(f"echo $CLAUDE_CODE_MCP_RUN >>{root}.started; sleep 0.05"))) for _ in range(4))
            )


if __name__ == "__main__":
    asyncio.run({"follow": follow, "many": many, "talk": talk}[sys.argv[1]](Path(sys.argv[2])))
