"""The time line of an order: what happened, what happens next, and who acts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import clock
from marketplace.kit.i18n import _, fmt_date, fmt_datetime, fmt_money, n_
from marketplace.orders.states import LineState, OrderState

if TYPE_CHECKING:
    from datetime import datetime

    from billing.invoices import InvoiceSummary
    from marketplace.orders.read import Order


class Step(msgspec.Struct, frozen=True):
    """One step: ``mark`` is done, now, next or stop."""

    mark: str
    title: str
    when: str
    detail: str


def tell(order: Order, *, now: datetime) -> list[Step]:
    """Return the steps of an order in order of time."""
    steps = [Step("done", _("Ordered by {name}", name=order.ordered_by), fmt_datetime(order.placed_at), "")]
    steps.append(_answer(order))
    if order.state is OrderState.DECLINED:
        return steps
    steps += _money(order)
    return [*steps, _start(order, now)]


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


def _money(order: Order) -> list[Step]:
    if order.state is not OrderState.CONFIRMED:
        return [Step("next", _("Invoice"), "", _("We send it as soon as the order is confirmed."))]
    if not order.invoices:
        return [Step("now", _("Invoice"), "", _("It is being made and is in your mail within minutes."))]
    return [step for invoice in order.invoices for step in _invoice(invoice)]


def _invoice(invoice: InvoiceSummary) -> list[Step]:
    made = Step("done", _("Invoice {number}", number=invoice.number), fmt_date(invoice.dated_on, "weekday"), fmt_money(invoice.total))
    if str(invoice.state) == "paid":
        return [made, Step("done", _("Paid"), "", fmt_money(invoice.paid))]
    if str(invoice.state) == "processing":
        return [made, Step("now", _("Payment is under way"), "", _("The bank confirms it, usually within a working day."))]
    due = fmt_date(invoice.due_on, "weekday") if invoice.due_on else ""
    return [made, Step("next", _("Pay by {date}", date=due), "", fmt_money(invoice.total - invoice.paid))]


def _start(order: Order, now: datetime) -> Step:
    lines = [line for line in order.lines if line.state is not LineState.DECLINED] or order.lines
    first = min(line.starts_at for line in lines)
    begun = first <= now
    return Step(
        "done" if begun else "next",
        _("First lesson"),
        fmt_datetime(first),
        "" if begun or clock.today(first) != clock.today(now) else _("That is today."),
    )
