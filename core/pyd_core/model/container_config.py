"""Portable part of a container's configuration, which images have too."""

from __future__ import annotations

from typing import ClassVar

from pyd_core.model.base import ApiStruct


class HealthConfig(ApiStruct):
    """Settings of a health check."""

    SPEC: ClassVar[str] = "HealthConfig"

    test: list[str] = []
    """`["NONE"]`, `["CMD", …]` or `["CMD-SHELL", LINE]`; empty inherits the image's."""
    interval: int = 0
    """Nanoseconds, like the times below."""
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class ContainerConfig(ApiStruct):
    """Portable part of a container's configuration, merged from image and request."""

    SPEC: ClassVar[str] = "ContainerConfig"

    hostname: str = ""
    domainname: str = ""
    user: str = ""
    """`name`, `uid`, `name:group` or `uid:gid`; empty is root."""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    exposed_ports: dict[str, dict[str, str]] = {}
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: list[str] = []
    """`NAME=VALUE`, in order."""
    cmd: list[str] | None = None
    healthcheck: HealthConfig | None = None
    image: str = ""
    volumes: dict[str, dict[str, str]] = {}
    working_dir: str = ""
    entrypoint: list[str] | str | None = None
    on_build: list[str] | None = None
    """Instructions for builds from this image, run first."""
    shell: list[str] | None = None
    """Shell for the shell form of a Dockerfile's instructions; None is `/bin/sh -c`."""
    labels: dict[str, str] = {}
    stop_signal: str | None = None
    stop_timeout: int | None = None
    """Seconds."""
