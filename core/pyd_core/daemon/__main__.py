"""The engine without a recorder: `python -m pyd_core.daemon`; `pyd_core.embedded` and `pyd daemon` add one."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.config import DEFAULT_ROOT, DEFAULT_RUN, DaemonConfig
from pyd_core.daemon.settings import DEFAULT_SETTINGS
from pyd_core.errors import PydError
from pyd_core.linux.interpreter import drop_relative_search_paths

if TYPE_CHECKING:
    from pyd_core.daemon.serve import SidecarTask


def main(*, sidecar: SidecarTask | None = None) -> int:
    """Parse the command line, run an engine, and return its exit code."""
    parser = argparse.ArgumentParser(prog="pydd", description="The embedded container engine.")
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="images, containers, volumes")
    parser.add_argument("--run", type=Path, default=DEFAULT_RUN, help="sockets and the runtime's state")
    parser.add_argument("--socket", type=Path, help="where to listen; RUN/pyd.sock")
    parser.add_argument("--group", default="", help="who may use the socket besides root; docker, else pyd")
    parser.add_argument("--runtime", default="", help="the OCI runtime")
    parser.add_argument("--subnet", default="", help="IPv4 subnet of the default bridge")
    parser.add_argument("--settings", type=Path, default=DEFAULT_SETTINGS, help="the settings file, JSON")
    parser.add_argument("--idle", type=float, default=0.0, help="stop after so many seconds without work")
    parser.add_argument("--ready-fd", type=int, default=-1, help="write a byte here when listening")
    parser.add_argument("--verbose", action="store_true", help="log more")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request
    options = vars(parser.parse_args())
    logging.basicConfig(level=logging.DEBUG if options.pop("verbose") else logging.INFO, format="pydd: %(message)s")
    return run(DaemonConfig(**options), sidecar=sidecar)


def run(config: DaemonConfig, *, sidecar: SidecarTask | None = None) -> int:
    """Run an engine in the foreground, with an optional sidecar task, and return its exit code."""
    from pyd_core.daemon.serve import serve  # noqa: PLC0415 - after the options are checked

    drop_relative_search_paths()
    os.chdir("/")  # the caller's directory is neither searched nor kept busy
    try:
        asyncio.run(serve(config, sidecar=sidecar))
    except PydError as error:
        print(f"pydd: {error.message}", file=sys.stderr)  # noqa: T201 - the command's own output
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)  # noqa: T201
        return 125
    finally:
        faulthandler.cancel_dump_traceback_later()
    return 0


if __name__ == "__main__":
    sys.exit(main())
