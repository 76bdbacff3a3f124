"""HR's inbox: what needs somebody of this company, most urgent first, each with one verb. Then what went well.

The three with the most urgency of each kind are shown; the rest is a number with a link to its list.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from billing.dunning import blocking
from marketplace.desk import todo_rows
from marketplace.kit import clock
from marketplace.kit.i18n import _, fmt_date, fmt_datetime, fmt_money, fmt_time, n_
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.people import scope
from marketplace.scheduling import read as plans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from marketplace.desk.todo_rows import Basket, Bill, Declined, Plan, Waiting

DUE_SOON = timedelta(days=7)
RECENT = timedelta(days=5)
EACH = 3


class Todo(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the inbox. ``title`` and ``text`` may hold markup; ``needs`` says whether somebody must act, ``today`` whether now."""

    icon: str
    tone: str
    title: str | Markup
    text: str | Markup
    verb: str
    href: str
    needs: bool = True
    today: bool = False


class Inbox(msgspec.Struct, frozen=True):
    """The rows to show, how many things need somebody in all, and how many of them today; ``more``: (words, address)."""

    rows: list[Todo]
    needs: int
    today: int
    more: list[tuple[str, str]]


async def inbox(*, actor: Actor, now: datetime) -> Inbox:
    """Return the inbox of the actor's company, as far as the actor's role goes."""
    require(actor, Permission.SEE_ORDERS)
    company_id, today = scope.company_of(actor), clock.today(now)
    rows: list[Todo] = []
    more: list[tuple[str, str]] = []
    if block := await blocking.of_owner(company_id, today=today):
        rows.append(_blocked(block, actor))
    if actor.may(Permission.PLACE_ORDERS) and (basket := await todo_rows.basket(actor.account_id, now=now)):
        rows.append(_basket(basket, now))
    troubled = (
        await todo_rows.plans(company_id, "needs_attention", limit=EACH, since=None, until=None) if actor.may(Permission.SEE_PEOPLE) else []
    )
    rows += [_needs_attention(plan, actor) for plan in troubled]
    _add_more(
        more,
        troubled,
        lambda n: n_("One more plan needs attention", "{n} more plans need attention", n),
        "/scheduled-enrolments?state=needs_attention",
    )
    bills = await todo_rows.bills(company_id, until=today + DUE_SOON, limit=EACH) if actor.may(Permission.SEE_INVOICES) else []
    rows += [_bill(bill, actor, now) for bill in bills if bill.due_on < today]
    declined = await todo_rows.declined(company_id, since=now - RECENT, limit=EACH)
    rows += [_declined(line, actor) for line in declined]
    rows += [_bill(bill, actor, now) for bill in bills if bill.due_on >= today]
    _add_more(more, bills, lambda n: n_("One more invoice to pay", "{n} more invoices to pay", n), "/invoices?show=unpaid")
    _add_more(more, declined, lambda n: n_("One more place declined", "{n} more places declined", n), "/orders")
    acting, quiet = sum(row.needs for row in rows), await _quiet(actor, company_id, now)
    hidden = sum(group[0].total - len(group) for group in (troubled, bills, declined) if group)
    return Inbox(rows + quiet, acting + hidden, sum(row.today for row in rows), more)


async def _quiet(actor: Actor, company_id: UUID, now: datetime) -> list[Todo]:
    """Return what is good to know: what waits for a partner, what will be ordered this week, what was ordered."""
    waiting = await todo_rows.waiting(company_id, limit=EACH)
    rows = [_waiting(order) for order in waiting]
    if actor.may(Permission.SEE_PEOPLE):
        soon = await todo_rows.plans(company_id, "planned", limit=EACH, since=None, until=now + DUE_SOON)
        rows += [_planned(plan) for plan in soon]
        done = await todo_rows.plans(company_id, "placed", limit=EACH, since=now - RECENT, until=None)
        rows += [_placed(plan) for plan in done]
    return rows


def _add_more(
    more: list[tuple[str, str]], rows: Sequence[Plan] | Sequence[Bill] | Sequence[Declined], words: Callable[[int], str], href: str
) -> None:
    if rows and rows[0].total > len(rows):
        more.append((words(rows[0].total - len(rows)), href))


def _strong(words: str) -> Markup:
    return Markup("<b>{}</b>").format(words)


def _blocked(block: blocking.Block, actor: Actor) -> Todo:
    verb = _("See and pay") if actor.may(Permission.PAY_INVOICES) else _("See the invoices")
    return Todo(icon="warn", tone="stop", title=block.sentence, text=block.next_step, verb=verb, href="/invoices?show=overdue", today=True)


def _basket(found: Basket, now: datetime) -> Todo:
    until = fmt_time(found.held_until) if clock.today(found.held_until) == clock.today(now) else fmt_datetime(found.held_until)
    return Todo(
        icon="bag", tone="stop", today=True,
        title=n_("One seat is held for you", "{n} seats are held for you", found.seats),
        text=_("{title}. Nothing is ordered yet; kept until {until}.", title=found.title, until=_strong(until)),
        verb=_("Review and order"), href="/basket",
    )  # fmt: skip


def _needs_attention(plan: Plan, actor: Actor) -> Todo:
    return Todo(
        icon="warn", tone="stop", today=plan.starts_soon,
        title=_("{person} has no seat yet", person=plan.person_name),
        text=_("{title}. {trouble}", title=plan.title, trouble=plans.explain(plan.code or "")),
        verb=_("Change the plan") if actor.may(Permission.SCHEDULE_ENROLMENTS) else _("See the plan"),
        href=f"/scheduled-enrolments/{plan.id}",
    )  # fmt: skip


def _bill(bill: Bill, actor: Actor, now: datetime) -> Todo:
    today, pays = clock.today(now), actor.may(Permission.PAY_INVOICES)
    amount, due = fmt_money(Money(bill.to_pay_cents)), _strong(fmt_date(bill.due_on, "weekday"))
    late, number = bill.due_on < today, Markup('<span class="nowrap">{}</span>').format(bill.number)
    if late:
        title = _("Invoice {number} is past its due date", number=number)
        text = _("{amount}, was due on {date}.", amount=amount, date=due)
    else:
        title = _("Invoice {number} is due soon", number=number)
        text = _("{amount}, due on {date}.", amount=amount, date=due)
    verb = _("Pay invoice") if pays else _("See invoice")
    return Todo(
        icon="euro",
        tone="stop" if late else "info",
        title=title,
        text=text,
        verb=verb,
        href=f"/invoices/{bill.number}",
        today=bill.due_on <= today,
    )


def _declined(line: Declined, actor: Actor) -> Todo:
    orders = actor.may(Permission.PLACE_ORDERS)
    said = (
        _("{partner} says: {reason}", partner=line.partner_name, reason=line.reason)
        if line.reason
        else _("{partner} gave no reason.", partner=line.partner_name)
    )
    return Todo(
        icon="people", tone="warn",
        title=_("{partner} can't take one person", partner=line.partner_name),
        text=_("{title}, from {date}. {said}", title=line.title, date=fmt_date(clock.today(line.starts_at), "weekday"), said=said),
        verb=_("Choose other dates") if orders else _("View order"), needs=orders,
        href=f"/programmes/{line.programme_code}" if orders else f"/orders/{line.order_number}",
    )  # fmt: skip


def _waiting(order: Waiting) -> Todo:
    until = _("Answer before {date}.", date=_strong(fmt_datetime(order.decide_by_at))) if order.decide_by_at else _("We are asking.")
    return Todo(
        icon="clock", tone="info", needs=False,
        title=_("Order {number} waits for {partner}", number=order.number, partner=order.partner_name),
        text=_("{title}. {until}", title=order.title, until=until), verb=_("View order"), href=f"/orders/{order.number}",
    )  # fmt: skip


def _planned(plan: Plan) -> Todo:
    return Todo(
        icon="calendar", tone="info", needs=False,
        title=_("We order for {person} on {date}", person=plan.person_name, date=fmt_date(clock.today(plan.run_at), "weekday")),
        text=plan.title, verb=_("See the plan"), href=f"/scheduled-enrolments/{plan.id}",
    )  # fmt: skip


def _placed(plan: Plan) -> Todo:
    return Todo(
        icon="check", tone="ok", needs=False, title=_("{person} has a seat", person=plan.person_name),
        text=_("{title}, ordered as you planned on {date}.", title=plan.title, date=fmt_date(clock.today(plan.state_at), "weekday")),
        verb=_("View order"), href=f"/orders/{plan.order_number}",
    )  # fmt: skip
