"""The statement of account: what a company was billed and paid in a period, and what is open at its end. Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

import msgspec

from billing.documents import wording
from billing.documents.parts import Party, refuse
from billing.documents.sheet import Paper, PayRequest, paper_faults
from marketplace.kit.i18n import N_, _, fmt_date

if TYPE_CHECKING:
    from collections.abc import Iterable


class EntryKind(StrEnum):
    """What moved the account."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUND = "refund"
    SET_OFF = "set_off"
    WRITTEN_OFF = "written_off"
    INTEREST = "interest"
    CORRECTION = "correction"


ENTRY_NAMES = {
    EntryKind.INVOICE: N_("Invoice"),
    EntryKind.CREDIT_NOTE: N_("Credit note"),
    EntryKind.PAYMENT: N_("Payment"),
    EntryKind.REFUND: N_("Refund"),
    EntryKind.SET_OFF: N_("Set-off"),
    EntryKind.WRITTEN_OFF: N_("Written off"),
    EntryKind.INTEREST: N_("Interest"),
    EntryKind.CORRECTION: N_("Correction"),
}


class AccountEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement. ``cents`` is above zero when the company owes more by it (invoice, refund), below when less (payment).

    ``reference`` is the number that the reader knows (the invoice's, the payment's); ``detail`` one short phrase, such as a PO.
    """

    on: date
    kind: EntryKind
    reference: str
    cents: int
    detail: str = ""
    due_on: date | None = None

    @property
    def name(self) -> str:
        """What it is, in a word."""
        return _(ENTRY_NAMES[self.kind])


class OpenItem(msgspec.Struct, frozen=True, kw_only=True):
    """What is open of one invoice at the end of the period; below zero when the company has money with us on it."""

    number: str
    dated_on: date
    due_on: date
    total_cents: int
    open_cents: int
    purchase_order: str = ""


class Ageing(msgspec.Struct, frozen=True, kw_only=True):
    """Open amounts by how many days they are late, in cents."""

    not_due: int = 0
    to_30: int = 0
    to_60: int = 0
    to_90: int = 0
    over_90: int = 0

    @property
    def overdue(self) -> int:
        """What is late, however long."""
        return self.to_30 + self.to_60 + self.to_90 + self.over_90

    @property
    def named(self) -> list[tuple[str, int]]:
        """Each age in words with its amount."""
        return [
            (_("Not due"), self.not_due),
            (_("1–30 days late"), self.to_30),
            (_("31–60 days"), self.to_60),
            (_("61–90 days"), self.to_90),
            (_("More than 90 days"), self.over_90),
        ]


_STEPS = ((0, "not_due"), (30, "to_30"), (60, "to_60"), (90, "to_90"))


def ageing(items: Iterable[OpenItem], *, on: date) -> Ageing:
    """Return the open amounts by age on a day: not due until and on the due date, then 1-30, 31-60, 61-90 and more days late.

    What the company has with us (below zero) is never late, so it makes nothing that is late look smaller.
    """
    sums: dict[str, int] = {}
    for item in items:
        late = (on - item.due_on).days if item.open_cents > 0 else 0
        bucket = next((name for limit, name in _STEPS if late <= limit), "over_90")
        sums[bucket] = sums.get(bucket, 0) + item.open_cents
    return Ageing(**sums)


class AccountStatement(Paper, frozen=True, kw_only=True, tag="account"):
    """A company's account over a period, both days included, with the balance after each movement.

    ``entries`` in the order of the page; ``opening_cents`` + their sum = ``closing_cents`` (above zero: the company owes).
    ``open_items`` are what the closing balance consists of, less ``unallocated_cents`` (≥ 0: received, not yet booked
    to an invoice); their ages are worked out here, as of ``to_on``. None leaves that part out. With ``payment_reference`` and
    a balance to pay there is a pay box for the whole balance. ``number`` may stay empty.
    Raises ``DocumentError`` when the balances don't follow from the movements.
    """

    template: ClassVar[str] = "documents/account.html"

    addressee: Party
    from_on: date
    to_on: date
    opening_cents: int
    closing_cents: int
    entries: tuple[AccountEntry, ...]
    open_items: tuple[OpenItem, ...] | None = None
    unallocated_cents: int = 0
    payment_reference: str = ""
    payment_link: str = ""
    payment_url: str = ""
    customer_number: str = ""

    def __post_init__(self) -> None:
        """Refuse an account that doesn't add up."""
        refuse(self.number or f"account of {self.addressee.name}", [*paper_faults(self, addressee=self.addressee), *_faults(self)])

    @property
    def rows(self) -> list[tuple[AccountEntry, int]]:
        """Each movement with the balance after it, in cents."""
        balances = accumulate((entry.cents for entry in self.entries), initial=self.opening_cents)
        next(balances)
        return list(zip(self.entries, balances, strict=True))

    @property
    def ages(self) -> Ageing:
        """The open items by age at the end of the period."""
        return ageing(self.open_items or (), on=self.to_on)

    @property
    def sums(self) -> list[tuple[str, int]]:
        """From the opening balance to the closing one."""
        billed = sum(entry.cents for entry in self.entries if entry.cents > 0)
        received = sum(entry.cents for entry in self.entries if entry.cents < 0)
        return [(_("Opening balance"), self.opening_cents), (_("Billed"), billed), (_("Received and credited"), received)]

    @property
    def sentence(self) -> str:
        """What the balance means for the reader."""
        if self.closing_cents < 0:
            return _(
                "You have {amount} with us. We set it off against your next invoice, or pay it back when you ask.",
                amount=wording.euro(-self.closing_cents),
            )
        if not self.closing_cents:
            return _("Everything is paid. You need do nothing.")
        overdue = self.ages.overdue
        if overdue > 0:
            return _("{overdue} of this is past its due date.", overdue=wording.euro(overdue))
        return _("None of this is past its due date.") if self.open_items is not None else ""

    @property
    def small_print(self) -> str:
        """The foot of the last page."""
        return _(
            "Does your own ledger show something else? Send us your list of open items: we compare the two and tell you where they differ."
        )

    @property
    def heading(self) -> str:
        """Its title."""
        return _("Statement of account")

    @property
    def about(self) -> str:
        """The company."""
        return self.addressee.name

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Date, period, customer."""
        return [
            (_("Date"), fmt_date(self.dated_on, "long")),
            (_("From"), fmt_date(self.from_on, "long")),
            (_("Up to and including"), fmt_date(self.to_on, "long")),
            (_("Your customer number"), self.customer_number),
            (_("Your VAT number"), self.addressee.vat_id),
        ]

    @property
    def pay(self) -> PayRequest | None:
        """The balance, when there is one and a reference to quote."""
        if self.closing_cents <= 0 or not self.payment_reference:
            return None
        return PayRequest(cents=self.closing_cents, reference=self.payment_reference, link=self.payment_link, url=self.payment_url)


def _faults(statement: AccountStatement) -> list[str]:
    faults = [] if statement.from_on <= statement.to_on else ["the period runs backwards"]
    if any(not statement.from_on <= entry.on <= statement.to_on for entry in statement.entries):
        faults.append("a movement lies outside the period")
    if statement.opening_cents + sum(entry.cents for entry in statement.entries) != statement.closing_cents:
        faults.append("the closing balance is not the opening balance plus the movements")
    if statement.unallocated_cents < 0:
        faults.append("money that isn't booked yet can't be below zero")
    items = statement.open_items
    if items is not None and sum(item.open_cents for item in items) - statement.unallocated_cents != statement.closing_cents:
        faults.append("the open items don't add up to the closing balance")
    return faults
