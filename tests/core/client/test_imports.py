import subprocess
import sys

import pytest


def loaded_by(*modules: str) -> set[str]:
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("heavy", ["asyncio", "httpx", "httpcore", "anyio", "ssl", "hashlib", "subprocess"])
def test_the_way_one_shot_commands_take_loads_nothing_heavy(heavy: str):
    way = ("engine_client", "engine_choice", "names", "frames", "transport.blocking")
    assert heavy not in loaded_by(*(f"pyd_core.client.{module}" for module in way))


def test_httpx_is_loaded_without_its_command_line():
    assert not {"rich", "click", "pygments"} & loaded_by("pyd_core.client.transport.http")


def test_a_local_engine_is_opened_without_httpx():
    assert "httpx" not in loaded_by(
        "pyd_core.client.connect", "pyd_core.watch.container_watcher", "pyd_core.watch.stats_collector"
    )
