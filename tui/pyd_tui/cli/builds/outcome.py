"""A finished build as JSON."""

from __future__ import annotations

from typing import Any

from pyd_tui.cli.builds.buildkit_run import BuildOutcome
from pyd_tui.console.builds.stages import locate


def outcome_document(outcome: BuildOutcome) -> dict[str, Any]:
    """Return the document of `pyd build --json`; `Metadata` is that of `--metadata-file`."""
    return {
        "Id": outcome.result.image_id,
        "Tags": list(outcome.tags),
        "Reference": outcome.result.reference,
        "DurationSeconds": round(outcome.elapsed, 3),
        "Steps": [
            {
                "Name": placed.text,
                "Stage": placed.stage,
                "Digest": placed.step.digest,
                "Cached": placed.step.cached,
                "DurationSeconds": round(placed.step.duration(0), 3),
            }
            for placed in map(locate, outcome.progress.steps.values())
        ],
        "Warnings": [
            {"Message": warning.message, "File": warning.filename, "Line": warning.line, "Url": warning.url}
            for warning in outcome.progress.warnings
        ],
        "Metadata": {**outcome.result.metadata, "buildx.build.ref": outcome.result.reference},
    }
