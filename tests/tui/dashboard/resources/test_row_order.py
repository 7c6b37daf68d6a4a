from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import cell
from pyd_tui.dashboard.resources.base import Row
from pyd_tui.dashboard.resources.row_order import RowOrder

COLUMNS = tuple(LayoutColumn(key=key, title=key.upper(), min_width=4, max_width=9, priority=0) for key in ("name", "x"))


def names(order: RowOrder, **values: str) -> list[str]:
    rows = [Row(key=name, name=name, cells=(cell(name), cell(text)), thing=None) for name, text in values.items()]
    return [row.name for row in order.apply(rows, COLUMNS)]


def test_sizes_are_ordered_by_bytes_the_largest_first_and_unknown_ones_last():
    values = {"a": "812B", "b": "1.5G", "c": "", "d": "4.2K", "e": "37M"}
    assert names(RowOrder("x"), **values) == ["b", "e", "d", "a", "c"]
    assert names(RowOrder("x", reverse=True), **values) == ["a", "d", "e", "b", "c"]


def test_ages_are_ordered_by_length_the_youngest_first():
    assert names(RowOrder("x"), a="3h", b="<1m", c="12d", d="47h", e="8w") == ["b", "a", "d", "c", "e"]


def test_texts_are_ordered_from_a_whatever_the_case_and_names_that_start_with_digits_are_no_sizes():
    assert names(RowOrder("x"), a="web", b="API", c="db") == ["b", "c", "a"]
    assert names(RowOrder("x"), a="9f8c3", b="10ab", c="1bcd") == ["b", "c", "a"]


def test_numbers_of_a_row_come_before_its_text():
    rows = [
        Row(key=name, name=name, cells=(cell(name), cell(text)), thing=None, ranks={"x": rank})
        for name, text, rank in (("a", "14:02:11", 5.0), ("b", "3 Nov", 2.0), ("c", "09:00:00", 4.0))
    ]
    assert [row.name for row in RowOrder("x").apply(rows, COLUMNS)] == ["a", "c", "b"]


def test_the_order_of_loading_stays_until_a_column_is_chosen_and_comes_back_after_the_last():
    assert names(RowOrder(), b="2", a="1") == ["b", "a"]
    assert names(RowOrder().reversed(), b="2", a="1") == ["a", "b"]
    first = RowOrder().next(COLUMNS)
    assert (first, first.next(COLUMNS), first.next(COLUMNS).next(COLUMNS)) == (
        RowOrder("name"),
        RowOrder("x"),
        RowOrder(),
    )
    assert RowOrder("x").by("x") == RowOrder("x", reverse=True)
    assert RowOrder("x", reverse=True).by("name") == RowOrder("name")
    assert RowOrder("gone").next(COLUMNS) == RowOrder()
    assert RowOrder("x", reverse=True).description(COLUMNS) == "sorted by x, reversed"
