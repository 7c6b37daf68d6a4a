from pathlib import Path

from support.docker import Docker


def test_a_run_leaves_nothing_on_the_engine(distroless: str, sleeper: Path):
    with Docker() as corner:
        name = corner.run("one", corner.image("img", {"app": sleeper}, 'CMD ["/app"]'))
        assert corner.inspect(name)["State"]["Running"]
    assert corner("ps", "-aq", "--filter", f"name={corner.prefix}") == ""
    assert corner("images", "-q", "--filter", f"reference={corner.prefix}*") == ""
