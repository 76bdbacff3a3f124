"""Money for the town: every paper, file and pile that finance looks at, made by the product's own verbs in its running database."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from billing import archive, debtors, seller
from billing import credits as credit_notes
from billing.bank import allocate, intake
from billing.bank.matching import Part
from billing.credits import Credit
from billing.dunning import holds
from billing.runs import collect, issue
from billing.settlement import accounts, incidents, lines, objections, payouts, statements, transfers
from billing.settlement.accounts import Proposal
from billing.vat_rules import Treatment
from billing.vies import certificates
from billing.vies.certificates import NewCertificate
from marketplace.kit import calendar, clock, db, ids
from marketplace.kit.identity import Actor
from tests.builders.bank import Line, document, statement
from tests.builders.billing import an_invoice, number_of
from tests.builders.people import a_company
from tests.builders.runs import a_held_order, a_monthly_debtor, a_preview, a_ready_charge
from tests.builders.settlement import IBANS, a_payee, a_seat, a_statement, agreed, an_account

PAPER = b"%PDF-1.7\n%%EOF\n"


class Street(msgspec.Struct, frozen=True):
    """Who the money is between. ``second`` is ECL's other pair of eyes."""

    tag: str
    debtor_id: UUID
    partner_id: UUID
    ecl: Actor
    second: Actor
    partner: Actor
    now: datetime

    @property
    def today(self) -> date:
        """The day in Leiden."""
        return clock.today(self.now)


async def everything(street: Street) -> dict[str, str]:
    """Make one of every page of money, and return the ids for their addresses."""
    return {
        **await _papers(street), **await _runs(street), **await _bank(street), **await _reminders(street), **await _partners(street),
        **await _vat(street), **await _difference(street),
    }  # fmt: skip


async def for_journeys(street: Street) -> dict[str, str]:
    """Make what the journeys of finance, ECL and a partner begin with; they do the rest themselves."""
    to_pay, other, first, second, third = [
        await an_invoice(street.debtor_id, amounts=(cents,), purchase_order=order)
        for cents, order in ((64_500, "PO-TO-PAY"), (48_000, "PO-CREDITED"), (31_000, None), (22_000, None), (17_500, None))
    ]
    note = await credited(street, other, cents=8_000, reason="De eerste avond was online")
    for name, profile in (("Duinrand", "company"), ("Universiteit", "university")):
        monthly = await a_monthly_debtor(
            name=f"{name} {street.tag}", acceptance_profile=profile, email=f"{name}-{street.tag}@town.example".lower()
        )
        await a_ready_charge(monthly, description="Dutch A1, evenings")
        await a_ready_charge(monthly, cents=39_500, description="Dutch A2, mornings")
    numbers = [await number_of(one) for one in (first, second, third)]
    payer = f"Rijnvelde {street.tag} B.V."
    entries = [
        Line(cents=31_000, text=f"Factuur {numbers[0]}", name=payer, reference=f"{street.tag}-1"),
        Line(cents=30_000, text="twee cursussen in een keer", name="R. Kok", iban="NL91ABNA0417164300", reference=f"{street.tag}-2"),
    ]
    mine = await a_partner_paid(street, code=f"TL{street.tag}", owner_id=street.partner_id)
    shown = await a_statement(mine, 64_500, 38_000)
    await agreed(await a_statement(await a_partner_paid(street, code=f"RL{street.tag}"), 64_500))
    return {
        "to_pay": await number_of(to_pay), "credited": await number_of(other), "credit_note": await number_of(note),
        "paid_whole": numbers[0], "paid_first": numbers[1], "paid_rest": numbers[2], "statement": shown.number,
        "bank_file": bank_file(street.tag, "day", entries, on=street.today).decode(),
    }  # fmt: skip


async def _papers(street: Street) -> dict[str, str]:
    """One invoice that is credited in part, one that was credited whole after it was paid, so that money has to go back."""
    invoice = await an_invoice(street.debtor_id, amounts=(64_500, 29_500), purchase_order="4500128834", department="Research IT")
    note = await credited(street, invoice, cents=10_000, reason="De eerste avond was online")
    over = await an_invoice(street.debtor_id, amounts=(48_000,), purchase_order="4500128834")
    await paid_by_bank(street, over, cents=48_000)
    await credited(street, over, cents=None, reason="Cursus ging niet door")
    done = await db.value("SELECT entry_id FROM bank_allocation WHERE invoice_id = $1 LIMIT 1", over)
    return {
        "done_entry": str(done),
        "part_credited": await number_of(invoice),
        "credit_note": await number_of(note),
        "refundable": await number_of(over),
    }


async def credited(street: Street, invoice_id: UUID, *, cents: int | None, reason: str) -> UUID:
    """Credit an invoice's first line."""
    first = (await credit_notes.creditable(invoice_id))[0]
    wanted = Credit(invoice_id=invoice_id, lines=[(first.id, cents)], reason=reason, cause="goodwill", key=f"{street.tag}:{invoice_id}")
    return await credit_notes.credit(wanted, actor=street.ecl, now=street.now)


async def paid_by_bank(street: Street, invoice_id: UUID, *, cents: int) -> None:
    """Let a transfer for an invoice come in and be booked."""
    number = await number_of(invoice_id)
    file_id = await taken_in(street, "paid", [Line(cents=cents, text=f"Factuur {number}", reference=f"{street.tag}-{number}")])
    entry_id = await db.value("SELECT e.id FROM bank_entry e JOIN bank_statement s ON s.id = e.statement_id WHERE s.file_id = $1", file_id)
    await allocate.to_invoices(entry_id, [Part(invoice_id, cents)], actor=street.ecl, now=street.now)


async def taken_in(street: Street, name: str, entries: list[Line]) -> UUID:
    """Take in a bank file with these entries."""
    received = await intake.receive(f"{name}.xml", bank_file(street.tag, name, entries, on=street.today), actor=street.ecl, now=street.now)
    return received.file_id


def bank_file(tag: str, name: str, entries: list[Line], *, on: date) -> bytes:
    """Return a bank file of the last working day before ``on``."""
    return document(statement(entries, on=on - timedelta(days=3), reference=f"{tag}-{name}"))


async def _runs(street: Street) -> dict[str, str]:
    """A preview with what is ready and what is blocked, a run that was issued, an order that is held, a profile."""
    tag = street.tag
    monthly = await a_monthly_debtor(name=f"Duinrand Biotech {tag}", email=f"invoices-duinrand-{tag}@town.example".lower())
    await a_ready_charge(monthly)
    await issue.issue(await _chosen(street, monthly), actor=street.ecl, now=street.now)
    blocked = await a_monthly_debtor(name=f"Universiteit {tag}", acceptance_profile="university", email=f"uni-{tag}@town.example".lower())
    for debtor_id in (monthly, monthly, blocked):
        await a_ready_charge(debtor_id, description="Dutch A1, evenings")
    run_id = await a_preview(scope="chosen", debtor_ids=[monthly, blocked])
    group = "SELECT id FROM invoice_run_group WHERE run_id = $1 AND state = 'blocked'"
    return {
        "run_id": str(run_id), "group_id": str(await db.value(group, run_id)), "held_id": str(await _held()), "profile": "university",
        "issued_run": str(await db.value("SELECT id FROM invoice_run WHERE state IN ('issuing', 'done') ORDER BY made_at DESC LIMIT 1")),
    }  # fmt: skip


async def _chosen(street: Street, *debtor_ids: UUID) -> UUID:
    run_id = await collect.make(street.today, scope="chosen", debtor_ids=debtor_ids, actor=street.ecl, now=street.now)
    await collect.collect(run_id, now=street.now)
    return run_id


async def _held() -> UUID:
    try:
        return await a_held_order()
    except ValueError:  # the worker, another process, was at it first
        await asyncio.sleep(2)
        return UUID(str(await db.value("SELECT id FROM invoice_hold LIMIT 1")))


async def _bank(street: Street) -> dict[str, str]:
    """A file with one entry that is certain, one that is short, one that pays two, and one from a stranger."""
    made = [await an_invoice(street.debtor_id, amounts=(cents,)) for cents in (64_500, 39_500, 21_000, 22_000)]
    numbers = [await number_of(one) for one in made]
    payer = f"Rijnvelde {street.tag} B.V."
    entries = [
        Line(cents=64_500, text=f"Factuur {numbers[0]}", name=payer, reference=f"{street.tag}-1"),
        Line(cents=37_000, text=f"{numbers[1]} min bankkosten", name=payer, reference=f"{street.tag}-2"),
        Line(cents=43_000, text=f"{numbers[2]} en {numbers[3]}", name=payer, reference=f"{street.tag}-3"),
        Line(cents=7_350, text="terugbetaling lunch", name="J. van der Plas", iban="NL91ABNA0417164300", reference=f"{street.tag}-4"),
    ]
    file_id = await taken_in(street, "day", entries)
    rows = await db.records(
        "SELECT e.id FROM bank_entry e JOIN bank_statement s ON s.id = e.statement_id WHERE s.file_id = $1 ORDER BY e.id", file_id
    )
    return {
        "file_id": str(file_id),
        "entry_id": str(rows[1]["id"]),
        "certain_entry": str(rows[0]["id"]),
        "strange_entry": str(rows[3]["id"]),
    }


async def _reminders(street: Street) -> dict[str, str]:
    """A letter that was sent, an invoice that is held back from reminders, and the account as a paper."""
    invoice, reminder, paper = await an_invoice(street.debtor_id), ids.new_id(), ids.new_id()
    sql = "INSERT INTO reminder (id, debtor_id, level, dated_on, state, mailed_to, made_at, sent_at) VALUES ($1, $2, 1, $3, 'sent', 'x@y.example', $4, $4)"
    await db.execute(sql, reminder, street.debtor_id, street.today, street.now)
    item = "INSERT INTO reminder_item (id, reminder_id, invoice_id, level, open_cents) VALUES ($1, $2, $3, 1, 64500)"
    await db.execute(item, ids.new_id(), reminder, invoice)
    await archive.store_paper(("reminder", reminder), kind="pdf", name="reminder.pdf", content=PAPER, now=street.now)
    await archive.store_paper((f"account:{street.debtor_id}", paper), kind="pdf", name="account.pdf", content=PAPER, now=street.now)
    held = await an_invoice(street.debtor_id)
    await holds.hold(await number_of(held), reason="Betwist: andere docent", until_on=None, actor=street.ecl, now=street.now)
    return {"debtor_id": str(street.debtor_id), "reminded": await number_of(invoice)}


async def _partners(street: Street) -> dict[str, str]:
    """The partner's statement with an objection and an incident; others' payouts, one at the bank and one to be approved."""
    mine = await a_partner_paid(street, code=f"TL{street.tag}", owner_id=street.partner_id)
    shown = await a_statement(mine, 64_500, 38_000)
    row = (await statements.rows(shown.id))[0]
    objection = await objections.make(shown.number, row.id, reason="Zes deelnemers, geen vijf", actor=street.partner, now=street.now)
    (held,) = await lines.of_charge(await a_seat(mine, cents=52_000))
    incident = await incidents.report(held.id, reason="Een les viel uit", actor=street.ecl, now=street.now)
    batch_id = await a_payout(street, await a_partner_paid(street, code=f"RL{street.tag}"))
    await payouts.approve(batch_id, actor=street.ecl, now=street.now)
    await payouts.export(batch_id, actor=street.ecl, now=street.now)
    await transfers.send(batch_id, actor=street.ecl, now=street.now)
    draft = await a_payout(street, await a_partner_paid(street, code=f"SB{street.tag}"))
    await accounts.propose(mine, Proposal(iban=IBANS[1]), actor=street.second, now=street.now)
    contract = await db.value("SELECT id FROM partner_contract WHERE payee_id = $1", mine)
    return {
        "payee_id": str(mine), "contract_id": str(contract), "statement": shown.number, "statement_line": str(row.id),
        "settlement_line": str(held.id), "incident_id": str(incident), "objection_id": str(objection), "batch_id": str(batch_id),
        "draft_batch": str(draft), "item_id": str((await payouts.items(batch_id))[0].id),
    }  # fmt: skip


async def a_partner_paid(street: Street, *, code: str, owner_id: UUID | None = None) -> UUID:
    """Make a payee with a contract, self-billing and an approved account."""
    payee_id = await a_payee(owner_id, code=code.upper()[:12], legal_name=f"Taalhuis {code} B.V.", email=f"{code}@taalhuis.example".lower())
    await an_account(payee_id, ecl=(street.ecl, street.second))
    return payee_id


async def a_payout(street: Street, payee_id: UUID) -> UUID:
    """Draft a payout of a statement that stands, by the second pair of eyes."""
    await agreed(await a_statement(payee_id, 64_500))
    return await payouts.draft(pay_on=calendar.add_working_days(street.today, 1), actor=street.second, now=street.now)


async def _vat(street: Street) -> dict[str, str]:
    """A German company whose number VIES knows, an international organisation with its certificate, a rule for a programme."""
    german = await a_company(f"Neckar {street.tag}", country="DE", vat_id="DE136695976", kvk=None, postcode="69117", city="Heidelberg")
    paper = NewCertificate(
        debtor_id=street.debtor_id, number=f"151-{street.tag}", issuer="Ministerie van Financiën", from_on=street.today,
        until_on=street.today + timedelta(days=40), file_name="certificate.pdf", content=PAPER,
    )  # fmt: skip
    programme = await db.value("SELECT id FROM programme WHERE code = $1", f"DUO-{street.tag}")
    await seller.set_programme_rule(
        programme, Treatment.EXEMPT, reason="Ruling of 2025", from_on=street.today, actor=street.ecl, now=street.now
    )
    certificate = await certificates.add(paper, actor=street.ecl, now=street.now)
    return {"vat_debtor": str((await debtors.get(german.debtor_id)).id), "certificate_id": str(certificate)}  # type: ignore[arg-type]


async def _difference(street: Street) -> dict[str, str]:
    sql = """
        INSERT INTO stripe_difference (id, invoice_id, debtor_id, kind, external_id, ours_cents, theirs_cents, found_at, seen_at)
        SELECT $1, i.id, i.debtor_id, 'credited_there', '', 0, 100, $3, $3 FROM invoice i WHERE i.debtor_id = $2 AND i.kind = 'invoice' LIMIT 1
    """
    await db.execute(sql, ids.new_id(), street.debtor_id, street.now)
    return {}
