import pytest

from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.render.containers import is_broken, may_be_broken


@pytest.mark.parametrize(
    ("container", "judged"),
    [
        (ContainerInfo(id="1", name="a", state="exited", exit_code=0), False),
        (ContainerInfo(id="1", name="a", state="running"), False),
        (ContainerInfo(id="1", name="a", state="created"), False),
        (ContainerInfo(id="1", name="a", state="paused"), False),
        (ContainerInfo(id="1", name="a", state="exited", exit_code=0, oom_killed=True), True),
        (ContainerInfo(id="1", name="a", state="running", oom_ns=5), True),
        (ContainerInfo(id="1", name="a", state="exited", exit_code=143), True),
        (ContainerInfo(id="1", name="a", state="running", restart_count=3), True),
    ],
)
def test_triage_is_asked_about_what_the_state_leaves_open_and_the_guess_stays_calm(
    container: ContainerInfo, judged: bool
):
    assert may_be_broken(container) is judged
    assert not is_broken(container)
