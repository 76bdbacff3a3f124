"""The partner's settlement statement: what was delivered, the commission, the share, and what is paid out when. Pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar

import msgspec

from billing.documents import wording
from billing.documents.parts import Party, VatCategory, VatTotal, refuse
from billing.documents.sheet import Paper, paper_faults
from marketplace.kit.i18n import _, fmt_date


class SettlementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One course run that became payable, or the taking back of one. All amounts without VAT.

    ``price_cents`` is what was charged for ``people`` people together, ``commission_cents`` the operator's part of it, said in
    ``commission_text`` ("15%", "€25.00 each"), ``share_cents`` the difference: the partner's. ``session`` is the code that the
    partner knows. A ``reversal`` has amounts at or below zero and says in ``detail`` what it takes back ("cancelled, statement
    2026-10"). ``vat_category`` and ``vat_rate`` are the partner's VAT on its share.
    """

    title: str
    price_cents: int
    commission_cents: int
    share_cents: int
    vat_category: VatCategory
    vat_rate: Decimal
    people: int = 0
    from_on: date | None = None
    to_on: date | None = None
    session: str = ""
    commission_text: str = ""
    detail: str = ""
    reversal: bool = False

    @property
    def when(self) -> str:
        """The days of the course and its code."""
        return _when(self)


class AccruedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A share that is earned or coming but not payable yet: shown for information, in no total.

    ``payable_on`` is when it is expected to become payable; ``held_because`` says what stops it (an incident), in full words.
    """

    title: str
    share_cents: int
    people: int = 0
    from_on: date | None = None
    to_on: date | None = None
    session: str = ""
    payable_on: date | None = None
    held_because: str = ""

    @property
    def when(self) -> str:
        """The days of the course and its code."""
        return _when(self)

    @property
    def payable(self) -> str:
        """When it becomes payable, or what stops it."""
        if self.held_because:
            return _("On hold: {reason}", reason=self.held_because)
        return _("Payable from {date}", date=fmt_date(self.payable_on, "long")) if self.payable_on else _("After the course")


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """Anything else between us, above zero for the partner: a set-off, a returned payout."""

    text: str
    cents: int


class SettlementStatement(Paper, frozen=True, kw_only=True, tag="settlement"):
    """A partner's statement over a period.

    ``net_cents`` = Σ shares; ``vat`` one row per code over them (one cent of room each); ``total_cents`` = net + VAT, and may
    be below zero. ``opening_cents`` is what was still owed from before (below zero: the partner owed us);
    ``closing_cents`` = opening + total + adjustments - ``payout_cents`` is what is carried over to the next statement.
    ``payout_cents`` ≥ 0 goes to ``payout_iban`` on ``payout_on``. ``objection_until_on`` is the last day to object.
    ``self_billed_number`` names our self-billed invoice; without one, ``invoice_wanted`` asks the partner for theirs.
    Raises ``DocumentError`` when the sums don't hold.
    """

    template: ClassVar[str] = "documents/settlement.html"

    addressee: Party
    from_on: date
    to_on: date
    lines: tuple[SettlementLine, ...]
    vat: tuple[VatTotal, ...]
    net_cents: int
    vat_cents: int
    total_cents: int
    payout_cents: int
    opening_cents: int = 0
    closing_cents: int = 0
    adjustments: tuple[Adjustment, ...] = ()
    accrued: tuple[AccruedLine, ...] = ()
    payout_on: date | None = None
    payout_iban: str = ""
    objection_until_on: date | None = None
    self_billed_number: str = ""
    invoice_wanted: bool = False
    objection_email: str = ""

    def __post_init__(self) -> None:
        """Refuse a statement that doesn't add up."""
        refuse(self.number, [*paper_faults(self, addressee=self.addressee), *_faults(self)])

    @property
    def accrued_cents(self) -> int:
        """What is still to come, for information."""
        return sum(line.share_cents for line in self.accrued)

    @property
    def sums(self) -> list[tuple[str, int]]:
        """From this period's shares to what is paid out."""
        rows = [(_("Your shares"), self.net_cents), (_("VAT"), self.vat_cents)]
        rows += [(_("Opening balance"), self.opening_cents)] if self.opening_cents else []
        rows += [(adjustment.text, adjustment.cents) for adjustment in self.adjustments]
        carried = self.closing_cents if self.payout_cents else 0
        return rows + ([(_("Carried over"), -carried)] if carried else [])

    @property
    def small_print(self) -> str:
        """The foot of the last page: how to object, and whose invoice belongs to it."""
        parts = []
        if self.objection_until_on:
            date, address = fmt_date(self.objection_until_on, "long"), self.objection_email or self.sender.email
            parts.append(
                _(
                    "Not right? Tell us by {date} at the latest, at {address}. What you object to waits; the rest is paid.",
                    date=date,
                    address=address,
                )
            )
        if self.self_billed_number:
            parts.append(
                _(
                    "Our self-billed invoice {number} belongs to this statement. You need not send an invoice.",
                    number=self.self_billed_number,
                )
            )
        elif self.invoice_wanted:
            parts.append(
                _(
                    "Please send us your invoice for {amount}, quoting {number}. We pay after that.",
                    amount=wording.euro(self.total_cents),
                    number=self.number,
                )
            )
        parts.append(_("Amounts are in euros; shares and commission are without VAT."))
        return " ".join(parts)

    @property
    def heading(self) -> str:
        """Its title."""
        return _("Settlement statement")

    @property
    def about(self) -> str:
        """The partner."""
        return self.addressee.name

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Date, period, the invoice that belongs to it, the last day to object."""
        return [
            (_("Date"), fmt_date(self.dated_on, "long")),
            (_("From"), fmt_date(self.from_on, "long")),
            (_("Up to and including"), fmt_date(self.to_on, "long")),
            (_("Self-billed invoice"), self.self_billed_number),
            (_("Object until"), fmt_date(self.objection_until_on, "long") if self.objection_until_on else ""),
            (_("Your VAT number"), self.addressee.vat_id),
        ]


def _when(line: SettlementLine | AccruedLine) -> str:
    return ", ".join(part for part in (wording.span(line.from_on, line.to_on), line.session) if part)


def _faults(statement: SettlementStatement) -> list[str]:
    faults = [] if statement.number else ["number is missing"]
    if statement.from_on > statement.to_on:
        faults.append("the period runs backwards")
    for at, line in enumerate(statement.lines, 1):
        if line.price_cents - line.commission_cents != line.share_cents:
            faults.append(f"line {at}: the share is not the price less commission")
        if line.share_cents * (-1 if line.reversal else 1) < 0:
            faults.append(f"line {at}: only a reversal lies below zero, and only below")
    return faults + _sum_faults(statement) + _payout_faults(statement)


def _sum_faults(statement: SettlementStatement) -> list[str]:
    shares: dict[tuple[VatCategory, Decimal], int] = {}
    for line in statement.lines:
        key = line.vat_category, line.vat_rate.normalize()
        shares[key] = shares.get(key, 0) + line.share_cents
    stated = {(total.category, total.rate.normalize()): total for total in statement.vat}
    faults = [] if {key: total.net_cents for key, total in stated.items()} == shares else ["the VAT table doesn't follow from the lines"]
    for (_category, rate), total in stated.items():
        if abs(total.vat_cents - total.net_cents * rate / 100) > (1 if rate else 0):
            faults.append(f"VAT at {rate} % is not the rate over the net")
    if statement.net_cents != sum(total.net_cents for total in statement.vat):
        faults.append("net is not the sum of the VAT table")
    if statement.vat_cents != sum(total.vat_cents for total in statement.vat):
        faults.append("VAT is not the sum of the VAT table")
    if statement.net_cents + statement.vat_cents != statement.total_cents:
        faults.append("total is not net plus VAT")
    return faults


def _payout_faults(statement: SettlementStatement) -> list[str]:
    carried = statement.opening_cents + statement.total_cents + sum(it.cents for it in statement.adjustments) - statement.payout_cents
    faults = [] if carried == statement.closing_cents else ["the closing balance is not opening plus total plus adjustments less payout"]
    if statement.payout_cents < 0:
        faults.append("a payout is never below zero")
    if statement.payout_cents and not (statement.payout_on and statement.payout_iban):
        faults.append("a payout needs its day and its IBAN")
    return faults
