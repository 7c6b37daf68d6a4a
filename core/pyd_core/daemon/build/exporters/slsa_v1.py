"""The layout of SLSA v1 (slsa.dev/provenance/v1), as BuildKit 0.23 and later fill it, from a predicate of v0.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BUILD_TYPE_V1 = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"


def as_slsa_v1(predicate: Mapping[str, Any], own_metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return a predicate in the layout of v1.

    Args:
        predicate: The predicate in the layout of v0.2.
        own_metadata: BuildKit's part of its metadata.
    """
    invocation, metadata = predicate["invocation"], predicate["metadata"]
    source = dict(invocation["configSource"])
    if "entryPoint" in source:
        source["path"] = source.pop("entryPoint")
    internal: dict[str, Any] = {"builderPlatform": invocation["environment"]["platform"]}
    if "buildConfig" in predicate:
        internal["buildConfig"] = predicate["buildConfig"]
    completeness = metadata["completeness"]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE_V1,
            "externalParameters": {"configSource": source, "request": invocation["parameters"]},
            "internalParameters": internal,
            "resolvedDependencies": predicate["materials"],
        },
        "runDetails": {
            "builder": predicate["builder"],
            "metadata": {
                "invocationId": metadata["buildInvocationID"],
                "startedOn": metadata["buildStartedOn"],
                "finishedOn": metadata["buildFinishedOn"],
                "buildkit_metadata": own_metadata,
                "buildkit_completeness": {
                    "request": completeness["parameters"],
                    "resolvedDependencies": completeness["materials"],
                },
                **({"buildkit_reproducible": True} if metadata["reproducible"] else {}),
            },
        },
    }
