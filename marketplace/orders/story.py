"""The time line of an order: what happened, what happens next, and who acts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import clock
from marketplace.kit.i18n import _, fmt_date, fmt_datetime, fmt_money, n_
from marketplace.kit.money import sum_money
from marketplace.orders.states import LineState, OrderState

if TYPE_CHECKING:
    from datetime import date, datetime

    from billing.invoices import InvoiceSummary
    from billing.runs.expected import Expected
    from marketplace.orders.read import LineRow, Order


class Step(msgspec.Struct, frozen=True):
    """One step: ``mark`` is done, now, next or stop."""

    mark: str
    title: str
    when: str
    detail: str


def tell(order: Order, *, now: datetime, billing: Expected | None = None) -> list[Step]:
    """Return the steps of an order in order of time. ``billing``: when what isn't invoiced yet will be."""
    steps = [Step("done", _("Ordered by {name}", name=order.ordered_by), fmt_datetime(order.placed_at), "")]
    if order.state is not OrderState.CANCELLED:
        steps.append(_answer(order))
    if order.state is OrderState.DECLINED:
        return steps
    steps += [*_moved(order), *_money(order, billing, clock.today(now))]
    return steps if order.state is OrderState.CANCELLED else [*steps, _start(order, now)]


def _answer(order: Order) -> Step:
    waiting = sum(line.state is LineState.AWAITING_PARTNER for line in order.lines)
    partners = ", ".join(sorted({line.partner_name for line in order.lines if line.state is LineState.AWAITING_PARTNER}))
    if waiting:
        return Step(
            "now",
            _("{partner} answers", partner=partners),
            "",
            n_("One person waits for a yes. The seat is held.", "{n} people wait for a yes. The seats are held.", waiting),
        )
    decided = fmt_datetime(order.decided_at) if order.decided_at else ""
    if order.state is OrderState.DECLINED:
        return Step("stop", _("Declined by the partner"), decided, _("Nothing is billed. Choose other dates, or call us."))
    declined = sum(line.state is LineState.DECLINED for line in order.lines)
    detail = (
        n_("One person was declined and is not billed.", "{n} people were declined and are not billed.", declined)
        if declined
        else _("The seats are certain.")
    )
    return Step("done", _("Confirmed"), decided, detail)


def _moved(order: Order) -> list[Step]:
    """Return what was cancelled and what was billed, in order of time."""
    past = sorted([*_cancelled(order), *(_billed(invoice) for invoice in order.invoices)], key=lambda dated: dated[:2])
    return [step for _day, _rank, step in past]


def _cancelled(order: Order) -> list[tuple[date, int, Step]]:
    """Return a step for each moment at which people were cancelled, with what stays due of them."""
    moments: dict[datetime, list[LineRow]] = {}
    for line in order.lines:
        if line.state is LineState.CANCELLED:
            moments.setdefault(line.state_at, []).append(line)
    return [(clock.today(at), 1, _called_off(at, lines)) for at, lines in moments.items()]


def _called_off(at: datetime, lines: list[LineRow]) -> Step:
    fee = sum_money(line.fee for line in lines)
    nothing = _("Nothing is due for it.") if len(lines) == 1 else _("Nothing is due for them.")
    due = _("{amount} without VAT stays due.", amount=fmt_money(fee)) if fee else nothing
    return Step("stop", n_("One person cancelled", "{n} people cancelled", len(lines)), fmt_datetime(at), due)


def _billed(invoice: InvoiceSummary) -> tuple[date, int, Step]:
    day = fmt_date(invoice.dated_on, "weekday")
    if invoice.kind == "credit_note":
        return invoice.dated_on, 2, Step("done", _("Credit note {number}", number=invoice.number), day, fmt_money(-invoice.total))
    return invoice.dated_on, 0, Step("done", _("Invoice {number}", number=invoice.number), day, fmt_money(invoice.total))


def _money(order: Order, billing: Expected | None, today: date) -> list[Step]:
    """Return what is to be paid of what was billed, and when the rest will be billed."""
    if order.state is OrderState.CANCELLED and not order.invoices:
        return []
    if order.state not in {OrderState.CONFIRMED, OrderState.CANCELLED}:
        return [Step("next", _("Invoice"), "", _("We send it as soon as the order is confirmed."))]
    issued = [step for invoice in order.invoices if (step := _to_pay(invoice)) is not None]
    return issued if order.invoices and billing is None else [*issued, _coming(billing, today)]


def _coming(billing: Expected | None, today: date) -> Step:
    """Say when what isn't invoiced yet will be."""
    if billing is not None and billing.held:
        return Step(
            "now", _("Invoice"), "", _("Your company asks for something on its invoices that is missing here. We will ask you for it.")
        )
    if billing is None or billing.on <= today:
        return Step("now", _("Invoice"), "", _("It is being made and is in your mail within minutes."))
    when = _("about {date}", date=fmt_date(billing.on, "long"))
    if billing.month_on is None:
        return Step("next", _("Invoice"), when, _("That is when your company wants to be billed."))
    return Step("next", _("Invoice"), when, _("It comes on the invoice of {month}.", month=fmt_date(billing.month_on, "month")))


def _to_pay(invoice: InvoiceSummary) -> Step | None:
    if str(invoice.state) == "paid":
        return Step("done", _("Paid"), "", fmt_money(invoice.paid))
    if str(invoice.state) == "processing":
        return Step("now", _("Payment is under way"), "", _("The bank confirms it, usually within a working day."))
    if not invoice.to_pay:
        return None
    due = fmt_date(invoice.due_on, "weekday") if invoice.due_on else ""
    return Step("next", _("Pay by {date}", date=due), "", fmt_money(invoice.to_pay))


def _start(order: Order, now: datetime) -> Step:
    lines = [line for line in order.lines if line.state.stands] or order.lines
    first = min(line.starts_at for line in lines)
    begun = first <= now
    return Step(
        "done" if begun else "next",
        _("First lesson"),
        fmt_datetime(first),
        "" if begun or clock.today(first) != clock.today(now) else _("That is today."),
    )
