"""Papers for tests and for looking at: a reminder, both statements, a quote, a certificate; as long as you like."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from billing.documents.account import AccountEntry, AccountStatement, EntryKind, OpenItem
from billing.documents.certificate import Certificate
from billing.documents.model import VatCategory
from billing.documents.parts import Party, VatTotal, half_up
from billing.documents.quote import Quote
from billing.documents.reminder import InterestLine, OverdueInvoice, Reminder
from billing.documents.settlement import AccruedLine, SettlementLine, SettlementStatement
from tests.builders.documents import BUYER, PARTNER, SELLER, a_document, a_line, taxed

ON = date(2026, 12, 1)
TEACHER = Party(**{field: getattr(PARTNER, field) for field in Party.__struct_fields__})
TITLES = ("Dutch for newcomers, A0 → A1", "Business English: presenting, B2", "Working with the Dutch", "Career coaching, one to one")


def a_late_invoice(number: str = "2026-000417", *, cents: int = 64_500, due_on: date = date(2026, 11, 1), **values: Any) -> OverdueInvoice:
    given = {"total_cents": cents, "open_cents": cents, "dated_on": due_on - timedelta(days=30), **values}
    return OverdueInvoice(number=number, due_on=due_on, **given)


def a_reminder(*invoices: OverdueInvoice, level: int = 1, **values: Any) -> Reminder:
    """Make a reminder; its total follows unless given."""
    late = invoices or (a_late_invoice(),)
    interest, costs = values.get("interest", ()), values.get("costs_cents", 0)
    total = sum(it.open_cents for it in late) + sum(it.cents for it in interest) + costs
    given: dict[str, Any] = {
        "language": "en", "dated_on": ON, "sender": SELLER, "addressee": BUYER, "pay_by_on": ON + timedelta(days=14),
        "total_cents": total, "payment_reference": "RB-2026-12" if len(late) > 1 else "", **values,
    }  # fmt: skip
    return Reminder(level=level, invoices=late, **given)


def a_last_reminder(n: int = 2, **values: Any) -> Reminder:
    """Make a reminder of the third level with everything on it, for so many invoices."""
    late = tuple(
        a_late_invoice(
            f"2026-{300 + at:06d}", cents=64_500 + at, due_on=date(2026, 9, 30) + timedelta(days=at % 40), purchase_order="4500128834"
        )
        for at in range(n)
    )
    interest = tuple(
        InterestLine(
            invoice_number=it.number, base_cents=it.open_cents, rate=Decimal("10.15"), from_on=it.due_on + timedelta(days=1),
            until_on=ON, cents=half_up(Decimal(it.open_cents) * Decimal("10.15") * (ON - it.due_on).days / 36_500),
        )
        for it in late
    )  # fmt: skip
    given: dict[str, Any] = {
        "interest": interest, "costs_cents": 4_000, "costs_text": "Collection costs: at least €40 (art. 6:96(4) of the Dutch Civil Code).",
        "blocked_on": ON, "collection_on": date(2026, 12, 16), "payment_link": "ecl.example/invoices", "customer_number": "10017", **values,
    }  # fmt: skip
    return a_reminder(*late, level=3, **given)


def an_account(n: int = 6, **values: Any) -> AccountStatement:
    """Make a statement of account with so many movements; the balances follow."""
    entries = tuple(_movement(at) for at in range(n))
    opening = values.pop("opening_cents", 32_250)
    closing = opening + sum(entry.cents for entry in entries)
    paid = {entry.reference for entry in entries if entry.kind is EntryKind.PAYMENT}
    items = [
        OpenItem(
            number=it.reference,
            dated_on=it.on,
            due_on=it.due_on or it.on,
            total_cents=it.cents,
            open_cents=it.cents,
            purchase_order=it.detail[3:],
        )
        for it in entries
        if it.kind is EntryKind.INVOICE and it.reference not in paid
    ]
    rest = closing - sum(item.open_cents for item in items)
    if rest > 0:
        items.insert(
            0, OpenItem(number="2026-000101", dated_on=date(2026, 6, 1), due_on=date(2026, 7, 1), total_cents=99_900, open_cents=rest)
        )
    given: dict[str, Any] = {
        "language": "en", "dated_on": ON, "sender": SELLER, "addressee": BUYER, "from_on": date(2026, 7, 1), "to_on": date(2026, 11, 30),
        "opening_cents": opening, "closing_cents": closing, "open_items": tuple(items), "unallocated_cents": max(0, -rest),
        "payment_reference": "RB-10017", "payment_link": "ecl.example/account-statement", "customer_number": "10017", **values,
    }  # fmt: skip
    return AccountStatement(entries=entries, **given)


def _movement(at: int) -> AccountEntry:
    on = date(2026, 7, 1) + timedelta(days=min(at, 150))
    if at % 3 == 1:
        return AccountEntry(
            on=on, kind=EntryKind.PAYMENT, reference=f"2026-{400 + at - 1:06d}", cents=-(64_500 + 100 * (at - 1)), detail="iDEAL"
        )
    kind = EntryKind.INVOICE if at % 3 == 0 or at % 5 else EntryKind.CREDIT_NOTE
    if kind is EntryKind.CREDIT_NOTE:
        return AccountEntry(on=on, kind=kind, reference=f"C2026-{at:06d}", cents=-1_250)
    cents = 64_500 + 100 * at
    return AccountEntry(
        on=on, kind=kind, reference=f"2026-{400 + at:06d}", cents=cents, detail="PO 4500128834", due_on=on + timedelta(days=30)
    )


def a_share(title: str = TITLES[0], *, cents: int = 258_000, people: int = 4, reversal: bool = False, **values: Any) -> SettlementLine:
    """Make a line of which 15% is commission."""
    sign = -1 if reversal else 1
    commission = half_up(Decimal(cents) * 15 / 100)
    given: dict[str, Any] = {
        "vat_category": VatCategory.EXEMPT, "vat_rate": Decimal(0), "from_on": date(2026, 10, 5), "to_on": date(2026, 11, 23),
        "session": "NL-A1-2610", "commission_text": "15%", **values,
    }  # fmt: skip
    return SettlementLine(
        title=title, people=people, price_cents=sign * cents, commission_cents=sign * commission, share_cents=sign * (cents - commission),
        reversal=reversal, **given,
    )  # fmt: skip


def a_settlement(*lines: SettlementLine, **values: Any) -> SettlementStatement:
    """Make a partner's statement; VAT, sums and payout follow unless given."""
    chosen = lines or (a_share(), a_share(TITLES[3], cents=69_000, people=1, vat_category=VatCategory.STANDARD, vat_rate=Decimal(21)))
    nets: dict[tuple[VatCategory, Decimal], int] = {}
    for line in chosen:
        nets[line.vat_category, line.vat_rate] = nets.get((line.vat_category, line.vat_rate), 0) + line.share_cents
    vat = tuple(
        VatTotal(category=category, rate=rate, net_cents=net, vat_cents=half_up(net * rate / 100)) for (category, rate), net in nets.items()
    )
    net, tax = sum(it.net_cents for it in vat), sum(it.vat_cents for it in vat)
    carried = values.get("opening_cents", 0) + net + tax + sum(it.cents for it in values.get("adjustments", ()))
    payout = values.pop("payout_cents", max(0, carried))
    given: dict[str, Any] = {
        "language": "en", "dated_on": ON, "sender": SELLER, "addressee": TEACHER, "number": "2026-11", "from_on": date(2026, 11, 1),
        "to_on": date(2026, 11, 30), "net_cents": net, "vat_cents": tax, "total_cents": net + tax, "payout_cents": payout,
        "closing_cents": carried - payout, "payout_on": date(2026, 12, 15), "payout_iban": PARTNER.iban,
        "objection_until_on": date(2026, 12, 11), "self_billed_number": "SB-VLIET-2026-000004",
        "accrued": (AccruedLine(title=TITLES[2], people=3, share_cents=75_225, from_on=ON, payable_on=date(2026, 12, 18), session="WD-2612"),),
        **values,
    }  # fmt: skip
    return SettlementStatement(lines=chosen, vat=vat, **given)


def a_quote(*lines: Any, **values: Any) -> Quote:
    """Make a quote with the sums that an invoice of these lines would have."""
    like = a_document(
        *(lines or (a_line(quantity="12", supply_to_on=date(2027, 4, 5), detail="ten lessons, at your office"), taxed(11_500)))
    )
    given: dict[str, Any] = {
        "language": "en", "dated_on": ON, "sender": SELLER, "addressee": BUYER, "number": "Q2026-000012", "lines": like.lines, "vat": like.vat,
        "net_cents": like.net_cents, "vat_cents": like.vat_cents, "total_cents": like.total_cents, "valid_until_on": date(2026, 12, 31),
        "title": "Dutch at Rijnvelde, spring 2027",
        "introduction": "You asked for a course at your own office for twelve colleagues. This is what it is and what it costs.",
        "conditions": ("Up to 14 days before the start you cancel free of charge.", "Names may change until the day before the first lesson."),
        "conditions_on": date(2026, 1, 1), "accept_link": "ecl.example/quotes/Q2026-000012", "requested_by": "F. de Wit", **values,
    }  # fmt: skip
    return Quote(**given)


def a_certificate(person: str = "Nguyễn Thị Ánh", **values: Any) -> Certificate:
    """Make a certificate."""
    given: dict[str, Any] = {
        "language": "en", "dated_on": ON, "sender": SELLER, "programme": "Dutch for newcomers", "level": "A1", "partner_name": "Taalatelier de Vliet",
        "hours": Decimal(30), "from_on": date(2026, 9, 7), "to_on": date(2026, 11, 23), "place": "Leiden", "attended_percent": 90,
        "verify_code": "7KQM-2FXA-P9", "verify_url": "https://ecl.example/certificates/7KQM-2FXA-P9", "verify_link": "ecl.example/certificates",
        "outcomes": ("Introduce yourself and talk about work", "Make an appointment by telephone"), "signed_by": "M. van der Berg",
        "signed_as": "Director", **values,
    }  # fmt: skip
    return Certificate(person=person, **given)
