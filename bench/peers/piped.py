"""A peer of jobs: shell commands run by asyncio through pipes, everything read and dropped. `piped.py COMMAND …`.

Prints the processor time of this process itself.
"""

import asyncio
import resource
import sys

PIECE_BYTES = 65536


async def _run(command: str) -> None:
    process = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.PIPE)
    if process.stdout is None:
        raise RuntimeError("no pipe")
    while await process.stdout.read(PIECE_BYTES):
        continue
    await process.wait()


async def _main(commands: list[str]) -> None:
    async with asyncio.TaskGroup() as group:
        for command in commands:
            group.create_task(_run(command))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(usage.ru_utime + usage.ru_stime)
