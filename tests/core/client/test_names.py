import pytest

from pyd_core.client.names import pick_container
from pyd_core.errors import Ambiguous, NotFound
from pyd_core.model.container import ContainerSummary

WEB = ContainerSummary(id="ab" + "1" * 62, names=["/web"])
DB = ContainerSummary(id="abc" + "2" * 61, names=["/db", "/web/database"])
HEX = ContainerSummary(id="f" * 64, names=["/ab1"])
ALL = [WEB, DB, HEX]


@pytest.mark.parametrize(
    ("name", "meant"), [("web", WEB), ("/web", WEB), (DB.id, DB), ("abc", DB), ("web/database", DB), ("ab1", HEX)]
)
def test_ids_names_and_beginnings_of_ids_find_their_container(name: str, meant: ContainerSummary):
    assert pick_container(ALL, name) is meant


def test_a_beginning_of_several_ids_lists_them():
    with pytest.raises(Ambiguous) as caught:
        pick_container(ALL, "ab")
    assert caught.value.candidates == ("ab1111111111 (web)", "abc222222222 (db)")
    assert "ab1111111111 (web)" in caught.value.hint


@pytest.mark.parametrize("name", ["wbe", "WEB", "we"])
def test_an_unknown_name_offers_the_nearest(name: str):
    with pytest.raises(NotFound) as caught:
        pick_container(ALL, name)
    assert caught.value.nearest == ("web",)


@pytest.mark.parametrize("name", ["", "/", "zzz\x1b[2J"])
def test_what_is_no_name_finds_nothing(name: str):
    with pytest.raises(NotFound) as caught:
        pick_container(ALL, name)
    assert "\x1b" not in caught.value.message
