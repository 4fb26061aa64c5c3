"""Sessions and trees that tests look at."""

from tests.surfaces.tui.fake_link import FakeLink, Json, node, session, task

ASKED: Json = {
    "approval_id": "ap1",
    "kind": "permission",
    "tool": "Bash",
    "summary": "rm -rf build",
    "input": {"command": "rm -rf build", "description": "make room"},
    "rules": ["allow Bash(rm *) (localSettings)"],
}


def tree() -> list[Json]:
    """A turn that is over with an error in it, and one that works and asks."""
    return [
        task(
            "t1",
            "Add a greeting",
            node("r1", "Read", input_summary="src/auth.py", duration_ms=245),
            node("e1", "Edit", input_summary="src/auth.py", duration_ms=1200),
            node("m1", "query", kind="mcp_call", mcp_server="database", input_summary="users table", duration_ms=890),
            node(
                "b1",
                "Bash",
                input_summary="make test",
                duration_ms=62_000,
                slow=True,
                status="failed",
                error_message="Exit code 2\n1 test failed\n[red]no markup[/red]",
            ),
            duration_ms=70_200,
        ),
        task(
            "t2",
            "Clean up",
            node(
                "a1",
                "security_review",
                node("g1", "Grep", input_summary="password", duration_ms=80),
                kind="subagent",
                description="look for secrets",
                status="running",
                duration_ms=3400,
            ),
            node(
                "b2",
                "Bash",
                node("q1", "Bash", kind="approval", status="waiting", approval_id="ap1", waiting_for="approval"),
                input_summary="rm -rf build",
                status="waiting",
                waiting_for="approval",
                duration_ms=5000,
            ),
            status="running",
            duration_ms=9000,
        ),
    ]


def one_session() -> FakeLink:
    """A session that waits, one that works, one that is over."""
    link = FakeLink()
    link.sessions = [
        session(1, cost_microusd=120_000, active_operations=[{"id": "x", "type": "tool_call", "name": "Bash"}]),
        session(2, waiting_for="Bash: rm -rf build", cost_microusd=55_300, project_path="/home/dev/shop"),
        session(3, status="paused", ours=False),
    ]
    link.past = [session(9, live=False, status="completed", root_task="Long ago", project_path="/home/dev/old")]
    link.trees[link.sessions[1]["id"]] = tree()
    link.trees[link.sessions[0]["id"]] = [task("z1", "Another thing", node("z2", "Write", input_summary="a.txt"))]
    link.approvals["ap1"] = ASKED
    link.details["b1"] = {"input": {"command": "make test"}, "output": "\x1b[31mboom\x1b[0m\nline 2"}
    return link
