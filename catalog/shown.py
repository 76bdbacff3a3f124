"""How programmes and sessions are put into words and drawings, in the current language. Pure: no queries here."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from babel.dates import get_day_names, get_month_names

from catalog import holidays, policies
from catalog.programmes import said
from catalog.words import Format, Language, Level, Place, PriceUnit, SessionState, VatBasis, name
from marketplace.kit import clock
from marketplace.kit.i18n import _, current_locale, fmt_date, fmt_datetime, fmt_list, fmt_money, fmt_time, n_
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalog.programmes import Programme
    from catalog.search import Card, CardSession
    from catalog.sessions import Session

FEW = 3


def level_words(first: Level | None, last: Level | None) -> str:
    """Return ``A0 → A1``, ``B2``, or that every level may come."""
    if first is None or last is None:
        return _("All levels")
    return first.value if first == last else f"{first.value} \N{RIGHTWARDS ARROW} {last.value}"


def languages(taught_in: Sequence[Language]) -> str:
    """Return ``Dutch and English``."""
    return fmt_list([name(language) for language in taught_in])


def length(minutes: int) -> str:
    """Return ``2 hours``, ``90 minutes``."""
    return n_("1 hour", "{n} hours", minutes // 60) if minutes % 60 == 0 else n_("1 minute", "{n} minutes", minutes)


def lessons(count: int, minutes: int) -> str:
    """Return ``10 lessons of 2 hours``; a single one is told by its length only."""
    if count == 1:
        return _("One meeting of {length}", length=length(minutes))
    return n_("1 lesson of {length}", "{n} lessons of {length}", count, length=length(minutes))


def where(of: Card | Programme) -> str:
    """Return how often and where, in a few words: ``10 lessons, Leiden``."""
    often = _("One meeting") if of.lesson_count == 1 else n_("1 lesson", "{n} lessons", of.lesson_count)
    return f"{often}, {spot(of.format, of.place)}"


def spot(how: Format, place: Place | None) -> str:
    """Return ``Leiden``, ``online``, ``Leiden and online`` or ``at your office``."""
    town = name(place) if place else ""
    match how:
        case Format.ONLINE:
            return _("online")
        case Format.IN_COMPANY:
            return _("at your office")
        case Format.BLENDED:
            return _("{town} and online", town=town) if town else _("on site and online")
        case Format.ON_SITE:
            return town or _("on site")


class CardWords(msgspec.Struct, frozen=True):
    """A card, ready for ``programme_card``."""

    href: str
    title: str
    category: str
    level: str
    partner: str
    where: str
    price: Money
    unit: str
    exempt: bool
    dates: tuple[tuple[str, int, int, int], ...]
    note: str
    seed: str


def card(found: Card, exempt: frozenset[VatBasis]) -> CardWords:
    """Return the words of a card."""
    return CardWords(
        href=f"/programmes/{found.slug}",
        title=said(found, "title"),
        category=found.category.value,
        level=level_words(found.level_from, found.level_to),
        partner=found.partner_name,
        where=where(found),
        price=Money(found.price_cents),
        unit=name(found.price_unit),
        exempt=found.vat_basis in exempt,
        dates=tuple(_date(session) for session in found.sessions),
        note=no_dates(found) if not found.sessions else "",
        seed=found.code,
    )


def _date(session: CardSession) -> tuple[str, int, int, int]:
    return (fmt_date(clock.local(session.starts_at).date(), "weekday"), session.capacity, session.taken, session.held)


def no_dates(found: Card) -> str:
    """Return what a programme without dates says instead."""
    if not found.published_capacity or found.price_unit is PriceUnit.HOUR:
        return _("At a time you agree")
    return _("New dates follow")


def day_name(weekday: int) -> str:
    """Return the name of a weekday (0 is Monday)."""
    return str(get_day_names("wide", locale=current_locale())[weekday])


def days_words(session: Session) -> str:
    """Return ``Mondays`` or ``Mondays and Wednesdays``; a single lesson has its date."""
    if session.lesson_count == 1:
        return _upper(fmt_date(clock.local(session.starts_at).date(), "full").rsplit(" ", 1)[0])
    plural = {0: _("Mondays"), 1: _("Tuesdays"), 2: _("Wednesdays"), 3: _("Thursdays"), 4: _("Fridays"), 5: _("Saturdays"), 6: _("Sundays")}
    return _upper(fmt_list([plural[day] for day in session.weekdays]))


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def hours(session: Session) -> str:
    """Return ``09:30–11:30``."""
    return f"{fmt_time(session.starts_local)}\N{EN DASH}{fmt_time(session.ends_local)}"


def times(session: Session) -> str:
    """Return ``Mondays, 09:30–11:30``."""
    return f"{days_words(session)}, {hours(session)}"


def place_of(session: Session) -> str:
    """Return where a session is, as a buyer reads it."""
    if session.is_online:
        return _("Online, live")
    return ", ".join(part for part in (session.place, session.room) if part) or _("The place follows")


def place_and_end(session: Session) -> str:
    """Return ``Taalhuis Zijlpoort, Leiden · until 5 Apr``."""
    if session.lesson_count == 1:
        return place_of(session)
    until = _("until {day}", day=fmt_date(clock.local(session.ends_at).date(), "short"))
    return f"{place_of(session)} · {until}"


def choice_title(session: Session) -> str:
    """Return ``Mondays from 18 January``."""
    if session.lesson_count == 1:
        return days_words(session)
    return _("{days} from {day}", days=days_words(session), day=_day_month(clock.local(session.starts_at).date()))


def _day_month(on: date) -> str:
    return f"{on.day} {get_month_names('wide', locale=current_locale())[on.month]}"


def choice_times(session: Session) -> str:
    """Return ``09:30–11:30, 10 lessons until 5 April``."""
    if session.lesson_count == 1:
        return hours(session)
    until = _day_month(clock.local(session.ends_at).date())
    return n_(
        "{hours}, 1 lesson until {until}", "{hours}, {n} lessons until {until}", session.lesson_count, hours=hours(session), until=until
    )


def skipped_days(days: Sequence[date]) -> list[date]:
    """Return the closed days, between the first and last lesson, on which there would have been one by its weekday."""
    if len(days) < 2:
        return []
    held = set(days)
    weekdays = {on.weekday() for on in held}
    first, last = min(held), max(held)
    between = (first + timedelta(days=ahead) for ahead in range((last - first).days))
    return [on for on in between if on.weekday() in weekdays and on not in held and holidays.closed(on)]


def skipped_words(session: Session) -> str:
    """Return ``No lesson on 22 Feb and 29 Mar``, or nothing."""
    days = skipped_days(session.days)
    return _("No lesson on {days}", days=fmt_list([fmt_date(on, "short") for on in days])) if days else ""


def state_words(session: Session) -> tuple[str, str]:
    """Return the badge of a session for buyers, (word, tone): that it goes ahead, or how many it still needs."""
    if session.state is SessionState.CONFIRMED or (session.minimum and session.taken >= session.minimum):
        return _("Goes ahead"), "ok"
    missing = session.minimum - session.taken
    if session.minimum and session.taken and missing > 0:
        return n_("Needs 1 more to go ahead", "Needs {n} more to go ahead", missing), ""
    return "", ""


class Slot(msgspec.Struct, frozen=True):
    """A session in the month grid."""

    id: str
    time: str
    words: str
    state: str
    checked: bool


def slot(session: Session, *, checked: bool) -> Slot:
    """Return a session as the month grid shows it."""
    state = "full" if not session.free else "few" if session.free <= FEW else "free"
    words = _("Full") if not session.free else n_("1 left", "{n} left", session.free)
    return Slot(str(session.id), fmt_time(session.starts_local), words, state, checked)


def month_name(first: date) -> str:
    """Return ``January 2027``."""
    return f"{get_month_names('wide', locale=current_locale())[first.month]} {first.year}"


def closed_days(first: date) -> dict[date, str]:
    """Return the days around a month that are hatched: public holidays by name, school holidays without words."""
    days = (first + timedelta(days=ahead) for ahead in range(-7, 45))
    return {on: _(public) if (public := holidays.public_holiday(on)) else "" for on in days if holidays.closed(on)}


class Step(msgspec.Struct, frozen=True):
    """One stretch of "if plans change"."""

    percent: int
    until: str
    amount: str


class Plans(msgspec.Struct, frozen=True):
    """The cancellation timeline of a session, ready for its macro, and until when cancelling is free."""

    steps: tuple[Step, ...]
    course: str
    sentence: str
    today: int
    free_until: str

    @property
    def rows(self) -> list[tuple[int, str, str]]:
        """The steps as the macro takes them."""
        return [(step.percent, step.until, step.amount) for step in self.steps]


def plans(terms: policies.PolicyTerms, price: Money, session: Session, now: datetime) -> Plans:
    """Return what cancelling costs, with the exact boundaries."""
    bounds = policies.boundaries(terms, price, session.starts_at)
    steps = tuple(_step(each, last=each is bounds[-1], starts_at=session.starts_at) for each in bounds)
    today = next((place for place, each in enumerate(bounds) if now <= each.until), len(bounds))
    free = [each for each in bounds if each.amount.is_zero and now <= each.until]
    free_word = _("free")
    parts = [f"{each.percent}% {each.until}" if each.percent else f"{free_word} {each.until}" for each in steps]
    return Plans(
        steps=steps,
        course=_days(clock.local(session.starts_at).date(), clock.local(session.ends_at).date()),
        sentence=_("Cancelling is {steps}.", steps="; ".join(parts)),
        today=today,
        free_until=fmt_datetime(free[-1].until) if free else "",
    )


def _step(each: policies.Boundary, *, last: bool, starts_at: datetime) -> Step:
    until = _("until it starts") if last and each.until == starts_at else _("until {when}", when=fmt_datetime(each.until))
    amount = (
        _("You pay {amount}", amount=fmt_money(each.amount, whole_if_round=True))
        if each.amount.is_zero
        else _("{amount} each", amount=fmt_money(each.amount))
    )
    return Step(each.percent, until, amount)


def _days(first: date, last: date) -> str:
    return fmt_date(first, "short") if first == last else f"{fmt_date(first, 'short')} \N{EN DASH} {fmt_date(last, 'short')}"
