"""The table of causes and rules, as documentation: `python -m pyd_core.triage.catalogue > docs/reference/triage.md`."""

from __future__ import annotations

import sys

from pyd_core.triage.causes import CAUSES
from pyd_core.triage.rules import RULES

_TITLES = {
    "ending": "How it ended",
    "starting": "Why it could not start",
    "memory": "Memory",
    "program": "What the program ran into",
    "state": "What state it is in",
    "engine": "What an engine refused",
}

_HEAD = """# Triage: causes and rules

`pyd triage NAME` collects evidence, lets every rule below look at it, and names the best supported cause. A more
specific cause wins over a better proven vague one; the rest is listed as contributing. Each source a rule needs and
that couldn't be read takes a quarter of its confidence. No rule fires on an exit code alone where the code has
several meanings, and what a container prints is never evidence of who killed it.

Cause ids are part of the interface: they are added to, never renamed. This page is generated from the rules
(`python -m pyd_core.triage.catalogue > docs/reference/triage.md`), and a test holds it to them.
"""


def render() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for family, title in _TITLES.items():
        parts.append(f"\n## {title}\n\n| cause | means | what to do |\n|---|---|---|\n")
        causes = [cause for cause in CAUSES.values() if cause.family == family]
        parts += [f"| `{cause.id}` | {_cell(cause.meaning)} | {_cell(cause.remedy)} |\n" for cause in causes]
    parts.append("\n## Rules\n\n| cause | needs | fires when |\n|---|---|---|\n")
    parts += [f"| `{rule.cause}` | {', '.join(rule.needs)} | {_cell(rule.says)} |\n" for rule in RULES]
    ruled = {rule.cause for rule in RULES}
    others = ", ".join(f"`{identity}`" for identity in CAUSES if identity not in ruled)
    parts.append(f"\nOnly concluded from a message (`pyd triage --error`), or when nothing else is known: {others}.\n")
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render())
