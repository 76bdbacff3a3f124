"""What everybody sees: the welcome, the catalogue, one programme."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from catalog import programmes, query, search, sessions, shown, vat_marks
from catalog.words import Category, Format, Level, Stage, name
from marketplace.kit import clock
from marketplace.kit.i18n import N_, _, n_
from marketplace.kit.identity import Actor
from marketplace.kit.web import Html, WebRequest, render

PAGE = 12
_SHOWN_LEVELS = (Level.A0, Level.A1, Level.A2, Level.B1, Level.B2, Level.C1)
_OFTEN = (
    (N_("Dutch A1"), "/programmes?q=Dutch&level=A1"),
    (N_("Working with the Dutch"), "/programmes?category=culture"),
    (N_("Help for a partner"), "/programmes?category=dual_career"),
    (N_("Something made for us"), "/programmes?category=company"),
)


@get("/", opt={"access": "public", "anonymous_cache": 30})
async def home(request: WebRequest, now: NamedDependency[datetime]) -> Html:
    """Welcome: search, the six categories, dates with free seats, how it works."""
    counts = await search.count_recently(search.Filters(), now=now)
    soon = await sessions.soon(now=now, limit=5)
    return render(
        request,
        "catalog/home.html",
        categories=[(each.value, name(each), counts.of("category", each)) for each in Category],
        stages=[(each.value, name(each), counts.of("stage", each)) for each in Stage],
        total=counts.total,
        soon=soon,
        shown=shown,
        often=_OFTEN,
    )


@get("/programmes", opt={"access": "public", "anonymous_cache": 15})
async def programme_list(
    request: WebRequest, now: NamedDependency[datetime], cursor: FromQuery[str | None] = None, view: FromQuery[str | None] = None
) -> Html:
    """Show the catalogue: search, facets with counts, cards or a list."""
    wanted = query.read(request.query_params.dict())
    at = query.spot(cursor)
    page = query.page(await search.find(wanted, now=now, position=at.position, limit=PAGE + 1), at, PAGE)
    counts = await search.count_recently(wanted, now=now)
    exempt = await vat_marks.exempt(now)
    listed = "list" if view == "list" else ""
    return render(
        request,
        "catalog/programme_list.html",
        wanted=wanted,
        cards=[shown.card(card, exempt) for card in page.items],
        counts=counts,
        facets=_facets(wanted, counts),
        months=_months(wanted, counts, now),
        levels=_SHOWN_LEVELS,
        chips=_chips(wanted, listed),
        often=_OFTEN,
        view=listed,
        hidden=[pair for pair in query.pairs(wanted) if pair[0] != "q"],
        range_words=_range(page, counts.total, wanted.sort),
        size=PAGE,
        next_href=page.next and query.href(wanted, view=listed, cursor=page.next),
        previous_href=page.previous and query.href(wanted, view=listed, cursor=page.previous),
        hrefs={
            "cards": query.href(wanted),
            "list": query.href(wanted, view="list"),
            "clear": query.href(search.Filters(q=wanted.q), view=listed),
            "all": "/programmes",
        },
    )


def _facets(wanted: search.Filters, counts: search.Counts) -> dict[str, list[tuple[str, str, int, bool]]]:
    """Return each facet's rows: value, word, number, ticked; values that nothing has are left out unless ticked."""
    found = {}
    for facet, kind in query.FACETS.items():
        if facet == "level":
            continue
        chosen = getattr(wanted, facet)
        rows = [(each.value, name(each), counts.of(facet, each), each in chosen) for each in kind]
        found[facet] = [row for row in rows if row[2] or row[3] or facet == "category"]
    return found


def _months(wanted: search.Filters, counts: search.Counts, now: datetime) -> list[tuple[str, str]]:
    this = f"{clock.today(now):%Y-%m}"
    known = sorted({month for month in counts.facets.get("month", {}) if month >= this} | set(wanted.month))
    return [(month, f"{shown.month_name(_first(month))} ({counts.of('month', month)})") for month in known]


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _chips(wanted: search.Filters, view: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for facet in query.FACETS:
        found += [(name(each), query.href(query.without(wanted, facet, each), view=view)) for each in getattr(wanted, facet)]
    found += [(shown.month_name(_first(month)), query.href(query.without(wanted, "month", month), view=view)) for month in wanted.month]
    if wanted.price_max is not None:
        words = _("up to €{euros}", euros=wanted.price_max // 100)
        found.append((words, query.href(query.without(wanted, "price_max"), view=view)))
    if wanted.free:
        words = n_("1 free seat or more", "{n} free seats or more", wanted.free)
        found.append((words, query.href(query.without(wanted, "free"), view=view)))
    return found


def _range(page: query.CardPage, total: int, sort: str) -> str:
    if not page.items:
        return ""
    order = _("lowest price first") if sort == "price" else _("most booked first")
    last = page.before + len(page.items)
    return _("{first}–{last} of {total}, {order}", first=page.before + 1, last=last, total=max(total, last), order=order)


@get("/programmes/{code:str}", opt={"access": "public", "anonymous_cache": 15})
async def programme(
    request: WebRequest,
    code: FromPath[str],
    actor: NamedDependency[Actor],
    now: NamedDependency[datetime],
    session: FromQuery[str | None] = None,
    month: FromQuery[str | None] = None,
) -> Html:
    """Show one programme: facts, dates as month and list on the same radios, the booking panel, what changing plans costs."""
    found = await programmes.by_slug(code)
    coming = await sessions.upcoming(found.id, now=now)
    return await programme_page(request, found, coming, actor=actor, now=now, session=session, month=month)


async def programme_page(
    request: WebRequest,
    found: programmes.Programme,
    coming: list[sessions.Session],
    *,
    actor: Actor,
    now: datetime,
    session: str | None = None,
    month: str | None = None,
    preview: bool = False,
) -> Html:
    """Render a programme as buyers see it; a preview says that it is one and leaves out the way to an order."""
    chosen = _chosen(coming, session)
    first = _shown_month(coming, chosen, month, now)
    exempt = await vat_marks.exempt(now)
    context = _choice(found, chosen, now)
    return render(
        request,
        "catalog/programme_show.html",
        programme=found,
        shown=shown,
        facts=_facts(found),
        title=programmes.said(found, "title"),
        summary=programmes.said(found, "summary"),
        description=[part for part in programmes.said(found, "description").splitlines() if part.strip()],
        included=programmes.said(found, "included"),
        outcomes=programmes.said(found, "outcomes"),
        category_words=name(found.category),
        exempt=found.vat_basis in exempt,
        unit=name(found.price_unit),
        coming=coming,
        in_month=first,
        can_order=actor.is_anonymous or actor.is_company,
        preview=preview,
        here=f"/catalogue/programmes/{found.id}/preview" if preview else f"/programmes/{found.slug}",
        **_month(coming, chosen, first, now),
        **context,
    )


def _choice(found: programmes.Programme, chosen: sessions.Session | None, now: datetime) -> dict[str, Any]:
    """Return what the booking panel and the timeline show of the chosen session."""
    if chosen is None:
        return {"chosen": None, "plans": None, "skipped": ""}
    plans = shown.plans(found.terms, chosen.price, chosen, now)
    return {"chosen": chosen, "plans": plans, "skipped": shown.skipped_words(chosen)}


def _chosen(coming: list[sessions.Session], asked: str | None) -> sessions.Session | None:
    """Return the session that was asked for, else the first with a free seat."""
    by_id = {str(each.id): each for each in coming}
    if asked and asked in by_id and by_id[asked].free:
        return by_id[asked]
    return next((each for each in coming if each.free), None)


def _shown_month(coming: list[sessions.Session], chosen: sessions.Session | None, asked: str | None, now: datetime) -> date:
    if asked and search.is_month(asked):
        return _first(asked)
    start = chosen or (coming[0] if coming else None)
    on = clock.local(start.starts_at).date() if start else clock.today(now)
    return on.replace(day=1)


def _month(coming: list[sessions.Session], chosen: sessions.Session | None, first: date, now: datetime) -> dict[str, Any]:
    """Return the month grid: its slots, its closed days, and the months before and after that have dates."""
    slots: dict[date, list[shown.Slot]] = {}
    for each in coming:
        slots.setdefault(clock.local(each.starts_at).date(), []).append(shown.slot(each, checked=each is chosen))
    months = sorted({on.replace(day=1) for on in slots})
    before, after = [each for each in months if each < first], [each for each in months if each > first]
    keep = f"&session={chosen.id}" if chosen else ""

    def to(each: date) -> str:
        return f"?month={each:%Y-%m}{keep}#month"

    return {
        "slots": slots,
        "closed": shown.closed_days(first),
        "caption": shown.month_name(first),
        "today": clock.today(now),
        "previous": to(before[-1]) if before else "",
        "following": to(after[0]) if after else "",
    }


def _facts(found: programmes.Programme) -> list[tuple[str, str]]:
    group = _("{least} to {most} people", least=found.group_min, most=found.group_max)
    facts = [
        (_("Length"), shown.lessons(found.lesson_count, found.lesson_minutes)),
        (_("Group"), group if found.group_max > 1 else _("One person")),
        (_("Taught in"), shown.languages(found.taught_in)),
        (_("How and where"), _how(found)),
        (_("Given by"), found.partner_name),
    ]
    homework = programmes.said(found, "homework")
    if homework:
        facts.insert(1, (_("Homework"), homework))
    else:
        facts.append((_("At the end"), _("Certificate at 80%")))
    return facts


def _how(found: programmes.Programme) -> str:
    if found.format in {Format.ONLINE, Format.IN_COMPANY}:
        return name(found.format)
    words = shown.spot(found.format, found.place)
    return words[:1].upper() + words[1:]


HANDLERS = [home, programme_list, programme]
