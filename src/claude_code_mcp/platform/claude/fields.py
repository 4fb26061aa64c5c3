"""Fields of decoded JSON read without trust: each getter returns what fits, or nothing, and never raises."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from claude_code_mcp.kernel.clock import parse

_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def text_of(obj: Mapping[str, Any], name: str) -> str:
    """Return the field as text, "" where it is absent or something else."""
    value = obj.get(name)
    return value if isinstance(value, str) else ""


def word_of(obj: Mapping[str, Any], name: str) -> str:
    """Return the field as a short word (an id, a state, a model's name), "" where it cannot be one."""
    value = obj.get(name)
    return value if isinstance(value, str) and len(value) <= 200 and value.isprintable() else ""


def id_of(obj: Mapping[str, Any], name: str) -> str | None:
    """Return the field as an id, None where it is absent, empty or cannot be one."""
    return word_of(obj, name) or None


def int_of(obj: Mapping[str, Any], name: str) -> int | None:
    """Return the field as a whole number that fits 63 bits, None where it is absent or something else."""
    value = obj.get(name)
    if isinstance(value, float) and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        return None
    return value


def float_of(obj: Mapping[str, Any], name: str) -> float | None:
    """Return the field as a finite number, None where it is absent or something else."""
    value = obj.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        return None
    return float(value)


def dict_of(obj: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the field as an object, an empty one where it is absent or something else."""
    value = obj.get(name)
    return value if isinstance(value, dict) else {}


def dicts_of(obj: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in the field's list, none where it is absent or something else."""
    value = obj.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words_of(obj: Mapping[str, Any], name: str, limit: int = 200) -> tuple[str, ...]:
    """Return the short words in the field's list, at most `limit` of them."""
    value = obj.get(name)
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value[:limit] if isinstance(item, str) and len(item) <= 200 and item.isprintable())


def time_of(obj: Mapping[str, Any], name: str) -> datetime | None:
    """Return the field as a time between 2020 and 2100, None where it is absent or something else."""
    value = obj.get(name)
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = parse(value)
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def path_of(obj: Mapping[str, Any], name: str) -> str:
    """Return the field as a path or another single line of up to 4096 characters, "" where it cannot be one."""
    value = obj.get(name)
    return value if isinstance(value, str) and len(value) <= 4096 and value.isprintable() else ""
