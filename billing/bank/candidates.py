"""What an entry may be about, looked up: open invoices and their companies, and what ECL itself sent. Then ``matching`` judges.

One look-up for a whole page of entries: three queries, however many entries there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.bank import matching, mentions, others
from billing.bank.matching import OpenInvoice, Payer, Proposal
from marketplace.kit import db

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from billing.bank.entries import Entry

OPEN_CENTS = "(i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents)"
_PAYABLE = f"i.kind = 'invoice' AND i.state IN ('issued', 'open', 'processing', 'uncollectible') AND {OPEN_CENTS} > 0"


async def proposals(entries: Sequence[Entry]) -> dict[UUID, list[Proposal]]:
    """Return what may be done with each entry, the best first; an empty list where nobody can tell.

    Nothing is kept: what is confirmed is worked out again in the transaction that does it.
    """
    waiting = [one for one in entries if one.left_cents]
    payers = await _payers(waiting)
    by_entry = {one.id: _of_entry(one, payers) for one in waiting}
    invoices = await _invoices(waiting, {payer.id for own in by_entry.values() for payer in own})
    own_doing = await others.facts(waiting)
    return {
        one.id: sorted(
            [*_for_invoices(one, invoices, by_entry[one.id]), *others.proposals(one, own_doing)],
            key=lambda found: (-found.score, found.key),
        )
        for one in waiting
    } | {one.id: [] for one in entries if not one.left_cents}


def _for_invoices(entry: Entry, invoices: Sequence[OpenInvoice], payers: Sequence[Payer]) -> list[Proposal]:
    if entry.left_cents <= 0:
        return []
    said = mentions.read(entry.text, *entry.refs).all
    known = {payer.id for payer in payers}
    meant = [one for one in invoices if one.number in said or one.debtor_id in known or one.open_cents == entry.left_cents]
    return matching.for_invoices(entry.paper, meant, payers)


def _of_entry(entry: Entry, payers: Sequence[Payer]) -> list[Payer]:
    return [one for one in payers if (entry.iban and entry.iban in one.ibans) or (entry.name and mentions.same_name(entry.name, one.names))]


class _Debtor(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    legal_name: str
    ibans: list[str]
    surplus_cents: int
    credit_notes: list[str]


_PAYERS = f"""
    SELECT d.id, d.name, d.legal_name,
           coalesce((SELECT jsonb_agg(a.iban) FROM debtor_account a WHERE a.debtor_id = d.id), '[]') AS ibans,
           coalesce((SELECT -sum({OPEN_CENTS}) FROM invoice i WHERE i.debtor_id = d.id AND i.kind = 'invoice' AND i.state = 'paid'
                     AND {OPEN_CENTS} < 0), 0)::bigint AS surplus_cents,
           coalesce((SELECT jsonb_agg(c.number ORDER BY c.number) FROM invoice c JOIN invoice i ON i.id = c.credits_id
                     WHERE c.debtor_id = d.id AND i.state = 'paid' AND {OPEN_CENTS} < 0), '[]') AS credit_notes
      FROM debtor d
     WHERE (EXISTS (SELECT 1 FROM debtor_account a WHERE a.debtor_id = d.id AND a.iban = ANY($1)) OR lower(d.name || ' ' || d.legal_name) LIKE ANY($2))
       AND EXISTS (SELECT 1 FROM invoice i WHERE i.debtor_id = d.id AND {_PAYABLE})
"""  # noqa: S608 - constants


async def _payers(entries: Sequence[Entry]) -> list[Payer]:
    """Return the companies with something open whose account or name these entries may bear; ``matching`` judges."""
    came = [one for one in entries if one.left_cents > 0]
    if not came:
        return []
    words = {word for one in came for word in mentions.words_of(one.name) if len(word) >= 4}
    return [
        Payer(
            id=one.id,
            name=one.name,
            names=(one.name, one.legal_name),
            ibans=frozenset(one.ibans),
            surplus_cents=max(0, one.surplus_cents),
            surplus_note=", ".join(one.credit_notes[-3:]),
        )
        for one in await db.rows(_Debtor, _PAYERS, sorted({one.iban for one in came if one.iban}), [f"%{word}%" for word in sorted(words)])
    ]


async def _invoices(entries: Sequence[Entry], debtor_ids: Iterable[UUID]) -> list[OpenInvoice]:
    came = [one for one in entries if one.left_cents > 0]
    numbers = {number for one in came for number in mentions.read(one.text, *one.refs).all}
    sql = f"""
        SELECT i.id, i.number, i.debtor_id, {OPEN_CENTS}::bigint AS open_cents, i.due_on, coalesce(i.purchase_order, '') AS purchase_order,
               coalesce(i.order_number, '') AS order_number
          FROM invoice i WHERE {_PAYABLE} AND (i.number = ANY($1) OR i.debtor_id = ANY($2) OR {OPEN_CENTS} = ANY($3))
         ORDER BY i.due_on, i.number LIMIT 5000
    """  # noqa: S608 - constants
    return await db.rows(OpenInvoice, sql, sorted(numbers), list(debtor_ids), sorted({one.left_cents for one in came}))
