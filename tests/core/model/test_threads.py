from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
sys.setswitchinterval(1e-6)
from pyd_core.model.base import decode
from pyd_core.model.container import Container, ContainerSummary
from pyd_core.model.network import Network
from pyd_core.model.system import Version
begin = threading.Barrier(8)
def work():
    begin.wait()
    for kind in (Version, Container, Network):
        decode(b'{"Id":"a"}', kind)
    decode(b'[{"Id":"a"}]', list[ContainerSummary])
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_threads_that_decode_a_new_type_at_once_do_not_crash() -> None:
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", SCRIPT], check=False).returncode == 0
