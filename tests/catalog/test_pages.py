"""The catalogue's pages over HTTP: what everybody sees, and what only ECL may change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import pytest_asyncio

from catalog import programmes, seats, sessions
from catalog.seats import SeatWish
from catalog.words import Category, ProgrammeState, SessionState
from marketplace.kit import audit, ids
from tests.builders.catalog import a_partner, a_policy, a_programme, a_session
from tests.cast import Browser, Cast, a_cast, signed_in

if TYPE_CHECKING:
    from datetime import datetime

    import httpx


@pytest_asyncio.fixture(loop_scope="session")
async def people(client: httpx.AsyncClient) -> Cast:
    """Make the cast in the test's transaction."""
    return await a_cast()


@pytest_asyncio.fixture(loop_scope="session")
async def ecl(client: httpx.AsyncClient, people: Cast) -> Browser:
    """Give ECL's browser."""
    return await signed_in(client, people.ecl)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(client: httpx.AsyncClient) -> Browser:
    """Give a visitor's browser."""
    return await signed_in(client, None)


async def test_the_welcome_shows_categories_and_dates_with_free_seats(visitor: Browser) -> None:
    await a_session(seats=4)
    page = await visitor.get("/")
    assert page.status_code == 200
    for words in ("Dual career", "Dutch for newcomers", "4 of 4 left", 'href="/sign-in"', 'action="/programmes"'):
        assert words in page.text


async def test_the_catalogue_shows_cards_with_seats_price_and_vat(visitor: Browser, now: datetime) -> None:
    session = await a_session(seats=10)
    await seats.take([SeatWish(session.id, ids.new_id(), ids.new_id()) for _ in range(7)], now=now)
    page = await visitor.get("/programmes?category=language&free=2&nonsense=1&level=zz")
    assert page.status_code == 200
    for words in ("1 programme", "Dutch for newcomers", "3 of 10 left", "€645", "VAT-exempt", "A0 → A1", "2 free seats or more"):
        assert words in page.text


@pytest.mark.parametrize(
    "query", ["?q=%00", "?free=-1", "?price=abc", "?month=2027-99", "?view=%3Cb%3E", "?q=" + "x" * 5000, "?level=A1&level=B2"]
)
async def test_odd_addresses_still_show_the_catalogue(visitor: Browser, query: str) -> None:
    assert (await visitor.get(f"/programmes{query}")).status_code == 200


async def test_a_broken_cursor_is_refused_with_a_way_on(visitor: Browser) -> None:
    assert (await visitor.get("/programmes?cursor=nonsense")).status_code == 422


async def test_pages_lead_on_and_back(visitor: Browser) -> None:
    for number in range(14):
        await a_programme(code=f"N-{number}", title=f"Course number {number:02d}")
    first = await visitor.get("/programmes")
    assert "1–12 of 14" in first.text
    following = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = await visitor.get(following)
    assert "13–14 of 14" in second.text
    back = second.text.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "1–12 of 14" in (await visitor.get(back)).text


async def test_nothing_found_says_what_to_do(visitor: Browser) -> None:
    page = await visitor.get("/programmes?q=zzqxyv")
    assert "Nothing fits all of this" in page.text
    assert 'href="/programmes"' in page.text


async def test_a_programme_shows_dates_terms_and_the_way_to_an_order(visitor: Browser, now: datetime) -> None:
    programme_id = await a_programme(code="DUT-A1")
    full = await a_session(programme_id=programme_id, seats=1, starts_at=now + timedelta(days=56), lessons=10)
    session = await a_session(programme_id=programme_id, seats=10, starts_at=now + timedelta(days=63))
    await seats.take([SeatWish(full.id, ids.new_id(), ids.new_id())], now=now)
    page = await visitor.get("/programmes/dut-a1")
    assert page.status_code == 200
    for words in (
        f'name="session" value="{session.id}"',
        'form="dates" formaction="/orders/new"',
        "Choose people",
        "10 of 10 left",
        "until Mon 11 Jan, 10:00",
        "€322.50 each",
        f"/scheduled-enrolments/new?programme={programme_id}",
        "New Year",
    ):
        assert words in page.text, words
    assert "17 January" not in page.text
    assert (await visitor.get(f"/programmes/DUT-A1?session={full.id}&month=2027-02")).status_code == 200


async def test_without_dates_a_programme_offers_a_date_for_later(visitor: Browser) -> None:
    programme_id = await a_programme(code="DUT-A1")
    page = await visitor.get("/programmes/dut-a1?session=nonsense&month=1")
    assert f"/scheduled-enrolments/new?programme={programme_id}" in page.text
    assert "/orders/new" not in page.text


async def test_a_draft_is_not_there_for_buyers(visitor: Browser) -> None:
    await a_programme(code="SECRET", published=False)
    assert (await visitor.get("/programmes/secret")).status_code == 404


async def test_the_pages_speak_dutch(client: httpx.AsyncClient) -> None:
    session = await a_session()
    browser = await signed_in(client, None, locale="nl")
    found = (await browser.get("/programmes")).text
    assert "Nederlands voor nieuwkomers" in found
    assert "Vrij van btw" in found or "btw" in found
    slug = (await sessions.published(session.id, now=session.starts_at - timedelta(days=1))).programme_slug
    assert "Kies deelnemers" in (await browser.get(f"/programmes/{slug}")).text


DESK = [
    "/catalogue/programmes",
    "/catalogue/programmes/new",
    "/catalogue/sessions",
    "/catalogue/sessions/new",
    "/partners",
    "/partners/new",
]


@pytest.mark.parametrize("path", DESK)
async def test_the_desk_is_for_ecl_only(client: httpx.AsyncClient, people: Cast, path: str) -> None:
    assert (await (await signed_in(client, people.ecl)).get(path)).status_code == 200
    for outsider in (people.hr_a, people.partner_a):
        assert (await (await signed_in(client, outsider)).get(path)).status_code == 404
    assert (await (await signed_in(client, None)).get(path)).status_code == 303


async def filled(**changes: object) -> dict[str, object]:
    """Return the fields of a programme's form."""
    return {
        "code": "DUT-A2", "partner_id": str(await a_partner()), "policy_id": str(await a_policy()), "category": "language", "title_en": "Dutch, on",
        "title_nl": "Nederlands, verder", "price": "645,50", "vat_basis": "general_language", "format": "on_site", "place": "leiden",
        "lesson_count": "10", "lesson_minutes": "120", "group_min": "4", "group_max": "10", "price_unit": "person", "taught_in": ["nl", "en"],
        "level_from": "A1", "level_to": "A2", "summary_en": "On.", "summary_nl": "Verder.", "description_en": "More.", "description_nl": "Meer.",
        "outcomes_en": "phone a shop\nread a letter\n", "stages": ["living"], "published_capacity": "on", **changes,
    }  # fmt: skip


async def test_ecl_makes_previews_publishes_edits_and_withdraws_a_programme(ecl: Browser, visitor: Browser, now: datetime) -> None:
    made = await ecl.post("/catalogue/programmes/new", await filled())
    assert made.status_code == 303
    at = made.headers["location"]
    programme_id = UUID(at.rsplit("/", 1)[1])
    assert "preview" in (await ecl.get(f"{at}/preview")).text
    assert (await visitor.get("/programmes/dut-a2")).status_code == 404
    assert (await ecl.post(f"{at}/publish", form=at)).status_code == 303
    assert "phone a shop" in (await visitor.get("/programmes/dut-a2")).text
    form = await ecl.get(f"{at}/edit")
    assert 'value="645.50"' in form.text
    present = await programmes.get(programme_id)
    changed = await filled(title_en="Dutch, further", version="1", partner_id=str(present.partner_id), policy_id=str(present.policy_id))
    assert (await ecl.post(f"{at}/edit", changed)).status_code == 303
    assert (await ecl.post(f"{at}/edit", {**changed, "title_en": "Late"})).status_code == 422
    found = await programmes.get(programme_id)
    assert (found.title_en, found.version, found.price_cents, found.category) == ("Dutch, further", 2, 64_550, Category.LANGUAGE)
    assert (await ecl.post(f"{at}/withdraw")).status_code == 303
    assert (await programmes.get(programme_id)).state is ProgrammeState.WITHDRAWN
    events = [entry.event for entry in await audit.of("programme", programme_id)]
    assert events == ["programme.created", "programme.published", "programme.updated", "programme.withdrawn"]


async def test_a_wrong_form_keeps_what_was_typed_and_says_what_to_mend(ecl: Browser) -> None:
    page = await ecl.post(
        "/catalogue/programmes/new", await filled(code="dut a2", price="much", title_nl="", group_max="2", partner_id="x")
    )
    assert page.status_code == 422
    for words in ('value="dut a2"', "Use capitals, figures and hyphens", "Give an amount in euros", "Fill this in.", 'aria-invalid="true"'):
        assert words in page.text
    both = await ecl.post("/catalogue/programmes/new", await filled(level_to="", group_max="2"))
    assert both.status_code == 422
    assert "Give both levels, or neither." in both.text


async def test_a_code_in_use_is_told_beside_the_field(ecl: Browser) -> None:
    await a_programme(code="DUT-A2")
    page = await ecl.post("/catalogue/programmes/new", await filled())
    assert page.status_code == 422
    assert "Another programme has this code." in page.text


async def test_an_incomplete_programme_is_not_published(ecl: Browser) -> None:
    made = await ecl.post("/catalogue/programmes/new", await filled(summary_nl=""))
    at = made.headers["location"]
    page = await ecl.post(f"{at}/publish", form=at)
    assert page.status_code == 422
    assert "In one sentence, Dutch" in page.text


async def test_ecl_plans_dates_after_looking_at_the_lessons(ecl: Browser, visitor: Browser, now: datetime) -> None:
    programme_id = await a_programme(code="DUT-A1")
    form: dict[str, object] = {
        "programme_id": str(programme_id), "first_on": "2027-01-18", "starts": "09:30", "minutes": "120", "lesson_count": "10", "weekdays": ["0"],
        "skip_school_holidays": "on", "capacity": "10", "minimum": "4", "language": "nl", "verb": "preview",
    }  # fmt: skip
    preview = await ecl.post("/catalogue/sessions/new", form)
    assert preview.status_code == 200
    for words in ("Monday 18 January 2027", "Monday 5 April 2027", "Spring holiday", "Easter Monday"):
        assert words in preview.text
    made = await ecl.post("/catalogue/sessions/new", {**form, "verb": "save"})
    at = made.headers["location"]
    assert made.status_code == 303
    assert "18 January" not in (await visitor.get("/programmes/dut-a1")).text
    assert (await ecl.post(f"{at}/publish", form=at)).status_code == 303
    assert "Mondays from 18 January" in (await visitor.get("/programmes/dut-a1?month=2027-01")).text
    shown = await ecl.get(f"{at}/edit")
    assert 'value="2027-01-18"' in shown.text
    moved = await ecl.post(f"{at}/edit", {**form, "verb": "save", "first_on": "2027-01-19", "weekdays": ["1"], "capacity": "8"})
    assert moved.status_code == 303
    session = await sessions.get(UUID(at.rsplit("/", 1)[1]), now=now)
    assert (session.capacity, session.weekdays, session.lesson_count) == (8, (1,), 10)
    assert (await ecl.post(f"{at}/confirm", form=at)).status_code == 303
    assert (await ecl.post(f"{at}/cancel", form=at)).status_code == 303
    assert (await sessions.get(session.id, now=now)).state is SessionState.CANCELLED


async def test_dates_with_people_are_not_moved_and_cancelled_with_a_reason_only(ecl: Browser, now: datetime) -> None:
    session = await a_session(lessons=2)
    await seats.take([SeatWish(session.id, ids.new_id(), ids.new_id())], now=now)
    at = f"/catalogue/sessions/{session.id}"
    assert (await ecl.post(f"{at}/withdraw", form=at)).status_code == 409
    refused = await ecl.post(f"{at}/cancel")
    assert refused.status_code == 422
    assert "Say why: the companies read it." in refused.text
    form: dict[str, object] = {
        "programme_id": str(session.programme_id), "first_on": "2027-03-01", "starts": "09:30", "minutes": "120", "lesson_count": "2",
        "capacity": "10", "language": "nl", "verb": "save",
    }  # fmt: skip
    moved = await ecl.post(f"{at}/edit", form)
    assert moved.status_code == 422
    assert "the lessons can&#39;t be moved here" in moved.text
    assert (await ecl.post(f"{at}/explode", form=at)).status_code == 404


async def test_wrong_dates_are_told_beside_their_fields(ecl: Browser) -> None:
    page = await ecl.post("/catalogue/sessions/new", {"starts": "25:00", "capacity": "0", "verb": "save"})
    assert page.status_code == 422
    for words in ("Give a time, for example 09:30.", "Give 1 at least.", "Fill this in."):
        assert words in page.text


async def test_ecl_adds_and_edits_a_partner(ecl: Browser) -> None:
    facts: dict[str, object] = {
        "name": "Taalhuis Nieuw",
        "code": "TN",
        "email": "office@tn.example",
        "crkbo": "on",
        "crkbo_from_on": "2026-01-01",
    }
    assert (await ecl.post("/partners/new", facts)).status_code == 303
    page = await ecl.get("/partners")
    assert "Taalhuis Nieuw" in page.text
    at = page.text.rsplit("Taalhuis Nieuw", 1)[0].rsplit('/edit"', 1)[0].rsplit('href="', 1)[1]
    assert (await ecl.post(f"{at}/edit", {**facts, "city": "Katwijk"})).status_code == 303
    assert "Katwijk" in (await ecl.get("/partners")).text
    wrong = await ecl.post(f"{at}/edit", {**facts, "crkbo_until_on": "2025-01-01", "email": "nobody"})
    assert wrong.status_code == 422
