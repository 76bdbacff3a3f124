"""The reminder: which invoices are late, and what is asked now. Three levels, each firmer than the one before. Pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar

import msgspec

from billing.documents.parts import Party, refuse
from billing.documents.sheet import Paper, PayRequest, paper_faults
from marketplace.kit.i18n import _, fmt_date, n_

FIRST, SECOND, LAST = 1, 2, 3


class OverdueInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """One late invoice. ``open_cents`` is what is still to be paid of ``total_cents`` after payments and credit notes."""

    number: str
    dated_on: date
    due_on: date
    total_cents: int
    open_cents: int
    purchase_order: str = ""


class InterestLine(msgspec.Struct, frozen=True, kw_only=True):
    """Interest on one invoice at one rate: ``rate`` per cent a year over ``base_cents``, first and last day included.

    The amount is the caller's: it is printed, with its base, rate and days, and added up.
    """

    invoice_number: str
    base_cents: int
    rate: Decimal
    from_on: date
    until_on: date
    cents: int

    @property
    def days(self) -> int:
        """How many days it runs, both ends included."""
        return (self.until_on - self.from_on).days + 1


class Reminder(Paper, frozen=True, kw_only=True, tag="reminder"):
    """A reminder of level 1 (friendly), 2 (firm) or 3 (last), to one debtor, for one or more late invoices.

    ``total_cents`` = what is open + interest + costs, and is what the QR asks for, quoting ``payment_reference`` (the invoice's
    number when there is one; required when there are several). ``costs_cents`` are collection costs, with ``costs_text`` for
    their ground. ``blocked_on``: from that day new orders wait until this is paid; a day not after ``dated_on`` says "now".
    ``collection_on``: from that day we may hand the claim to a collection agency. ``number`` may stay empty.
    Raises ``DocumentError`` when a part is missing or the sum doesn't hold.
    """

    template: ClassVar[str] = "documents/reminder.html"

    addressee: Party
    level: int
    invoices: tuple[OverdueInvoice, ...]
    pay_by_on: date
    total_cents: int
    interest: tuple[InterestLine, ...] = ()
    costs_cents: int = 0
    costs_text: str = ""
    blocked_on: date | None = None
    collection_on: date | None = None
    payment_reference: str = ""
    payment_link: str = ""
    payment_url: str = ""
    customer_number: str = ""

    def __post_init__(self) -> None:
        """Refuse a reminder that asks for the wrong amount or for what isn't late."""
        refuse(self.number or f"reminder to {self.addressee.name}", [*paper_faults(self, addressee=self.addressee), *_faults(self)])

    @property
    def open_cents(self) -> int:
        """What is open of the invoices together."""
        return sum(invoice.open_cents for invoice in self.invoices)

    @property
    def heading(self) -> str:
        """Friendly, firm or last."""
        return {FIRST: _("Reminder"), SECOND: _("Second reminder")}.get(self.level, _("Final reminder"))

    @property
    def about(self) -> str:
        """The debtor."""
        return self.addressee.name

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Date, day to pay, customer."""
        return [
            (_("Date"), fmt_date(self.dated_on, "long")),
            (_("Pay by"), fmt_date(self.pay_by_on, "long")),
            (
                n_("Late invoice", "Late invoices", len(self.invoices)),
                self.invoices[0].number if len(self.invoices) == 1 else str(len(self.invoices)),
            ),
            (_("Your customer number"), self.customer_number),
        ]

    @property
    def pay(self) -> PayRequest:
        """The whole amount, quoting the reference."""
        reference = self.payment_reference or self.invoices[0].number
        return PayRequest(cents=self.total_cents, reference=reference, by_on=self.pay_by_on, link=self.payment_link, url=self.payment_url)


def _faults(reminder: Reminder) -> list[str]:
    numbers = [invoice.number for invoice in reminder.invoices]
    faults = [] if reminder.level in {FIRST, SECOND, LAST} else [f"level {reminder.level} is not 1, 2 or 3"]
    if not numbers:
        return [*faults, "there are no late invoices"]
    if len(set(numbers)) != len(numbers):
        faults.append("an invoice is named twice")
    for invoice in reminder.invoices:
        if not 0 < invoice.open_cents <= invoice.total_cents:
            faults.append(f"invoice {invoice.number}: the open amount is not between zero and its total")
        if invoice.due_on >= reminder.dated_on:
            faults.append(f"invoice {invoice.number} is not late")
    if reminder.pay_by_on < reminder.dated_on:
        faults.append("the day to pay lies before the reminder")
    if len(numbers) > 1 and not reminder.payment_reference:
        faults.append("several invoices need a payment reference")
    return faults + _sum_faults(reminder, set(numbers))


def _sum_faults(reminder: Reminder, numbers: set[str]) -> list[str]:
    faults = []
    for line in reminder.interest:
        if line.invoice_number not in numbers:
            faults.append(f"interest on {line.invoice_number}, which is not in this reminder")
        if line.cents < 0 or line.until_on < line.from_on:
            faults.append(f"interest on {line.invoice_number} is below zero or runs backwards")
    if reminder.costs_cents < 0:
        faults.append("costs are below zero")
    if reminder.total_cents != reminder.open_cents + sum(line.cents for line in reminder.interest) + reminder.costs_cents:
        faults.append("total is not open amounts plus interest plus costs")
    return faults
