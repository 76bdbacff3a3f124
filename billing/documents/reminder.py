"""The reminder: which invoices are late, and what is asked now. Three levels, each firmer than the one before. Pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar

import msgspec

from billing.documents import wording
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

    @property
    def sentence(self) -> str:
        """How the amount came about."""
        return _(
            "{number}: {rate} a year over {base}, {period} ({days})",
            number=self.invoice_number,
            rate=wording.rate(self.rate),
            base=wording.euro(self.base_cents),
            period=wording.span(self.from_on, self.until_on),
            days=n_("{n} day", "{n} days", self.days),
        )


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
    def letter(self) -> list[str]:
        """The paragraphs above the table, as firm as the level."""
        oldest = min(invoice.due_on for invoice in self.invoices)
        said = {
            "amount": wording.euro(self.open_cents),
            "number": self.invoices[0].number,
            "due": fmt_date(oldest, "long"),
            "late": n_("{n} day", "{n} days", (self.dated_on - oldest).days),
            "by": fmt_date(self.pay_by_on, "long"),
        }
        n = len(self.invoices)
        return {FIRST: _friendly, SECOND: _firm}.get(self.level, _last)(n, said)

    @property
    def consequences(self) -> list[str]:
        """What happens when nothing comes, beside the total."""
        parts = []
        if self.blocked_on and self.blocked_on <= self.dated_on:
            parts.append(_("New orders wait until this is paid. Courses that were ordered before go on."))
        elif self.blocked_on:
            parts.append(_("From {date} new orders wait until this is paid.", date=fmt_date(self.blocked_on, "long")))
        if self.collection_on:
            date = fmt_date(self.collection_on, "long")
            parts.append(_("Is it not paid on {date}? Then we hand it over for collection, at your cost.", date=date))
        return [*parts, self.costs_text] if self.costs_text else parts

    @property
    def sums(self) -> list[tuple[str, int]]:
        """What the total is made of."""
        rows = [(n_("Open of the invoice", "Open of {n} invoices", len(self.invoices)), self.open_cents)]
        interest = sum(line.cents for line in self.interest)
        rows += [(_("Interest"), interest)] if interest else []
        return rows + ([(_("Collection costs"), self.costs_cents)] if self.costs_cents else [])

    @property
    def small_print(self) -> str:
        """The foot of the last page."""
        parts = [_("Is something not right? Call or mail us: payment then waits until it is solved.")]
        if self.interest:
            parts.append(_("Interest is the statutory interest on late payment between businesses (art. 6:119a of the Dutch Civil Code)."))
        return " ".join(parts)

    @property
    def pay(self) -> PayRequest:
        """The whole amount, quoting the reference."""
        reference = self.payment_reference or self.invoices[0].number
        return PayRequest(cents=self.total_cents, reference=reference, by_on=self.pay_by_on, link=self.payment_link, url=self.payment_url)


def _friendly(n: int, said: dict[str, str]) -> list[str]:
    return [
        n_(
            "We have not yet received {amount} for invoice {number}, which was due on {due}.",
            "We have not yet received {amount} for {n} invoices. The oldest was due on {due}.",
            n,
            **said,
        ),
        _(
            "Did you pay in the last few days? Then this letter crossed your payment, and you need do nothing. If not, please pay by {by}.",
            **said,
        ),
    ]


def _firm(n: int, said: dict[str, str]) -> list[str]:
    return [
        n_(
            "Invoice {number} is now {late} late. {amount} is still open, although we reminded you of it.",
            "{n} invoices are late, the oldest by {late}. {amount} is still open, although we reminded you of it.",
            n,
            **said,
        ),
        _("Please pay by {by}. Is something holding it up, a PO number for example? Tell us today, and we solve it together.", **said),
    ]


def _last(n: int, said: dict[str, str]) -> list[str]:
    return [
        n_(
            "This is our last reminder. Invoice {number} is {late} late, and {amount} is still open.",
            "This is our last reminder. {n} invoices are late, the oldest by {late}, and {amount} is still open.",
            n,
            **said,
        ),
        _("We must receive the amount below by {by}.", **said),
    ]


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
