"""The chart of accounts as data: number, name in both languages, kind, and code of the Dutch reference chart (RGS).

The books know few accounts; the chart divides turnover by its VAT, as accountants' programs expect. The numbers are
ECL's to choose: whoever takes the export into a program with other numbers changes this table only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from billing.ledger import Account
from marketplace.kit.i18n import N_, _, current_locale

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["balance", "result"]
_A = Account


class Line(msgspec.Struct, frozen=True):
    """One account of the chart. ``rgs`` is its code in the reference chart, as near as it goes."""

    number: str
    name_en: str
    name_nl: str
    kind: Kind
    rgs: str

    @property
    def name(self) -> str:
        """Return the name in the reader's language."""
        return self.name_nl if current_locale() == "nl" else self.name_en


CHART: dict[Account, Line] = {
    _A.BANK: Line("1100", "Bank", "Bank", "balance", "BLimBanRba"),
    _A.PAYOUT_TRANSIT: Line("1190", "Payouts on their way", "Uitbetalingen onderweg", "balance", "BLimKruSto"),
    _A.STRIPE: Line("1195", "Balance at Stripe", "Tegoed bij Stripe", "balance", "BVorTusTonTcv"),
    _A.RECEIVABLE: Line("1300", "Debtors", "Debiteuren", "balance", "BVorDebHad"),
    _A.INPUT_VAT: Line("1520", "VAT to reclaim", "Voorbelasting", "balance", "BSchBepBtwVoo"),
    _A.VAT: Line("1500", "VAT to pay", "Te betalen btw", "balance", "BSchBepBtwOla"),
    _A.PARTNER_PAYABLE: Line("1600", "Owed to partners", "Te betalen aan partners", "balance", "BSchCreHac"),
    _A.PARTNER_ACCRUED: Line(
        "1610", "Partners, not yet on a statement", "Partners, nog op te nemen in een afrekening", "balance", "BSchOpaNto"
    ),
    _A.UNALLOCATED: Line("1890", "Money received, not yet allocated", "Ontvangen, nog toe te wijzen", "balance", "BSchOvsOvs"),
    _A.BAD_DEBT: Line("4310", "Debts written off", "Afgeboekte debiteuren", "result", "WBedVkkAdd"),
    _A.FEES: Line("4600", "Payment costs", "Kosten van betalen", "result", "WFbeBan"),
    _A.PARTNER_COST: Line("7000", "Partners' courses", "Inkoop van partners", "result", "WKprKuwKuw"),
    _A.REVENUE: Line("8000", "Turnover", "Omzet", "result", "WOmzNodNod"),
    _A.COMMISSION: Line("8100", "Commission", "Commissie", "result", "WOmzNodOdh"),
    _A.INTEREST: Line("9100", "Interest for late payment", "Rente wegens te late betaling", "result", "WFbeRlm"),
}
"""The accounts of the books, in the order in which a trial balance lists them (by number: ``ordered``)."""

EARLIER_RESULT = Line("0500", "Result of earlier years", "Resultaat vorige jaren", "balance", "BEivOreRvj")
"""Where the result accounts of closed years are carried to when a new year opens."""

_TURNOVER: dict[str, Line] = {
    "S": Line("8000", "Turnover, 21% VAT", "Omzet, 21% btw", "result", "WOmzNodOdh"),
    "S9": Line("8010", "Turnover, 9% VAT", "Omzet, 9% btw", "result", "WOmzNodOdl"),
    "S?": Line("8015", "Turnover, other VAT rates", "Omzet, overige btw-tarieven", "result", "WOmzNodOdo"),
    "Z": Line("8020", "Turnover, 0% VAT", "Omzet, 0% btw", "result", "WOmzNodOdg"),
    "E": Line("8030", "Turnover, VAT-exempt", "Omzet, vrijgesteld van btw", "result", "WOmzNodNod"),
    "AE": Line("8040", "Turnover, VAT reverse-charged", "Omzet, btw verlegd", "result", "WOmzNodOdi"),
}
STANDARD, REDUCED = Decimal(21), Decimal(9)


def line(account: Account, vat_category: str | None = None, vat_rate: Decimal | None = None) -> Line:
    """Return the account of the chart for a posting; turnover is divided by its VAT."""
    if account is not Account.REVENUE or vat_category is None:
        return CHART[account]
    if vat_category == "S" and vat_rate != STANDARD:
        return _TURNOVER["S9" if vat_rate == REDUCED else "S?"]
    return _TURNOVER[vat_category]


def ordered() -> Iterator[tuple[Account, Line]]:
    """Give the accounts of the books by their number."""
    yield from sorted(CHART.items(), key=lambda pair: pair[1].number)


def every_line() -> list[Line]:
    """Return every account that a file may name, by number."""
    found = {one.number: one for one in (*CHART.values(), *_TURNOVER.values(), EARLIER_RESULT)}
    return [found[number] for number in sorted(found)]


def vat_code(category: str, rate: Decimal | None) -> str:
    """Return the short VAT code of files: ``S21``, ``S9``, ``E``, ``AE``, ``Z``."""
    return f"S{(rate or Decimal(0)).normalize():f}" if category == "S" else category


_UNTAXED = {"E": N_("VAT-exempt"), "AE": N_("VAT reverse charge"), "Z": N_("0% VAT, with a certificate")}


def vat_words(category: str, rate: Decimal | None) -> str:
    """Return a VAT code in words."""
    if category == "S":
        return _("{rate}% VAT", rate=f"{(rate or Decimal(0)).normalize():f}")
    return _(_UNTAXED[category])


class Journal(msgspec.Struct, frozen=True):
    """A journal: its code in files, its kind in the audit file, its name."""

    code: str
    kind: str
    name_en: str
    name_nl: str

    @property
    def name(self) -> str:
        """Return the name in the reader's language."""
        return self.name_nl if current_locale() == "nl" else self.name_en


SALES = Journal("VRK", "S", "Sales", "Verkoop")
PURCHASE = Journal("INK", "P", "Purchase", "Inkoop")
BANK = Journal("BNK", "B", "Bank", "Bank")
STRIPE = Journal("STR", "B", "Stripe", "Stripe")
MEMORIAL = Journal("MEM", "M", "Memorial", "Memoriaal")
JOURNALS = (SALES, PURCHASE, BANK, STRIPE, MEMORIAL)

_SALES_EVENTS = {"invoice_issued", "credit_issued"}
_PURCHASE_EVENTS = {"partner_accrued", "partner_reversed", "statement_issued"}
EVENT_NAMES: dict[str, str] = {
    "invoice_issued": N_("Invoice"),
    "credit_issued": N_("Credit note"),
    "payment_received": N_("Payment"),
    "refund_made": N_("Money paid back"),
    "payment_returned": N_("Payment returned"),
    "written_off": N_("Written off"),
    "write_off_reversed": N_("Write-off undone"),
    "set_off": N_("Set off"),
    "transfer_received": N_("Transfer received"),
    "transfer_allocated": N_("Transfer allocated"),
    "stripe_payout": N_("Payout by Stripe"),
    "partner_accrued": N_("Partner's course accrued"),
    "partner_reversed": N_("Partner's course reversed"),
    "statement_issued": N_("Partner's statement"),
    "payout_sent": N_("Paid to partners"),
    "payout_returned": N_("Payout returned"),
    "manual": N_("By hand"),
}


def event_name(event: str) -> str:
    """Return what an event of the books is called; one without a name keeps its code."""
    return _(EVENT_NAMES.get(event, event))


def journal(event: str, accounts: frozenset[str] | set[str]) -> Journal:
    """Return the journal of an entry: by its event, and for money by the account where it stands. Pure."""
    if event in _SALES_EVENTS:
        return SALES
    if event in _PURCHASE_EVENTS:
        return PURCHASE
    if Account.BANK in accounts:
        return BANK
    return STRIPE if Account.STRIPE in accounts else MEMORIAL
