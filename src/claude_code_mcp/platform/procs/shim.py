"""The supervisor of one run: a tiny process that outlives the daemon and records how the run ended.

`python -I -S -E -X utf8 shim.py --serve ROOT` is the fork server: it reads run ids from standard input, one per
line, forks one shim for each, and ends at end of file. Forking a warm interpreter starts a run in milliseconds and
lets all shims share its memory. `shim.py RUN_DIR` supervises one run without a server. Standard library only.

Files of a run directory that we write: `procs.json` (who runs), `exit.json` (how it ended), `shim.log` (a bug of
ours). Written for us: `spec.json` (also the lock: held while a shim lives), `env.json`, `stop.json` (the grace of a
stop), `exit.tmp` (space kept so that the ending can be recorded on a full disk).

Signals: TERM ends the whole tree (TERM, the grace, KILL); USR1 ends the standard input of a `pipe` run; USR2 gives
its terminal the size in `terminal.json`.
Nothing runs unrecorded: the child waits until `procs.json` stands, and dies with its shim.
"""

import fcntl
import gc
import os
import resource
import signal
import sys
import time
import warnings

sys.path.append(os.path.abspath(__file__).rsplit(os.sep, 4)[0])  # -I leaves only the standard library on the path
from claude_code_mcp.platform.procs import launch, table, terminal
from claude_code_mcp.platform.procs.records import Json, load, number, publish

LOADED = (resource, warnings)  # wait4 and execvpe import them: here once, not per shim from files that may be gone
KILL_BOUND_S = 5.0
CATCH_S = 0.1
RESCAN_S = (0.02, 0.5)
WAKING = (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)
PUMP_S = 2.0
RECORD_S = 15.0
LOCK_LOOK_S = 0.005


class Tree:
    """The processes of one run: found as our descendants, else by group and by tag."""

    def __init__(self, run_id: str, *, adopts: bool) -> None:
        self.run_id = run_id
        self.adopts = adopts
        self.groups: set[int] = set()
        self.only_services = False
        """Whether the last look showed children of ours, and every one was a service."""

    def members(self) -> dict[int, int]:
        """Return pid -> start of each that lives; services of their own and what those run are left out."""
        rows = table.snapshot()
        me = os.getpid()
        near = table.below(rows, {me}, set())
        if not self.adopts:  # orphans hang below pid 1, out of our sight
            near |= {pid for pid, row in rows.items() if row.group in self.groups}
            near |= table.carrying(rows, f"{table.RUN_TAG}={self.run_id}")
            near |= table.below(rows, near, set())
        services = table.carrying(near, f"{table.SERVICE_TAG}=1")
        own = {pid for pid, row in rows.items() if row.parent == me and row.state != "Z"}
        self.only_services = bool(own) and own <= services
        near -= services | table.below(rows, services, set()) | {me}
        self.groups |= {rows[pid].group for pid in near}
        return {pid: rows[pid].start for pid in near if rows[pid].state != "Z"}

    def handed_over(self) -> set[int]:
        """Return the pids of our children, orphans of the run among them, without services; much quicker than a full
        look, but nobody below them. Empty where the system has no such list (Linux: CONFIG_PROC_CHILDREN)."""
        own = table.children_of(os.getpid())
        return own - table.carrying(own, f"{table.SERVICE_TAG}=1")


class Shim:
    """One run from its start to its end."""

    def __init__(self, run_dir: str, spec: Json) -> None:
        adopts = spec.get("adopt") is not False and launch.prctl(launch.PR_SET_CHILD_SUBREAPER, 1)
        self.dir = run_dir
        self.spec = spec
        self.tree = Tree(str(spec["run_id"]), adopts=adopts)
        self.hold: int | None = None
        self.terminal: terminal.Terminal | None = None
        self.child = 0
        self.ending: Json | None = None
        self.published: Json | None = None
        self.stopped = False
        self.termed: dict[int, int] = {}
        self.killed: set[int] = set()
        self.cpu_s = 0.0

    def start(self, env: dict[str, str]) -> bool:
        """Start the main process and record it; False when it could not be started, which is recorded too."""
        try:
            if self.spec.get("stdin") == "pipe":
                self.hold = os.open(f"{self.dir}/stdin", os.O_RDWR)
            child = launch.fork_child(self.spec, env, self.dir, self._slave())
        except OSError as exc:
            return self._failed({"stage": "fork", "errno": exc.errno, "message": str(exc)})
        self.child = child.pid
        self.tree.groups.add(child.pid)
        try:
            if self.terminal is not None:
                self.terminal.start_pump(self.dir)
            publish(f"{self.dir}/procs.json", self._who(child))
        except OSError as exc:
            child.drop()
            return self._failed({"stage": "record", "errno": exc.errno, "message": str(exc)})
        if "grace_s" in self._asked():  # asked before we could be told by a signal
            child.drop()
            return self._failed({"stage": "stopped", "errno": 0, "message": "it was stopped before it ran"})
        failure = child.release()
        return failure is None or self._failed(failure)

    def _slave(self) -> int | None:
        """Return the run's end of its terminal, where it has one."""
        size = self.spec.get("pty")
        if not isinstance(size, dict):
            return None
        self.terminal = terminal.Terminal(size)
        return self.terminal.slave

    def _who(self, child: launch.Child) -> Json:
        me, boot = os.getpid(), self.spec.get("boot")
        return {
            "shim": {"pid": me, "start": launch.start_of(me), "boot": boot},
            "child": {"pid": child.pid, "start": child.start, "boot": boot},
            "at": time.time(),
        }

    def _failed(self, failure: Json) -> bool:
        self._publish({"failure": failure, "at": time.time()})
        if self.child:
            os.waitpid(self.child, 0)  # it ended or was killed; where process 1 does not reap, nobody else would
        return False

    def supervise(self) -> None:
        """Reap until the run is over; end and record what its policy says."""
        while not self._over():
            blind = self.ending is not None and not self.tree.adopts  # nobody tells us of the end of orphans
            self._react(self._wait(1.0 if blind else None))
        self._await_pump()
        left = [] if self.spec.get("on_exit") == "leave" else sorted(self._left() or ())
        self._publish({**(self.ending or {}), **self._counts(), "left": left})

    def _await_pump(self) -> None:
        """Let the last words of a terminal come to its file; who still holds it open is not waited for long."""
        give_up = time.monotonic() + PUMP_S
        while self.terminal is not None and self.terminal.pump:
            remaining = give_up - time.monotonic()
            if remaining <= 0:
                os.kill(self.terminal.pump, signal.SIGKILL)  # our child, not reaped: the pid is still its own
            self._reap()
            if self.terminal.pump and remaining > 0:
                self._wait(min(remaining, 0.2))

    def _over(self) -> bool:
        nobody = self._reap()
        if self.ending is None:
            return False  # also when it has just ended: its status comes with the next SIGCHLD
        if nobody or self.spec.get("on_exit") == "leave":
            return True
        self._publish({**self.ending, **self._counts()})  # the truth about the main process does not wait for the rest
        if self.spec.get("on_exit") != "wait":
            self._end_all(number(self.spec, "rest_grace_s", 2.0))
            return True
        return self._left() is None

    def _counts(self) -> Json:
        return {"stopped": self.stopped, "killed": len(self.killed), "tree_cpu_s": round(self.cpu_s, 4)}

    def _publish(self, record: Json) -> None:
        if record == self.published:
            return
        reserved = f"{self.dir}/exit.tmp"
        first = os.path.exists(reserved)
        try:
            publish(f"{self.dir}/exit.json", record, reserved=reserved if first else None)
        except OSError:
            pass  # a full disk: the first record had its space; a later one only adds counts
        self.published = record

    def _reap(self) -> bool:
        """Take the endings of all children that ended; True when none is left at all."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return self.tree.adopts or not self._strays()
            if pid == 0:
                return False
            self.cpu_s += usage.ru_utime + usage.ru_stime
            if self.terminal is not None and pid == self.terminal.pump:
                self.terminal.pump = 0
            if pid == self.child:
                code = os.waitstatus_to_exitcode(status)
                self.ending = {
                    "code": code if code >= 0 else None,
                    "signal": -code if code < 0 else None,
                    "at": time.time(),
                    "cpu_s": round(usage.ru_utime + usage.ru_stime, 4),
                    "max_rss_bytes": usage.ru_maxrss * (1024 if table.LINUX else 1),
                }

    def _strays(self) -> dict[int, int]:
        return {} if self.tree.adopts else self.tree.members()

    def _left(self) -> dict[int, int] | None:
        """Return who lives, None when nobody does. Nobody in sight is not nobody: who forks and ends at once can slip
        through a look at the table, but not out of our custody."""
        if self._reap():
            return None
        found = self.tree.members()
        in_custody = self.tree.adopts and not self.tree.only_services
        return found if found or in_custody else None

    def _wait(self, timeout_s: float | None) -> int:
        """Sleep until a signal of ours or the time; return which."""
        signal.setitimer(signal.ITIMER_REAL, timeout_s or 0)
        found = signal.sigwait(WAKING)
        signal.setitimer(signal.ITIMER_REAL, 0)
        return found

    def _react(self, taken: int) -> None:
        if taken == signal.SIGTERM:
            self.stopped = True
            self._end_all(self._grace())
        elif taken == signal.SIGUSR1 and self.hold is not None:
            os.close(self.hold)
            self.hold = None
        elif taken == signal.SIGUSR2 and self.terminal is not None:
            terminal.resize_as_asked(self.terminal.master, self.dir)

    def _grace(self) -> float:
        return number(self._asked(), "grace_s", number(self.spec, "grace_s", 5.0))

    def _asked(self) -> Json:
        try:
            return load(f"{self.dir}/stop.json")
        except OSError:
            return {}

    def _end_all(self, grace_s: float) -> None:
        """TERM to every process, also to those that appear meanwhile; after the grace KILL."""
        deadline, pause = time.monotonic() + grace_s, RESCAN_S[0]
        while (left := self._left()) is not None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return self._kill_all()
            for pid, start in left.items():
                if self.termed.get(pid) != start and table.send(pid, start, signal.SIGTERM):
                    table.send(pid, start, signal.SIGCONT)
                    self.termed[pid] = start
            if self._wait(min(pause, remaining)) == signal.SIGTERM:
                self.stopped = True
                deadline = min(deadline, time.monotonic() + self._grace())
            pause = min(pause * 2, RESCAN_S[1])
        return None

    def _kill_all(self) -> None:
        """Freeze the whole tree, so that nothing can fork away from us, then KILL it; bounded."""
        give_up = time.monotonic() + KILL_BOUND_S
        while (left := self._left()) is not None and time.monotonic() < give_up:
            frozen: dict[int, int] = {}
            while left and time.monotonic() < give_up:
                for pid, start in left.items():
                    table.send(pid, start, signal.SIGSTOP)
                frozen.update(left)
                left = {pid: start for pid, start in self.tree.members().items() if frozen.get(pid) != start}
            for pid, start in frozen.items():
                if table.send(pid, start, signal.SIGKILL):
                    self.killed.add(pid)
            self._catch(time.monotonic() + CATCH_S)

    def _catch(self, until: float) -> None:
        """KILL each process in the moment when it becomes our child: who forks and ends at once is caught like this."""
        while not self._reap() and time.monotonic() < until:
            for pid in self.tree.handed_over():
                os.kill(pid, signal.SIGKILL)  # until we reap it, its pid is its own
                self.killed.add(pid)


def prepare_process(run_id: str) -> None:
    """Make this process a shim: its own session, deaf to the terminal, its signals waiting to be taken up."""
    if os.getpid() != os.getsid(0):
        os.setsid()
    os.chdir("/")
    devnull = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(devnull, fd)
    os.close(devnull)
    launch.prctl(launch.PR_SET_NAME, b"ccm-" + run_id[-11:].encode())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for name in ("HUP", "INT", "QUIT", "PIPE"):
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, WAKING)


def run(run_dir: str, reply: int | None) -> None:
    """Supervise the run of this directory to its end; say on `reply` whether it runs. A run has one shim, ever."""
    run_id = os.path.basename(run_dir)
    prepare_process(run_id)
    if not is_ours(run_dir):
        say(reply, f"{run_id} running")
        return
    spec = load(f"{run_dir}/spec.json")
    env = {name: str(value) for name, value in load(f"{run_dir}/env.json").items()}
    if not spec.get("keep_env"):
        os.unlink(f"{run_dir}/env.json")
    shim = Shim(run_dir, spec)
    runs = shim.start(env)
    say(reply, f"{run_id} {'running' if runs else 'failed'}")
    if runs:
        shim.supervise()


def is_ours(run_dir: str) -> bool:
    """Take the run for this process; False as soon as it stands on record that it was started, or given up, before."""
    lock = os.open(f"{run_dir}/spec.json", os.O_RDONLY)
    deadline = time.monotonic() + RECORD_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except BlockingIOError:
            mine = False  # it has a shim: a server that was killed since had forked it
        if os.path.exists(f"{run_dir}/exit.json") or os.path.exists(f"{run_dir}/procs.json"):
            return False
        if mine:
            return os.fstat(lock).st_nlink > 0  # else it was given up, and another of its id was made
        if time.monotonic() > deadline:
            return False
        time.sleep(LOCK_LOOK_S)  # it records who runs in a moment, or dies and leaves the run to us


def say(reply: int | None, words: str) -> None:
    """Tell the daemon what became of its order."""
    if reply is None:
        return
    try:
        os.write(reply, f"{words}\n".encode())
    except OSError:
        pass  # who asked was killed meanwhile; the run goes on
    os.close(reply)


def guarded(run_dir: str, reply: int | None) -> int:
    """Run and return an exit status; a bug of ours is written to `shim.log` of the run."""
    try:
        run(run_dir, reply)
    except BaseException:  # noqa: BLE001 -- the last words of a process that nobody watches
        import traceback  # noqa: PLC0415 -- costs memory, and is for bugs only

        with open(f"{run_dir}/shim.log", "a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        return 1
    return 0


def serve(root: str) -> None:
    """Fork a shim for each run id that comes in; answers on standard output `ID forked` or `ID error ERRNO`, and the
    shim after it `ID running` or `ID failed`."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps our shims
    gc.disable()
    gc.freeze()  # keeps the collector from touching, and so copying, the pages that all shims share
    reply = os.dup(1)
    rest = b""
    while chunk := os.read(0, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            try:
                pid = os.fork()
            except OSError as exc:
                os.write(reply, line + f" error {exc.errno}\n".encode())
                continue
            if pid == 0:
                os._exit(guarded(f"{root}/{line.decode()}", reply))
            os.write(reply, line + b" forked\n")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    else:
        sys.exit(guarded(os.path.abspath(sys.argv[1]), None))
