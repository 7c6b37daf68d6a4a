"""Platforms whose programs run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.buildkit.proto.ops_pb2 import Platform
from pyd_core.daemon.build.solver.emulation import check_runnable, runnable_platforms
from pyd_core.dockerfile.platforms import host_platform
from pyd_core.errors import Unsupported

FOREIGN = Platform(OS="linux", Architecture="s390x")


def _register(directory: Path, *lines: str) -> None:
    (directory / "qemu-s390x").write_text("\n".join([*lines, "magic 7f454c46", ""]))


def test_a_foreign_step_is_refused_with_what_would_help(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"RUN make: this machine runs no linux/s390x programs") as refused:
        check_runnable(FOREIGN, "RUN make", tmp_path)
    assert "binfmt_misc" in refused.value.hint
    assert refused.value.reference == "platform-not-runnable"


def test_an_emulator_that_works_in_other_roots_runs_it(tmp_path: Path) -> None:
    _register(tmp_path, "enabled", "interpreter /usr/bin/qemu-s390x-static", "flags: OCF")
    check_runnable(FOREIGN, "RUN make", tmp_path)
    assert [str(platform) for platform in runnable_platforms(tmp_path)][-1] == "linux/s390x"


@pytest.mark.parametrize("lines", [("disabled", "flags: F"), ("enabled", "flags: OC"), ("enabled",)])
def test_an_emulator_that_is_off_or_not_preloaded_does_not(tmp_path: Path, lines: tuple[str, ...]) -> None:
    _register(tmp_path, *lines)
    with pytest.raises(Unsupported):
        check_runnable(FOREIGN, "RUN make", tmp_path)


def test_the_own_platform_always_runs(tmp_path: Path) -> None:
    own = host_platform()
    check_runnable(Platform(OS=own.os, Architecture=own.architecture, Variant="v3"), "RUN true", tmp_path)
    check_runnable(Platform(), "RUN true", tmp_path)
