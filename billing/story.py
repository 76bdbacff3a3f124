"""The time line of an invoice, from its audit trail: what happened, what comes next, and who acts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billing.states import InvoiceState
from marketplace.kit.i18n import _, fmt_date, fmt_datetime, fmt_money
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from billing.invoices import Invoice
    from billing.payments import Payment
    from marketplace.kit.audit import Entry


class Step(msgspec.Struct, frozen=True):
    """One step: ``mark`` is done, now, next or stop."""

    mark: str
    title: str
    when: str = ""
    detail: str = ""


_ORDER = ("issued", "opened", "sent", "processing", "payment_received", "paid", "given_up", "voided")


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Return audit entries by time; those of one instant in the order of an invoice's life."""
    places = {f"invoice.{event}": place for place, event in enumerate(_ORDER)}
    return sorted(entries, key=lambda entry: (entry.at, places.get(entry.event, len(_ORDER))))


def tell(invoice: Invoice, entries: Sequence[Entry], payments: Sequence[Payment], *, today: date) -> list[Step]:
    """Return the steps of an invoice in order of time, then what comes."""
    steps = [step for entry in in_order(entries) if (step := _past(invoice, entry, payments)) is not None]
    return [*steps, *_coming(invoice, entries, today)]


def _past(invoice: Invoice, entry: Entry, payments: Sequence[Payment]) -> Step | None:
    """Return the step of an audited event, or None for one that isn't part of the story."""
    if entry.event == "invoice.payment_received":
        return _received(entry, payments)
    told = {
        "invoice.issued": ("done", _("Issued"), ""),
        "invoice.sent": ("done", _("Mailed"), _("To {address}", address=invoice.buyer["email"])),
        "invoice.opened": ("done", _("Can be paid online"), ""),
        "invoice.processing": ("done", _("Payment on its way"), _("The bank has it. That can take a few days.")),
        "invoice.paid": ("done", _("Paid"), ""),
        "invoice.voided": ("stop", _("Void"), _("Nothing is owed for this invoice.")),
        "invoice.given_up": ("stop", _("Not collected"), ""),
    }.get(entry.event)
    return Step(told[0], told[1], fmt_datetime(entry.at), told[2]) if told else None


def _received(entry: Entry, payments: Sequence[Payment]) -> Step:
    payment = next((one for one in payments if str(one.id) == entry.data.get("payment")), None)
    amount = fmt_money(Money(int(entry.data["cents"])))
    method = method_name(payment.method) if payment else ""
    return Step("done", _("{amount} received", amount=amount), fmt_datetime(entry.at), method)


def method_name(method: str) -> str:
    """Return what a way of paying is called; one that we don't know keeps its own name."""
    return {"ideal": "iDEAL", "card": _("Card"), "bank_transfer": _("Bank transfer"), "customer_balance": _("Bank transfer")}.get(
        method, method
    )


def _coming(invoice: Invoice, entries: Sequence[Entry], today: date) -> list[Step]:
    if (
        invoice.kind == "credit_note"
        or invoice.state in {InvoiceState.PAID, InvoiceState.VOID, InvoiceState.UNCOLLECTIBLE}
        or invoice.due_on is None
    ):
        return []
    steps = []
    if not any(entry.event == "invoice.sent" for entry in entries):
        steps.append(Step("now", _("The PDF is made and mailed"), "", _("That takes less than a minute.")))
    due = fmt_date(invoice.due_on, "long")
    if invoice.is_overdue(today):
        days = (today - invoice.due_on).days
        return [
            *steps,
            Step("stop", _("Was due on {date}", date=due), "", _("{days} days ago.", days=days) if days > 1 else _("Yesterday.")),
        ]
    mark = "next" if steps else "now"
    return [*steps, Step(mark, _("To pay by {date}", date=due), "", _("Today.") if invoice.due_on == today else "")]
