"""The front end as an engine runs it: attributes in, definitions and configurations out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from pyd_core.buildkit.frontend.checking import check_source, refuse_findings, warning_message
from pyd_core.buildkit.frontend.compiler import CompiledBuild, DockerfileSource, compile_dockerfile
from pyd_core.buildkit.frontend.loading import load_dockerfile
from pyd_core.buildkit.frontend.options import FrontendOptions, parse_options
from pyd_core.buildkit.frontend.services import FrontendServices
from pyd_core.buildkit.frontend.subrequests import answer_subrequest
from pyd_core.buildkit.proto import control_pb2, ops_pb2
from pyd_core.dockerfile.checks.finding import Finding
from pyd_core.dockerfile.directives import is_built_in_syntax, requested_syntax
from pyd_core.errors import Unsupported


class FrontendOutcome(msgspec.Struct, kw_only=True):
    """Outcome of the front end."""

    options: FrontendOptions
    source: DockerfileSource
    builds: list[CompiledBuild] = []
    """A build for each platform; none for a subrequest, whose result has only metadata."""
    findings: list[Finding] = []
    """Findings of the checks."""
    metadata: dict[str, bytes] = {}
    """The result's metadata, such as `containerimage.config`."""

    @property
    def ref_names(self) -> list[str]:
        """Names under which the results of builds are returned: platforms, or one empty text; none for a subrequest."""
        return [build.platform_id if self.options.is_multi_platform else "" for build in self.builds]

    def warnings(self) -> list[control_pb2.VertexWarning]:
        """Return the findings as warnings of the step that loaded the Dockerfile."""
        definition = self.source.definition
        ops = [] if definition is None else getattr(definition, "def")
        vertex = ops_pb2.Op.FromString(ops[-1]).inputs[0].digest if ops else ""
        return [warning_message(finding, vertex=vertex, source=self.source) for finding in self.findings]


async def run_frontend(
    attributes: Mapping[str, str], services: FrontendServices, *, session: str, build_platform: str = ""
) -> FrontendOutcome:
    """Run the front end.

    Args:
        attributes: `FrontendAttrs` of the request.
        services: The engine's services.
        session: Id of the client's session.
        build_platform: The engine's platform; empty means this machine's.

    Raises:
        DockerfileError: The Dockerfile can't be read or built.
        InvalidInput: An attribute is malformed.
        NotFound: There is no such Dockerfile.
        Unsupported: The Dockerfile or the client requests another front end.
    """
    options = parse_options(attributes, session=session, build_platform=build_platform)
    source = await load_dockerfile(options, services)
    if not options.is_syntax_resolved:
        _check_syntax(options, source)
    if options.request:
        metadata = await answer_subrequest(options.request, source, options, services)
        return FrontendOutcome(options=options, source=source, metadata=metadata)
    builds = await compile_dockerfile(source, options=options, services=services)
    findings, check_options = await asyncio.to_thread(check_source, source, options, builds[0].base_facts)
    refuse_findings(findings, check_options)
    return FrontendOutcome(
        options=options, source=source, builds=builds, findings=findings, metadata=_metadata(options, builds)
    )


def _check_syntax(options: FrontendOptions, source: DockerfileSource) -> None:
    syntax, span = options.syntax, None
    if not syntax:
        syntax, span = requested_syntax(source.text)
    if not syntax or is_built_in_syntax(syntax):
        return
    where = f"{source.filename}:{span.start}: " if span is not None else ""
    raise Unsupported(
        f"{where}the front end {syntax.split(' ')[0][:200]!r} is not served: only docker/dockerfile is built in",
        hint="remove the syntax line, or build on Docker Engine",
        reference="unknown-frontend",
    )


def _metadata(options: FrontendOptions, builds: list[CompiledBuild]) -> dict[str, bytes]:
    metadata: dict[str, bytes] = {}
    platforms = []
    for build in builds:
        suffix = f"/{build.platform_id}" if options.is_multi_platform else ""
        metadata[f"containerimage.config{suffix}"] = build.config
        if build.base_config:
            metadata[f"containerimage.base.config{suffix}"] = build.base_config
        platform = {"architecture": build.platform.architecture, "os": build.platform.os}
        if build.platform.variant:
            platform["variant"] = build.platform.variant
        platforms.append({"ID": build.platform_id, "Platform": platform})
    if options.is_multi_platform or options.target_platforms:
        metadata["refs.platforms"] = msgspec.json.encode({"Platforms": platforms})
    return metadata
