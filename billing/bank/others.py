"""What an entry is when it isn't a company that pays: Stripe's payout, our own payouts and refunds, what came back, bank charges.

``facts`` looks up what ECL sent; ``proposals`` is pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.bank.matching import Kind, Part, Proposal
from billing.bank.mentions import same_name
from marketplace.kit import db
from marketplace.kit.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.bank.entries import Entry

_CHARGES = re.compile(r"\b(kosten|bankkosten|charges?|fees?|provisie|abonnement)\b", re.IGNORECASE)
_STRIPE = re.compile(r"\bstripe\b", re.IGNORECASE)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that ECL paid out: a payout to a partner, a whole batch of them, or a refund."""

    id: UUID
    reference: str
    name: str
    cents: int
    iban: str = ""
    end_to_end: str = ""
    invoice_id: UUID | None = None
    state: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of ECL's own doing."""

    payouts: tuple[Sent, ...] = ()
    batches: tuple[Sent, ...] = ()
    refunds: tuple[Sent, ...] = ()
    overpaid: tuple[Sent, ...] = ()
    stripe_cents: int = 0


def proposals(entry: Entry, facts: Facts) -> list[Proposal]:
    """Return what an entry may be of ECL's own doing. Pure."""
    if entry.left_cents != entry.cents:
        return []
    return _came(entry, facts) if entry.cents > 0 else _went(entry, facts)


def _came(entry: Entry, facts: Facts) -> list[Proposal]:
    found: list[Proposal] = []
    if _STRIPE.search(entry.name):
        right = entry.cents <= facts.stripe_cents
        why = (
            _("It comes from Stripe, which holds at least this much for us.")
            if right
            else _("It comes from Stripe, but is more than our books expect there.")
        )
        found.append(Proposal(kind=Kind.STRIPE_PAYOUT, score=95 if right else 70, why=why, certain=right))
    returned = [
        one
        for one in facts.payouts
        if one.state == "paid" and one.end_to_end and one.end_to_end == entry.end_to_end_id and one.cents == entry.cents
    ]
    for one in returned:
        why = _("It brings back payout {reference} to {name}.", reference=one.reference, name=one.name)
        found.append(Proposal(kind=Kind.PAYOUT_RETURNED, score=98, why=why, subject=f"item:{one.id}", label=one.reference, certain=True))
    if entry.returned and not returned:
        found += _refund_returned(entry, facts)
    return found


def _refund_returned(entry: Entry, facts: Facts) -> list[Proposal]:
    """Propose that a refund came back: the money is the company's again, on the same invoice."""
    return [
        Proposal(
            kind=Kind.INVOICES, score=84, parts=(Part(one.invoice_id, entry.cents),),
            why=_("It brings back the refund of {reference} to {name}; we have that money of theirs again.", reference=one.reference, name=one.name),
        )
        for one in facts.refunds
        if one.invoice_id is not None and one.cents == entry.cents and _to(entry, one)
    ]  # fmt: skip


def _went(entry: Entry, facts: Facts) -> list[Proposal]:
    cents, found = -entry.cents, list[Proposal]()
    for one in facts.payouts:
        if one.state == "sent" and one.end_to_end and one.end_to_end == entry.end_to_end_id and one.cents == cents:
            why = _("It is payout {reference} to {name}.", reference=one.reference, name=one.name)
            found.append(Proposal(kind=Kind.PAYOUT, score=99, why=why, subject=f"item:{one.id}", label=one.reference, certain=True))
    for one in facts.batches:
        named = one.reference.lower() in f"{entry.text} {entry.end_to_end_id} {entry.servicer_reference}".lower()
        if one.cents == cents:
            why = _("It is exactly the sum of payout batch {reference}.", reference=one.reference)
            found.append(
                Proposal(
                    kind=Kind.PAYOUT, score=97 if named else 85, why=why, subject=f"batch:{one.id}", label=one.reference, certain=named
                )
            )
    for one in facts.refunds:
        if one.cents == cents:
            sure = _to(entry, one)
            why = _("It is the refund of {reference} to {name}.", reference=one.reference, name=one.name)
            found.append(Proposal(kind=Kind.REFUND, score=88 if sure else 60, why=why, subject=f"refund:{one.id}", label=one.reference))
    for one in facts.overpaid:
        if one.cents == cents and _to(entry, one):
            why = _("{name} has exactly this much with us by {reference}: this pays it back.", name=one.name, reference=one.reference)
            found.append(Proposal(kind=Kind.REFUND, score=74, why=why, subject=f"invoice:{one.invoice_id}", label=one.reference))
    if _CHARGES.search(f"{entry.text} {entry.code}") or "CHRG" in entry.code:
        found.append(Proposal(kind=Kind.FEES, score=66, why=_("The bank calls it charges.")))
    return found


def _to(entry: Entry, one: Sent) -> bool:
    """Tell whether the bank's other side is whom we paid: by account, name, or our number in the text."""
    return bool(
        (one.iban and one.iban == entry.iban)
        or (entry.name and same_name(entry.name, [one.name]))
        or (one.reference and one.reference in entry.text)
    )


_REFUNDS = """
    SELECT r.id, i.number AS reference, i.buyer ->> 'legal_name' AS name, r.cents, r.invoice_id FROM refund r JOIN invoice i ON i.id = r.invoice_id
     WHERE r.source = 'bank' AND r.state = 'done' AND coalesce(r.external_id, '') NOT LIKE 'undo:%' AND r.cents = ANY($1)
"""
_NOT_FOUND_YET = """
       AND NOT EXISTS (SELECT 1 FROM bank_allocation a WHERE a.refund_id = r.id AND a.undoes_id IS NULL
            AND NOT EXISTS (SELECT 1 FROM bank_allocation u WHERE u.undoes_id = a.id))
"""
_NEWEST = " ORDER BY r.requested_at DESC LIMIT 200"
_OVERPAID = """
    SELECT i.id, i.number AS reference, i.buyer ->> 'legal_name' AS name, i.id AS invoice_id,
           (i.paid_cents - i.refunded_cents - i.total_cents + i.credited_cents + i.written_off_cents)::bigint AS cents
      FROM invoice i WHERE i.kind = 'invoice' AND i.state IN ('paid', 'credited')
       AND i.paid_cents - i.refunded_cents - i.total_cents + i.credited_cents + i.written_off_cents = ANY($1) LIMIT 200
"""
_PAYOUTS = """
    SELECT o.id, o.end_to_end AS reference, p.legal_name AS name, o.cents, o.end_to_end, o.state FROM payout_item o JOIN payee p ON p.id = o.payee_id
     WHERE o.end_to_end = ANY($1) AND o.state IN ('sent', 'paid') LIMIT 500
"""
_BATCHES = """
    SELECT b.id, b.number AS reference, '' AS name, sum(o.cents)::bigint AS cents FROM payout_batch b
      JOIN payout_item o ON o.batch_id = b.id AND o.state IN ('planned', 'sent') WHERE b.state IN ('exported', 'sent') GROUP BY b.id LIMIT 200
"""


async def facts(entries: Sequence[Entry]) -> Facts:
    """Return what ECL sent that these entries may be about."""
    if not entries:
        return Facts()
    out = [-one.cents for one in entries if one.cents < 0]
    back = [one.cents for one in entries if one.cents > 0 and one.returned]
    names = [one.end_to_end_id for one in entries if one.end_to_end_id]
    stripe = any(one.cents > 0 and _STRIPE.search(one.name) for one in entries)
    return Facts(
        payouts=tuple(await db.rows(Sent, _PAYOUTS, names)) if names else (),
        batches=tuple(await db.rows(Sent, _BATCHES)) if out else (),
        refunds=(
            *(await db.rows(Sent, _REFUNDS + _NOT_FOUND_YET + _NEWEST, out) if out else ()),
            *(await db.rows(Sent, _REFUNDS + _NEWEST, back) if back else ()),
        ),
        overpaid=tuple(await db.rows(Sent, _OVERPAID, out)) if out else (),
        stripe_cents=await db.value("SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE account = 'stripe'") if stripe else 0,
    )
