from pyd_core.watch.stats import Usage
from pyd_core.watch.usage_series import MAX_COARSE_SAMPLES, MAX_FINE_SAMPLES, Series

SECOND = 10**9


def test_an_hour_takes_no_more_memory_than_a_minute_and_its_peaks_stay():
    series = Series()
    for second in range(5 * 3600):
        busy = second % 1000 == 0
        memory = 900 if busy else 100
        series.add(Usage(time_ns=second * SECOND, cpu_percent=100.0 if busy else 0.0, memory_bytes=memory))
    kept = series.samples()
    assert len(kept) == len(series) <= MAX_FINE_SAMPLES + MAX_COARSE_SAMPLES + 1
    assert kept[-1].time_ns - kept[0].time_ns > 3600 * SECOND
    assert [item.time_ns for item in kept] == sorted(item.time_ns for item in kept)
    coarse = kept[:-MAX_FINE_SAMPLES]
    assert sum(item.memory_bytes == 900 for item in coarse) == 3
    assert max(item.cpu_percent or 0 for item in coarse) == 10.0


def test_a_clock_that_is_set_back_begins_anew():
    series = Series()
    for second in (100, 101, 50, 51):
        series.add(Usage(time_ns=second * SECOND))
    assert [item.time_ns // SECOND for item in series.samples()] == [50, 51]
    assert [item.time_ns // SECOND for item in series.newest(1)] == [51]
