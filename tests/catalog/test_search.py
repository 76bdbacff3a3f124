"""Finding programmes: words in both languages, typos, facets, and pages by key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from catalog import search, seats
from catalog.search import Filters, Position
from catalog.seats import SeatWish
from catalog.words import Category, Format, Language, Level, Place, When
from marketplace.kit import ids
from tests.builders.catalog import a_programme, a_session

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.usefixtures("db")


async def codes(wanted: Filters, now: datetime) -> set[str]:
    """Return the codes of what is found."""
    return {card.code for card in await search.find(wanted, now=now, limit=50)}


@pytest_asyncio.fixture(loop_scope="session")
async def street(db: None, now: datetime) -> None:
    """Put four programmes on offer, and a draft."""
    await a_programme(code="DUT-A1", title="Dutch for newcomers", title_nl="Cursus Nederlands voor nieuwkomers")
    await a_programme(
        code="CUL-1", title="Working with the Dutch", title_nl="Cursussen over samenwerken", category=Category.CULTURE, level_from=None, level_to=None,
        taught_in=(Language.EN,), place=Place.OEGSTGEEST, price_cents=29_500, summary_nl="Over feedback en hiërarchie.",
    )  # fmt: skip
    await a_programme(
        code="CAR-1", title="Career start for partners", title_nl="Loopbaanstart voor partners", category=Category.DUAL_CAREER, level_from=Level.B1,
        level_to=Level.B2, taught_in=(Language.EN,), format=Format.ONLINE, place=None, price_cents=54_000,
    )  # fmt: skip
    await a_programme(
        code="WEL-1", title="First week in Leiden", title_nl="Eerste week in Leiden", category=Category.WELCOME, price_cents=9_500
    )
    await a_programme(code="DRAFT", title="Dutch in secret", published=False)


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("newcomers", "DUT-A1"),
        ("nieuwkomers", "DUT-A1"),
        ("cursus", "CUL-1"),
        ("cursussen", "DUT-A1"),
        ("nieuwkomer", "DUT-A1"),
        ("nederlnads", "DUT-A1"),
        ("hierarchie", "CUL-1"),
        ("HIËRARCHIE", "CUL-1"),
        ("partner career", "CAR-1"),
        ("carrer", "CAR-1"),
        ("oegstgeest", "CUL-1"),
        ("Taalhuis", "WEL-1"),
        ("dut-a1", "DUT-A1"),
        ("dual career", "CAR-1"),
    ],
)
async def test_words_find_in_both_languages_and_with_typos(now: datetime, typed: str, found: str) -> None:
    assert found in await codes(Filters(q=typed), now)


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize("typed", ["zzqxyv", "dutch zzqxyv", "secret"])
async def test_what_is_not_there_is_not_found(now: datetime, typed: str) -> None:
    assert await codes(Filters(q=typed), now) == set()


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize("typed", ["' | !", "a:*&b", "\\", "()", "the", "<b>", "%%%", "'; drop", "\u00e9" * 300])
async def test_odd_signs_are_only_words(now: datetime, typed: str) -> None:
    await search.find(Filters(q=typed), now=now)
    await search.count(Filters(q=typed), now=now)


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filters(category=(Category.CULTURE, Category.WELCOME)), {"CUL-1", "WEL-1"}),
        (Filters(level=(Level.B1,)), {"CAR-1"}),
        (Filters(level=(Level.A0,), category=(Category.LANGUAGE,)), {"DUT-A1"}),
        (Filters(format=(Format.ONLINE,)), {"CAR-1"}),
        (Filters(place=(Place.OEGSTGEEST,)), {"CUL-1"}),
        (Filters(language=(Language.NL,)), {"DUT-A1", "WEL-1"}),
        (Filters(price_max=30_000), {"CUL-1", "WEL-1"}),
        (Filters(q="leiden", price_max=30_000, category=(Category.WELCOME,)), {"WEL-1"}),
        (Filters(month=("2027-01",)), set()),
        (Filters(free=1), set()),
    ],
)
async def test_filters_narrow(now: datetime, wanted: Filters, found: set[str]) -> None:
    assert await codes(wanted, now) == found


@pytest.mark.usefixtures("street")
async def test_a_facet_counts_with_all_other_filters_but_its_own(now: datetime) -> None:
    counts = await search.count(Filters(category=(Category.LANGUAGE,)), now=now)
    assert counts.total == 1
    assert counts.of("category", "culture") == 1
    assert counts.of("level", "A1") == 1
    assert counts.of("format", "online") == 0


async def test_month_time_of_day_and_free_seats_follow_the_sessions(now: datetime) -> None:
    programme_id = await a_programme(code="EVE-1")
    start = now + timedelta(days=60, hours=8)  # 22 January 2027, 18:00 in Leiden
    session = await a_session(programme_id=programme_id, seats=1, starts_at=start)
    for wanted in (Filters(month=("2027-01",)), Filters(when=(When.EVENING,)), Filters(free=1, month=("2027-01",))):
        assert await codes(wanted, now) == {"EVE-1"}
    for wanted in (Filters(month=("2027-02",)), Filters(when=(When.WEEKEND,)), Filters(free=2), Filters(free=1, month=("2027-02",))):
        assert await codes(wanted, now) == set()
    assert (await search.count(Filters(), now=now)).of("month", "2027-01") == 1
    await seats.hold([SeatWish(session.id, ids.new_id(), ids.new_id())], until=now + timedelta(minutes=30), now=now)
    assert await codes(Filters(free=1), now) == set()
    assert await codes(Filters(free=1), now + timedelta(minutes=31)) == {"EVE-1"}


async def test_a_card_shows_the_next_two_dates_with_their_seats(now: datetime) -> None:
    programme_id = await a_programme()
    for days in (70, 30):
        await a_session(programme_id=programme_id, seats=3, starts_at=now + timedelta(days=days))
    session = await a_session(programme_id=programme_id, seats=3, starts_at=now + timedelta(days=50))
    await seats.take([SeatWish(session.id, ids.new_id(), ids.new_id())], now=now)
    card = (await search.find(Filters(), now=now))[0]
    assert [each.starts_at for each in card.sessions] == [now + timedelta(days=30), now + timedelta(days=50)]
    assert [(each.taken, each.held, each.free) for each in card.sessions] == [(0, 0, 3), (1, 0, 2)]


@pytest.mark.parametrize("wanted", [Filters(), Filters(q="dutch"), Filters(sort="price")])
async def test_pages_by_key_show_everything_once_both_ways(now: datetime, wanted: Filters) -> None:
    for number in range(7):
        await a_programme(
            code=f"N-{number}", title=f"Dutch {number}" if number % 2 else f"Course {number}", price_cents=1_000 * (number // 2)
        )
    everything = await search.find(wanted, now=now, limit=50)
    seen: list[search.Card] = []
    position = Position()
    while page := await search.find(wanted, now=now, position=position, limit=3):
        seen += page
        position = Position(page[-1].sort_score, page[-1].sort_number, page[-1].id)
    assert [card.code for card in seen] == [card.code for card in everything]
    assert len(seen) == 7
    last = seen[-1]
    back = await search.find(wanted, now=now, position=Position(last.sort_score, last.sort_number, last.id, backwards=True), limit=2)
    assert [card.code for card in back] == [seen[-2].code, seen[-3].code]


async def test_what_is_booked_most_comes_first(now: datetime) -> None:
    await a_programme(code="QUIET")
    busy = await a_session(programme_id=await a_programme(code="BUSY"))
    await a_programme(code="LATER")
    await seats.take([SeatWish(busy.id, ids.new_id(), ids.new_id())], now=now)
    await search.count_bookings(now=now)
    assert (await search.find(Filters(), now=now))[0].code == "BUSY"


@pytest.mark.usefixtures("street")
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Dutch for newcomers", {"DUT-A1"}),
        ("Cursus Nederlands voor nieuwkomers", {"DUT-A1"}),
        ("working with the dutch", {"CUL-1"}),
        ("loopbaanstart voor partners", {"CAR-1"}),
    ],
)
async def test_a_whole_title_is_found(typed: str, found: set[str], now: datetime) -> None:
    assert await codes(Filters(q=typed), now) == found
