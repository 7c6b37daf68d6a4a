"""The attestations of one build's images."""

from __future__ import annotations

import time

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.exporters.attestation_options import SLSA_V1, ProvenanceOptions
from pyd_core.daemon.build.exporters.provenance import MAX_PROVENANCE_BYTES, BuildFacts, provenance
from pyd_core.daemon.build.interfaces import ExportRequest
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.images.attestations import PROVENANCE_TYPE, PROVENANCE_V1_TYPE
from pyd_core.daemon.images.manifests import platform_text_of
from pyd_core.dockerfile.platforms import host_platform
from pyd_core.errors import InvalidInput


class Attester:
    """Makes the provenance of each image of a build.

    Args:
        request: The build's exports.
        options: What the client asks for.
    """

    def __init__(self, request: ExportRequest, options: ProvenanceOptions) -> None:
        self._request = request
        self.options = options
        self._finished_ns = time.time_ns()

    @property
    def is_inline_only(self) -> bool:
        """Whether only image indexes get attestations."""
        return self.options.is_inline_only

    @property
    def predicate_type(self) -> str:
        """The type of the predicates."""
        return PROVENANCE_V1_TYPE if self.options.version == SLSA_V1 else PROVENANCE_TYPE

    def predicate(
        self, platform: str, ref: SolvedRef | None, definition: ops_pb2.Definition | None, config: bytes
    ) -> bytes:
        """Return the provenance of an image as JSON.

        Raises:
            InvalidInput: It is too large to be kept.
        """
        facts = BuildFacts(
            definition=definition,
            identities=ref.sources if ref is not None else {},
            platform=platform or (platform_text_of(config) if config else str(host_platform())),
            frontend=self._request.frontend,
            attributes=self._request.frontend_attrs,
            build_id=self._request.build_id,
            started_ns=self._request.started_ns,
            finished_ns=self._finished_ns,
        )
        body = provenance(facts, self.options)
        if len(body) > MAX_PROVENANCE_BYTES:
            raise InvalidInput(
                f"the provenance is larger than {MAX_PROVENANCE_BYTES >> 20} MiB", hint="ask for --provenance=mode=min"
            )
        return body
