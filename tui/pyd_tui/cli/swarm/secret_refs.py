"""References from services to secrets and configs: `--secret` and `--config`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient

Kind = Literal["Secret", "Config"]
"""As the Engine API writes it."""

_FIELDS = {"source", "src", "target", "uid", "gid", "mode"}


async def add_references(
    engine: EngineClient, spec: dict[str, Any], *, secrets: Sequence[str], configs: Sequence[str]
) -> None:
    """Write references into a spec, in place; the engine needs ids besides names.

    Raises:
        InvalidInput: An option is malformed.
        NotFound: The secret or config doesn't exist.
    """
    container = spec["TaskTemplate"]["ContainerSpec"]
    if secrets:
        container["Secrets"] = await references(engine, "Secret", secrets)
    if configs:
        container["Configs"] = await references(engine, "Config", configs)


async def references(engine: EngineClient, kind: Kind, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return the references to secrets or configs for a task's spec.

    Raises:
        InvalidInput: An option is malformed.
        NotFound: The secret or config doesn't exist.
    """
    entries: list[dict[str, Any]] = []
    for text in texts:
        name, file = _parse(text, kind)
        secret = await (engine.secrets if kind == "Secret" else engine.configs).inspect(name)
        entries.append({f"{kind}ID": secret.id, f"{kind}Name": secret.spec.name, "File": file})
    return entries


def _parse(text: str, kind: str) -> tuple[str, dict[str, Any]]:
    """Parse `NAME` or `source=NAME,target=FILE,uid=0,gid=0,mode=0440`; secrets are mounted in /run/secrets."""
    written = text if "=" in text else f"source={text}"
    fields = {key: value for key, _, value in (part.partition("=") for part in written.split(","))}
    name = fields.get("source") or fields.get("src", "")
    if not name or set(fields) - _FIELDS:
        raise InvalidInput(f"can't read --{kind.lower()} {safe(text)!r}", hint="NAME, or source=NAME,target=FILE")
    try:
        mode = int(fields.get("mode", "0444"), 8)
    except ValueError:
        raise InvalidInput(f"not an octal mode: {safe(fields['mode'])!r}") from None
    target = fields.get("target") or (name if kind == "Secret" else f"/{name}")
    return name, {"Name": target, "UID": fields.get("uid", "0"), "GID": fields.get("gid", "0"), "Mode": mode}
