"""The table of causes and rules, as documentation: `python -m pyd_core.triage.catalogue > docs/reference/triage.md`."""

from __future__ import annotations

import sys

from pyd_core.triage.causes import CAUSES
from pyd_core.triage.causes.pods import SWEPT
from pyd_core.triage.rules import RULES
from pyd_core.triage.rules.pods import POD_RULES

_TITLES = {
    "ending": "Exits, stops and kills",
    "starting": "Failed starts",
    "memory": "Memory",
    "program": "Errors of the program",
    "state": "Present states",
    "engine": "Refusals of the engine",
    "pods": "Pods of a cluster",
}

_HEAD = """# Triage: causes and rules

`pyd triage NAME` collects evidence, applies every rule below, and names one cause: the most specific, and among equals
the one with the highest confidence. The others are listed as contributing. Each unreadable source that a rule needs
reduces its confidence by a quarter. An ambiguous exit code is never enough for a rule to fire, and a container's output
is never evidence of who killed it.

Cause ids are a stable interface: new ones may be added, existing ones are never renamed. This page is generated from
the rules (`python -m pyd_core.triage.catalogue > docs/reference/triage.md`), and a test checks it.
"""


def render() -> str:
    """Return the page as Markdown."""
    rules = (*RULES, *POD_RULES)
    parts = [_HEAD]
    for family, title in _TITLES.items():
        parts.append(f"\n## {title}\n\n| cause | means | what to do |\n|---|---|---|\n")
        causes = [cause for cause in CAUSES.values() if cause.family == family]
        parts += [f"| `{cause.id}` | {_cell(cause.meaning)} | {_cell(cause.remedy)} |\n" for cause in causes]
    parts.append("\n## Rules\n\n| cause | needs | fires when |\n|---|---|---|\n")
    parts += [f"| `{rule.cause}` | {', '.join(rule.needs)} | {_cell(rule.says)} |\n" for rule in rules]
    ruled = {rule.cause for rule in rules}
    swept = [cause.id for cause in SWEPT]
    others = ", ".join(f"`{identity}`" for identity in CAUSES if identity not in {*ruled, *swept})
    parts.append(f"\nOnly concluded from a message (`pyd triage --error`), or when nothing else is known: {others}.\n")
    scanned = ", ".join(f"`{identity}`" for identity in swept)
    parts.append(f"\nOnly found by a scan of a cluster (`pyd triage` without a name): {scanned}.\n")
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render())
