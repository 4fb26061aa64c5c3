"""Which tools a connection is shown: chosen once, by the user's configuration, never by the conversation.

`full` is everything, `readonly` what changes nothing, a feature's name is that feature, `core` a handful of tools
and a way to find the others. `toolsets` names features: `core` and a feature's profile show these too, `full` and
`readonly` show only these. An operation may also be called otherwise in a profile made for it, as a drop-in for another
server is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.operation import Catalog, Effect, Operation, Surface
from claude_code_mcp.surfaces.mcp.call import STREAM_METHOD, STREAM_VENDOR_METHOD


class UnknownProfile(Invalid):
    """No such set of tools."""

    code = "unknown_profile"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What the user wants of one connection (`serve --profile … --toolsets … --stream`)."""

    profile: str = "core"
    toolsets: tuple[str, ...] = ()
    stream: bool = False
    stream_method: str = STREAM_METHOD

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return the options of a hello; `stream` is a bool, or the name to send the notifications under."""
        profile, toolsets, stream = options.get("profile"), options.get("toolsets"), options.get("stream")
        names = toolsets.split(",") if isinstance(toolsets, str) else toolsets
        return cls(
            profile=profile if isinstance(profile, str) and profile else "core",
            toolsets=tuple(sorted({str(name).strip() for name in names or () if str(name).strip()})),
            stream=bool(stream),
            stream_method=STREAM_VENDOR_METHOD if stream == STREAM_VENDOR_METHOD else STREAM_METHOD,
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """The operations to show, and those to find by search."""

    shown: Sequence[Operation]
    found: Sequence[Operation] = ()


def select(catalog: Catalog, options: ConnectionOptions) -> Selection:
    """Return what `options` choose, in the order of declaration.

    Raises:
        UnknownProfile: a profile or a toolset is neither a known word nor a feature.
    """
    operations = catalog.on(Surface.MCP)
    features = {op.feature for op in operations}
    unknown = [name for name in options.toolsets if name not in features]
    made_for = {name for op in operations for name in op.hints.profiles}
    if unknown or options.profile not in features | made_for | {"core", "full", "readonly"}:
        raise UnknownProfile(
            f"{(unknown or [options.profile])[0]!r} names no tools.",
            remedy=f"Profiles: core, full, readonly, {', '.join(sorted(features | made_for))}; toolsets: features.",
        )
    chosen = set(options.toolsets)
    if options.profile in made_for:
        return Selection([*_renamed(operations, options.profile), *(op for op in operations if op.feature in chosen)])
    match options.profile:
        case "full":
            return Selection([op for op in operations if not chosen or op.feature in chosen])
        case "readonly":
            reads = [op for op in operations if op.effect is Effect.READ]
            return Selection([op for op in reads if not chosen or op.feature in chosen])
        case "core":
            shown = [op for op in operations if op.hints.core or op.feature in chosen]
            return Selection(shown, [op for op in operations if op not in shown])
        case feature:
            return Selection([op for op in operations if op.feature == feature or op.feature in chosen])


def _renamed(operations: Sequence[Operation], profile: str) -> list[Operation]:
    """Return the operations of a profile under the names that they have there; its clients read fields."""
    found = [op for op in operations if profile in op.hints.profiles]
    return [
        replace(op, tool=op.hints.profiles[profile], hints=replace(op.hints, structured=True, announced=False))
        for op in found
    ]
