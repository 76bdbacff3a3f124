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


_ORDER = (
    "issued",
    "opened",
    "sent",
    "delivered",
    "delivery_failed",
    "sent_again",
    "processing",
    "partly_arrived",
    "payment_received",
    "credited",
    "set_off",
    "refund_requested",
    "refunded",
    "paid",
    "given_up",
    "voided",
)


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Return audit entries by time; those of one instant in the order of an invoice's life."""
    places = {f"invoice.{event}": place for place, event in enumerate(_ORDER)}
    return sorted(entries, key=lambda entry: (entry.at, places.get(entry.event, len(_ORDER))))


def tell(
    invoice: Invoice, entries: Sequence[Entry], payments: Sequence[Payment], *, today: date, sent: Sequence[Delivery] = ()
) -> list[Step]:
    """Return the steps of an invoice in order of time, then what comes; ``sent`` are its deliveries, for their addresses."""
    addresses = {str(delivery.id): delivery.address for delivery in sent}
    told = in_order(entries)
    told = [entry for at, entry in enumerate(told) if not _said_better(told, at)]
    steps = [step for at, entry in enumerate(told) if (step := _fell_short(told[:at], entry) or _past(invoice, entry, payments, addresses))]
    return [*steps, *_coming(invoice, entries, today)]


def _said_better(told: Sequence[Entry], at: int) -> bool:
    """Tell whether an entry only says again, with less, that a transfer brought too little."""
    short = [entry.at for entry in told if entry.event == "invoice.partly_arrived"]
    return told[at].event == "invoice.opened" and told[at].at in short


def _partly(entry: Entry) -> Step:
    came, missing = (fmt_money(Money(int(entry.data[name]))) for name in ("cents", "left_cents"))
    title = _("{amount} has come in, {missing} is missing", amount=came, missing=missing)
    detail = _("Send the rest to the same account, with the same reference: then it is paid. Don't send all of it again.")
    return Step("stop", title, fmt_datetime(entry.at), detail)


def _fell_short(before: Sequence[Entry], entry: Entry) -> Step | None:
    """Return the step of an invoice that can be paid again after a payment was on its way, or None for any other event."""
    if entry.event != "invoice.opened" or not any(one.event == "invoice.processing" for one in before):
        return None
    detail = _("It failed, or a transfer brought less. The payment page says what is still to come.")
    return Step("stop", _("The payment did not come in full"), fmt_datetime(entry.at), detail)


def _past(invoice: Invoice, entry: Entry, payments: Sequence[Payment], addresses: Mapping[str, str]) -> Step | None:
    """Return the step of an audited event, or None for one that isn't part of the story."""
    if entry.event == "invoice.partly_arrived":
        return _partly(entry)
    if entry.event == "invoice.payment_received":
        return _received(entry, payments)
    to = addresses.get(str(entry.data.get("delivery")), "")
    told = {
        "invoice.issued": ("done", _("Issued"), ""),
        "invoice.sent": ("done", _("Mailed"), _("To {address}", address=to or invoice.buyer["email"])),
        "invoice.reminded": (
            "now",
            {1: _("Reminder"), 2: _("Second reminder")}.get(int(entry.data.get("level", 3)), _("Final reminder")),
            "",
        ),
        "invoice.held": ("now", _("Held back"), _("Nobody is reminded of it for now.")),
        "invoice.hold_lifted": ("done", _("No longer held back"), ""),
        "invoice.allocation_undone": (
            "stop",
            _("{amount} was booked elsewhere", amount=fmt_money(Money(int(entry.data.get("cents", 0))))),
            "",
        ),
        "invoice.delivered": ("done", _("Delivered by Peppol"), _("To {address}", address=to) if to else ""),
        "invoice.delivery_failed": ("stop", *_undelivered(entry)),
        "invoice.opened": ("done", _("Can be paid online"), ""),
        "invoice.processing": ("done", _("Payment on its way"), _("The bank has it. That can take a few days.")),
        "invoice.paid": ("done", _("Paid"), ""),
        "invoice.voided": ("stop", _("Void"), _("Nothing is owed for this invoice.")),
        "invoice.given_up": ("stop", _("Not collected"), ""),
        **_moved(entry),
    }.get(entry.event)
    return Step(told[0], told[1], fmt_datetime(entry.at), told[2]) if told else None


def _moved(entry: Entry) -> dict[str, tuple[str, str, str]]:
    """Return the steps of what was taken back and what went back, by event."""
    data = entry.data
    amount = fmt_money(Money(int(data.get("cents", 0))))
    credited = fmt_money(Money(int(data.get("net_cents", 0)) + int(data.get("vat_cents", 0))))
    asked = {"invoice.refund_requested": ("done", _("{amount} is on its way back", amount=amount), _("By Stripe, to where it came from."))}
    return {
        "invoice.credited": ("done", _("{amount} credited", amount=credited), _("Credit note {number}", number=data.get("number", ""))),
        "invoice.corrected": ("stop", _("Replaced by invoice {number}", number=data.get("number", "")), ""),
        "invoice.set_off": ("done", _("{amount} set off", amount=amount), _("Against invoice {number}", number=data.get("against", ""))),
        "invoice.refunded": ("done", _("{amount} went back", amount=amount), ""),
        "invoice.refund_failed": ("stop", _("{amount} could not be paid back", amount=amount), _("We find another way.")),
        **(asked if data.get("source") == "stripe" else {}),
    }


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
    return {
        "ideal": "iDEAL",
        "card": _("Card"),
        "bank_transfer": _("Bank transfer"),
        "customer_balance": _("Bank transfer"),
        "setoff": _("Set off"),
        "sepa_debit": _("SEPA direct debit"),
        "dispute_won": _("Back after a dispute"),
        "refund_returned": _("A refund that came back"),
    }.get(method, method)


def _coming(invoice: Invoice, entries: Sequence[Entry], today: date) -> list[Step]:
    if invoice.overpaid:
        back = _("It goes back to where it came from, or pays another invoice.")
        return [Step("now", _("{amount} to pay back", amount=fmt_money(invoice.overpaid)), "", back)]
    ended = {InvoiceState.PAID, InvoiceState.CREDITED, InvoiceState.VOID, InvoiceState.UNCOLLECTIBLE}
    if invoice.kind == "credit_note" or invoice.state in ended or invoice.due_on is None:
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
