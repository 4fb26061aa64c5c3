"""A restore, in words."""

from collections import Counter
from collections.abc import Iterable

from claude_code_mcp.features.checkpoints.models.replies import FileChange, NotedPath, RestoreReply
from claude_code_mcp.features.checkpoints.rules.paths import shown
from claude_code_mcp.features.checkpoints.service.restoring import RestoreOutcome
from claude_code_mcp.platform.worktrees.plan import Action, Change, Noted

MOST = 200


def told(outcome: RestoreOutcome) -> RestoreReply:
    """Return what a restore did, or would do, as it is answered."""
    order, plan, restored = outcome.order, outcome.plan, outcome.restored
    counts = Counter(change.action for change in plan.changes)
    problems = [] if restored is None else [*restored.rescued, *restored.left, *restored.failed, *restored.wrong]
    foreign = [one.text() for one in outcome.occupants if one not in outcome.stopped]
    return RestoreReply(
        checkpoint_id=order.checkpoint.id,
        project_path=str(order.root),
        dry_run=order.dry_run,
        restored_files=len(plan.changes),
        backup_id=outcome.safety.id if outcome.safety is not None else None,
        changes=[_change(one) for one in plan.changes[:MOST]],
        counts={action.value: counts.get(action, 0) for action in Action},
        conflicts=[shown(path) for path in plan.conflicts[:MOST]],
        executable=_noted(plan.executable),
        kept=_noted(plan.kept),
        blocked=_noted(plan.blocked),
        outside_links=_noted(plan.outside_links),
        problems=_noted(problems),
        occupants=foreign,
        stopped=[one.text() for one in outcome.stopped],
        notes=[f"{len(plan.collisions)} pairs of names differ in case only."] if plan.collisions else [],
    )


def _change(one: Change) -> FileChange:
    return FileChange(
        path=shown(one.path),
        change=one.action.value,
        before_bytes=one.before.size if one.before is not None else None,
        after_bytes=one.after.size if one.after is not None else None,
    )


def _noted(found: Iterable[Noted]) -> list[NotedPath]:
    return [NotedPath(path=shown(one.path), why=one.why) for one in list(found)[:MOST]]
