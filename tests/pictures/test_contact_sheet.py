"""Contact sheets wrap, and each group begins a row."""

import pytest
import torch

from sfe_models.pictures.contact_sheet import MOST_COLUMNS, contact_sheet

SIDE = 32


def cells(sheet):
    """(rows, columns) of a sheet of square pictures, by its size."""
    one = contact_sheet([torch.zeros(3, SIDE, SIDE)], [""], side=SIDE)
    return sheet.height // one.height, sheet.width // one.width


@pytest.mark.parametrize(
    "count, each, expected",
    [(1, None, (1, 1)), (7, None, (1, 7)), (9, None, (2, 5)), (64, None, (8, 8)), (14, 7, (2, 7)), (20, 10, (4, 5))],
)
def test_rows_are_full_and_never_wide(count, each, expected):
    sheet = contact_sheet([torch.zeros(3, SIDE, SIDE)] * count, [""] * count, side=SIDE, each=each)
    assert cells(sheet) == expected and expected[1] <= MOST_COLUMNS


def test_each_group_begins_a_row():
    """Two people, nine pictures each: the second begins in the third row."""
    pictures = [torch.full((3, SIDE, SIDE), -1.0 if i == 9 else 1.0) for i in range(18)]
    sheet = contact_sheet(pictures, [""] * 18, side=SIDE, each=9)
    dark = sheet.convert("L").point(lambda value: 255 * (value < 128)).getbbox()
    assert dark[0] < SIDE and 2 * sheet.height / 4 <= dark[1] < 3 * sheet.height / 4
