from pyd_core.watch.history_store import Point
from pyd_core.watch.point_buffer import MAX_GAP_S, PointBuffer
from pyd_core.watch.stats import Usage

SECOND = 10**9


def usage(second: int, cpu: float | None = 0.0, memory: int | None = 4096) -> Usage:
    return Usage(time_ns=second * SECOND, cpu_percent=cpu, memory_bytes=memory)


def test_a_container_that_does_nothing_gets_few_points():
    buffer = PointBuffer()
    for second in range(3 * MAX_GAP_S):
        buffer.add("idle", usage(second))
    assert [point.time for point in buffer.take()] == [0, MAX_GAP_S, 2 * MAX_GAP_S]
    assert buffer.take() == []


def test_every_change_is_a_point():
    buffer = PointBuffer()
    uses = [(0.0, 4096), (0.0, 8192), (1.5, 8192), (None, 8192), (1.5, None)]
    for second, (cpu, memory) in enumerate(uses):
        buffer.add("busy", usage(second, cpu, memory))
    assert len(buffer) == len(uses)
    assert buffer.take()[2:] == [Point(2, "busy", 15, 8), Point(3, "busy", None, 8), Point(4, "busy", 15, None)]


def test_a_clock_set_back_and_a_new_container_of_the_same_id_start_again():
    buffer = PointBuffer()
    buffer.add("web", usage(100))
    buffer.add("web", usage(50))
    buffer.forget("web")
    buffer.add("web", usage(51))
    assert [point.time for point in buffer.take()] == [100, 50, 51]


def test_the_moment_of_a_full_limit_is_always_a_point():
    buffer = PointBuffer()
    buffer.add("web", usage(7))
    buffer.add_limit("web", 7 * SECOND, 16 << 20)
    assert buffer.take()[1] == Point(7, "web", None, 16 << 10)
