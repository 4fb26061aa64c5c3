"""The newest release of Claude Code, asked of whatever npm registry this machine uses; no registry is built in."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.asking import ask
from claude_code_mcp.platform.claude.binaries import version_key
from claude_code_mcp.platform.claude.places import search_path
from claude_code_mcp.platform.claude.redaction import redact

PACKAGE = "@anthropic-ai%2fclaude-code"
"""The package's name as one path segment, as npm's registry API wants a scoped name."""
_SCOPE = "@anthropic-ai:registry"
_NPM_S = 5.0
_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest release, or why it is not known.

    `version`: the newest, None where it is not known. `registry`: who was asked, without credentials, "" where
    there was nobody to ask. `problem`: what went wrong, "" where nothing did.
    """

    version: str | None
    registry: str = ""
    problem: str = ""


async def latest_version(env: Mapping[str, str], *, registry: str | None = None, timeout_s: float = 5) -> Latest:
    """Ask for the newest release; never raises, whatever the network does.

    `env` is the client's. The registry is `registry` where given, else that of `npm_config_registry`, of
    `~/.npmrc`, or what `npm config get registry` says. `timeout_s` bounds the whole question.
    """
    try:
        async with asyncio.timeout(timeout_s):
            url = registry or await registry_url(env)
            if url is None:
                return Latest(None, problem="no npm registry is configured, and there is no npm to ask for one")
            return await _ask(url, env, timeout_s)
    except TimeoutError:
        return Latest(None, redact(registry or ""), f"no answer within {timeout_s:g} s")


def newer(latest: str, than: str) -> bool:
    """Tell whether release `latest` is newer."""
    return version_key(latest) > version_key(than)


async def registry_url(env: Mapping[str, str]) -> str | None:
    """Return the npm registry that a client with `env` uses, None where none is known."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if env.get(name):
            return env[name]
    home = env.get("HOME")
    if home:
        kept = await asyncio.to_thread(_of_npmrc, Path(env.get("NPM_CONFIG_USERCONFIG") or Path(home) / ".npmrc"))
        if kept:
            return kept
    return await _of_npm(env)


def _of_npmrc(path: Path) -> str | None:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return None
    values = {}
    for line in lines:
        name, separator, value = line.partition("=")
        if separator and not name.lstrip().startswith(("#", ";")):
            values[name.strip()] = value.strip().strip("\"'")
    return values.get(_SCOPE) or values.get("registry")


async def _of_npm(env: Mapping[str, str]) -> str | None:
    # Not in the project, whose .npmrc is not the user's.
    clean = {name: env[name] for name in ("PATH", "HOME", "LANG") if name in env}
    npm = next((path for directory in search_path(env) if (path := directory / "npm").exists()), None)
    if npm is None:
        return None
    try:
        said = await ask([npm, "config", "get", "registry"], clean, _NPM_S)
    except OSError:
        return None
    lines = [line.strip() for line in said.text.splitlines()] if said.code == 0 else []
    return next((line for line in lines if line.startswith(("http://", "https://"))), None)


async def _ask(registry: str, env: Mapping[str, str], timeout_s: float) -> Latest:
    shown = redact(one_line(registry, 200))
    url = f"{registry.rstrip('/')}/{PACKAGE}/latest"
    try:
        parts = urlsplit(registry)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return Latest(None, shown, "this is no address of a registry")
        async with (
            httpx2.AsyncClient(
                timeout=timeout_s,
                follow_redirects=True,
                max_redirects=3,
                trust_env=False,
                proxy=_proxy(parts.scheme, parts.hostname, env),
                verify=_certificates(env),
            ) as client,
            client.stream("GET", url, headers={"accept": "application/json"}) as response,
        ):
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > _BODY_BYTES:
                    return Latest(None, shown, "the registry's answer is too long")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as exc:
        reason = str(exc) or type(exc).__name__
        return Latest(None, shown, redact(one_line(f"the registry cannot be reached: {reason}", 200)))
    if response.status_code != 200:
        return Latest(None, shown, f"the registry answered with status {response.status_code}")
    return _told(body, shown)


def _told(body: bytes, shown: str) -> Latest:
    try:
        version = msgspec.json.decode(body)["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        version = None
    if not isinstance(version, str) or len(version_key(version)) != 3 or len(version) > 60:
        return Latest(None, shown, "the registry's answer names no version")
    return Latest(one_line(version, 60), shown)


def _proxy(scheme: str, host: str, env: Mapping[str, str]) -> str | None:
    def value(name: str) -> str:
        return env.get(name.lower()) or env.get(name.upper()) or ""

    for entry in value("no_proxy").split(","):
        name = entry.strip().lstrip("*.").partition(":")[0]
        if entry.strip() == "*" or (name and (host == name or host.endswith(f".{name}"))):
            return None
    return value(f"{scheme}_proxy") or value("all_proxy") or None


def _certificates(env: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
        if env.get(name):
            with contextlib.suppress(OSError, ssl.SSLError):
                context.load_verify_locations(env[name])
    return context
