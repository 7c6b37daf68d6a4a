"""Exec operations: a command, its mounts, secrets and agents."""

from __future__ import annotations

from pyd_core.buildkit.llb.vertex import NO_INPUT, NO_OUTPUT, GraphVertex, InputList, VertexOutput
from pyd_core.buildkit.proto import ops_pb2

ROOT = "/"


class ExecOpBuilder:
    """Exec operation under construction.

    Args:
        root: The root file system; None is an empty one.
        meta: Command, environment and so on.
    """

    def __init__(self, root: VertexOutput | None, meta: ops_pb2.Meta) -> None:
        self.meta = meta
        self.network: ops_pb2.NetMode.ValueType = ops_pb2.UNSET
        self.security: ops_pb2.SecurityMode.ValueType = ops_pb2.SANDBOX
        self.devices: list[ops_pb2.CDIDevice] = []
        self._mounts: list[tuple[ops_pb2.Mount, VertexOutput | None]] = [(ops_pb2.Mount(dest=ROOT), root)]
        self._secrets: list[ops_pb2.Mount] = []
        self._secret_variables: list[ops_pb2.SecretEnv] = []
        self._agents: list[ops_pb2.Mount] = []

    def mount(self, mount: ops_pb2.Mount, source: VertexOutput | None = None) -> None:
        """Add a mount; its input and output indexes are set later."""
        self._mounts.append((mount, source))

    def secret(self, mount: ops_pb2.Mount) -> None:
        """Add a secret as a file."""
        self._secrets.append(mount)

    def secret_variable(self, variable: ops_pb2.SecretEnv) -> None:
        """Add a secret as an environment variable."""
        self._secret_variables.append(variable)

    def agent(self, mount: ops_pb2.Mount) -> None:
        """Add the socket of an SSH agent; the first sets `SSH_AUTH_SOCK`."""
        if not mount.dest:
            mount.dest = f"/run/buildkit/ssh_agent.{len(self._agents)}"
        self._agents.append(mount)

    def build(
        self, *, platform: ops_pb2.Platform, metadata: ops_pb2.OpMetadata | None = None,
        lines: tuple[int, int] | None = None,
    ) -> VertexOutput:  # fmt: skip
        """Return the root file system after the command."""
        inputs = InputList()
        mounts: list[ops_pb2.Mount] = []
        next_output = 0
        root_output = 0
        for mount, source in sorted(self._mounts, key=lambda item: item[0].dest):
            mount.input = inputs.add(source)
            has_output = mount.mountType == ops_pb2.BIND and not mount.readonly and mount.output != NO_OUTPUT
            mount.output = next_output if has_output else NO_OUTPUT
            if mount.dest == ROOT:
                root_output = next_output
            next_output += has_output
            mounts.append(mount)
        for mount in (*self._secrets, *self._agents):
            mount.input = NO_INPUT
            mounts.append(mount)
        if self._agents and not any(variable.startswith("SSH_AUTH_SOCK=") for variable in self.meta.env):
            self.meta.env.append(f"SSH_AUTH_SOCK={self._agents[0].dest}")
        op = ops_pb2.Op(
            exec=ops_pb2.ExecOp(
                meta=self.meta, mounts=mounts, network=self.network, security=self.security,
                secretenv=self._secret_variables, cdiDevices=self.devices,
            ),
            platform=platform,
        )  # fmt: skip
        return VertexOutput(GraphVertex(op, inputs.outputs, metadata=metadata, lines=lines), root_output)
