"""The bank and the reminders for the gate: a letter and an account on paper for each company, a bank file, a held invoice for ECL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import archive
from billing.dunning import holds
from marketplace.kit import clock, db, ids
from tests.builders.bank import Line, a_transfer
from tests.builders.billing import an_invoice, number_of

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor
    from tests.cast import Cast


async def of_company(company_id: UUID) -> dict[tuple[str, str, str], str]:
    """Make a company's reminder and its account on paper, and return what their pages ask for."""
    now = clock.now()
    debtor = await db.value("SELECT id FROM debtor WHERE owner_id = $1", company_id)
    invoice, reminder = await an_invoice(debtor), ids.new_id()
    sql = "INSERT INTO reminder (id, debtor_id, level, dated_on, state, mailed_to, made_at, sent_at) VALUES ($1, $2, 1, $3, 'sent', 'x@y.example', $4, $4)"
    await db.execute(sql, reminder, debtor, clock.today(now), now)
    await db.execute(
        "INSERT INTO reminder_item (id, reminder_id, invoice_id, level, open_cents) VALUES ($1, $2, $3, 1, 64500)",
        ids.new_id(),
        reminder,
        invoice,
    )
    await archive.store_paper(("reminder", reminder), kind="pdf", name="reminder.pdf", content=b"%PDF-1.7", now=now)
    return {("reminder", "reminder_id", ""): str(reminder), ("account_statement", "paper_id", ""): await _account(debtor)}


async def _account(debtor: UUID) -> str:
    paper = ids.new_id()
    await archive.store_paper((f"account:{debtor}", paper), kind="pdf", name="account.pdf", content=b"%PDF-1.7", now=clock.now())
    return str(paper)


async def of_ecl(ecl: Actor, cast: Cast) -> dict[tuple[str, str, str], str]:
    """Make what ECL alone sees: a file with an entry that waits, and an invoice that is held back."""
    (entry,) = await a_transfer(Line(cents=64_500, text="waits"), actor=ecl)
    number = await number_of(await an_invoice(cast.company_a.debtor_id))
    await holds.hold(number, reason="Disputed", until_on=None, actor=ecl, now=clock.now())
    debtor = cast.company_a.debtor_id
    assert debtor is not None
    return {
        ("bank_entry", "entry_id", ""): str(entry),
        ("bank_file", "file_id", ""): str(await db.value("SELECT id FROM bank_file LIMIT 1")),
        ("reminder_hold", "hold_id", ""): str(await db.value("SELECT id FROM reminder_hold LIMIT 1")),
        ("debtor", "debtor_id", ""): str(debtor),
        ("company", "paper_id", ""): await _account(debtor),
    }
