"""Settings of a swarm: the options of `pyd swarm init` and `update`, and its spec."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from pyd_core.gosyntax.durations import parse_duration

PORT = 2377
"""The port on which managers listen (docker/cli, `swarm/opts.go`)."""

advertise_option = click.option(
    "--advertise-addr",
    "advertise",
    default="",
    metavar="ADDRESS[:PORT]",
    help="Address that other nodes use to reach this one.",
)
listen_option = click.option(
    "--listen-addr",
    "listen",
    default=f"0.0.0.0:{PORT}",
    metavar="ADDRESS[:PORT]",
    help="Address to listen on.",
)


class SwarmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings given on the command line; None and empty ones stay as they are."""

    autolock: bool | None
    task_history_limit: int | None
    cert_expiry: str | None
    heartbeat: str | None

    def apply(self, spec: dict[str, Any]) -> None:
        """Write the settings into a swarm's spec, in place (Engine API, `SwarmSpec`)."""
        if self.autolock is not None:
            spec.setdefault("EncryptionConfig", {})["AutoLockManagers"] = self.autolock
        if self.task_history_limit is not None:
            spec.setdefault("Orchestration", {})["TaskHistoryRetentionLimit"] = self.task_history_limit
        if self.cert_expiry:
            spec.setdefault("CAConfig", {})["NodeCertExpiry"] = parse_duration(self.cert_expiry)
        if self.heartbeat:
            spec.setdefault("Dispatcher", {})["HeartbeatPeriod"] = parse_duration(self.heartbeat)
