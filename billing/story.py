"""The time line of an invoice, from its audit trail: what happened, what comes next, and who acts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billing.states import InvoiceState
from marketplace.kit.i18n import _, fmt_date, fmt_datetime, fmt_money
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from billing.invoices import Invoice
    from billing.payments import Payment
    from billing.transport.deliveries import Delivery
    from marketplace.kit.audit import Entry


class Step(msgspec.Struct, frozen=True):
    """One step: ``mark`` is done, now, next or stop."""

    mark: str
    title: str
    when: str = ""
    detail: str = ""


_ORDER = ("issued", "opened", "sent", "delivered", "delivery_failed", "sent_again", "processing", "payment_received", "paid", "given_up", "voided")


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Return audit entries by time; those of one instant in the order of an invoice's life."""
    places = {f"invoice.{event}": place for place, event in enumerate(_ORDER)}
    return sorted(entries, key=lambda entry: (entry.at, places.get(entry.event, len(_ORDER))))


def tell(
    invoice: Invoice, entries: Sequence[Entry], payments: Sequence[Payment], *, today: date, sent: Sequence[Delivery] = ()
) -> list[Step]:
    """Return the steps of an invoice in order of time, then what comes; ``sent`` are its deliveries, for their addresses."""
    addresses = {str(delivery.id): delivery.address for delivery in sent}
    steps = [step for entry in in_order(entries) if (step := _past(invoice, entry, payments, addresses)) is not None]
    return [*steps, *_coming(invoice, entries, today)]


def _past(invoice: Invoice, entry: Entry, payments: Sequence[Payment], addresses: Mapping[str, str]) -> Step | None:
    """Return the step of an audited event, or None for one that isn't part of the story."""
    if entry.event == "invoice.payment_received":
        return _received(entry, payments)
    to = addresses.get(str(entry.data.get("delivery")), "")
    told = {
        "invoice.issued": ("done", _("Issued"), ""),
        "invoice.sent": ("done", _("Mailed"), _("To {address}", address=to or invoice.buyer["email"])),
        "invoice.delivered": ("done", _("Delivered by Peppol"), _("To {address}", address=to) if to else ""),
        "invoice.delivery_failed": ("stop", *_undelivered(entry)),
        "invoice.opened": ("done", _("Can be paid online"), ""),
        "invoice.processing": ("done", _("Payment on its way"), _("The bank has it. That can take a few days.")),
        "invoice.paid": ("done", _("Paid"), ""),
        "invoice.voided": ("stop", _("Void"), _("Nothing is owed for this invoice.")),
        "invoice.given_up": ("stop", _("Not collected"), ""),
    }.get(entry.event)
    return Step(told[0], told[1], fmt_datetime(entry.at), told[2]) if told else None


def _undelivered(entry: Entry) -> tuple[str, str]:
    if entry.data.get("channel") == "peppol":
        return _("Not delivered by Peppol"), _("It was mailed instead.")
    return _("The mail was refused"), _("Expat Centre Leiden looks for the right address.")


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
    if not any(entry.event in {"invoice.sent", "invoice.delivered"} for entry in entries):
        by_peppol = invoice.buyer.get("channel") == "peppol"
        title = _("The e-invoice is made and goes out by Peppol") if by_peppol else _("The PDF is made and mailed")
        steps.append(Step("now", title, "", _("That takes less than a minute.")))
    due = fmt_date(invoice.due_on, "long")
    if invoice.is_overdue(today):
        days = (today - invoice.due_on).days
        return [
            *steps,
            Step("stop", _("Was due on {date}", date=due), "", _("{days} days ago.", days=days) if days > 1 else _("Yesterday.")),
        ]
    mark = "next" if steps else "now"
    return [*steps, Step(mark, _("To pay by {date}", date=due), "", _("Today.") if invoice.due_on == today else "")]
