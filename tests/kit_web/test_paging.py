"""Pages by key: every row once, forwards and back, and no cursor breaks anything."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit.errors import Invalid
from marketplace.kit.web import paging

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Row(msgspec.Struct, frozen=True):
    at: datetime
    id: UUID


ROWS = [Row(START - timedelta(days=n // 2), UUID(int=1000 - n)) for n in range(12)]  # newest first, pairs share an instant


def _page(cursor: str | None, size: int) -> paging.Page[Row]:
    """Do in Python what the SQL of a list does."""
    place = paging.read(cursor, datetime, UUID, size=size)
    rows = sorted(ROWS, key=lambda row: (row.at, row.id), reverse=place.descending == "DESC")
    if place.started:
        rows = [row for row in rows if ((row.at, row.id) < place.key) == (place.before == "<") and (row.at, row.id) != place.key]
    return paging.page(rows[: place.fetch], place, key=lambda row: (row.at, row.id))


@pytest.mark.parametrize("size", [1, 5, 6, 11, 12, 13])
def test_every_row_comes_once_forwards_and_back(size: int) -> None:
    pages, cursor = [_page(None, size)], None
    assert pages[0].previous is None
    while (cursor := pages[-1].next) is not None:
        pages.append(_page(cursor, size))
    assert [row for page in pages for row in page.items] == ROWS
    back = [pages[-1]]
    while (cursor := back[-1].previous) is not None:
        back.append(_page(cursor, size))
    assert [row for page in reversed(back) for row in page.items] == ROWS
    assert len(back) == len(pages)
    if len(pages) > 1:
        assert _page(back[-1].next, size).items == pages[1].items


@pytest.mark.parametrize(
    "cursor", ["x", "é", "====", paging.encode([1]), paging.encode(["a", "b"]), paging.encode([START, UUID(int=1), 3]), "W10", "bnVsbA"]
)
def test_a_cursor_that_is_not_ours_is_refused_with_a_sentence(cursor: str) -> None:
    with pytest.raises(Invalid) as refusal:
        paging.read(cursor, datetime, UUID)
    assert refusal.value.fields["cursor"].endswith("first page.")


@given(st.text(max_size=60))
def test_no_text_breaks_reading_a_cursor(cursor: str) -> None:
    with contextlib.suppress(Invalid):
        paging.read(cursor, datetime, UUID)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids(), st.booleans())
def test_a_cursor_comes_back_as_it_went(at: datetime, row_id: UUID, backwards: bool) -> None:
    assert paging.decode(paging.encode([at, row_id], backwards=backwards), datetime, UUID) == (backwards, (at, row_id))
