"""Credit notes: whole and in part, once per key, never above a line, with the VAT that one note would have had."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing import archive, charges, credit_sums, delivery, invoices, issuing, ledger, paper, payments, states
from billing import credits as credit_notes
from billing.archive import Format
from billing.changes import closing, corrections
from billing.changes.corrections import Correction
from billing.credits import Credit
from billing.states import InvoiceState
from billing.vat import VatBasis
from marketplace.kit import clock as kit_clock
from marketplace.kit import db as kit_db
from marketplace.kit import ids, work
from marketplace.kit.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from marketplace.kit.identity import SYSTEM, Actor, Role
from marketplace.kit.money import half_up
from tests.builders.billing import a_charge, a_debtor, an_invoice, number_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from billing.credit_sums import Creditable
    from marketplace.kit.clock import FakeClock

pytestmark = pytest.mark.asyncio(loop_scope="session")
ECL = Actor(kind="member", roles=frozenset({Role.ECL}), name="Marit Desk")
TAXED = VatBasis.COACHING


async def _lines(invoice_id: UUID) -> list[Creditable]:
    return await credit_notes.creditable(invoice_id)


async def _credit(invoice_id: UUID, *cents: int | None, now: datetime, key: str | None = None, reason: str = "Came too late") -> UUID:
    lines = await _lines(invoice_id)
    wanted = [(line.id, amount) for line, amount in zip(lines, cents, strict=True) if amount != 0]
    return await credit_notes.credit(
        Credit(invoice_id=invoice_id, lines=wanted, reason=reason, cause="goodwill", key=key or str(ids.new_id())), actor=SYSTEM, now=now
    )


async def _number(note: UUID) -> str:
    return str(await kit_db.value("SELECT number FROM invoice WHERE id = $1", note))


async def test_a_whole_credit_takes_back_exactly_the_invoice(db: None, clock: FakeClock) -> None:
    debtor = await a_debtor()
    invoice = await an_invoice(debtor, amounts=(33_333, 10_001), basis=TAXED, purchase_order="45-1", cost_centre="3120")
    note = await _credit(invoice, None, None, now=clock.now())
    number = await _number(note)
    assert number == "C2026-000001"
    made = await invoices.get(number, actor=SYSTEM)
    original = await invoices.get(await number_of(invoice), actor=SYSTEM)
    assert (made.net_cents, made.vat_cents, made.total_cents) == (original.net_cents, original.vat_cents, original.total_cents)
    assert (made.purchase_order, made.cost_centre, made.buyer["legal_name"]) == ("45-1", "3120", original.buyer["legal_name"])
    assert [(line.net_cents, line.vat_category, line.vat_rate, line.trace) for line in made.lines] == [
        (line.net_cents, line.vat_category, line.vat_rate, line.trace) for line in original.lines
    ]
    assert made.credits_number == original.number
    assert made.due_on is None
    assert original.state is InvoiceState.CREDITED
    assert (original.to_pay.cents, original.overpaid.cents) == (0, 0)
    assert (await ledger.check()).right


async def test_part_of_a_line_lowers_what_is_owed(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000, 20_000), basis=TAXED)
    note = await _credit(invoice, 12_345, 0, now=clock.now())
    assert await db_row(note) == (12_345, 2_592, 14_937)
    at = await states.standing(invoice)
    assert (at.state, at.open_cents) == (InvoiceState.ISSUED, 84_700 - 14_937)
    assert [line.left_cents for line in await _lines(invoice)] == [37_655, 20_000]
    line = await kit_db.records("SELECT quantity, unit_price_cents, net_cents FROM invoice_line WHERE invoice_id = $1", note)
    assert [(row["quantity"], row["unit_price_cents"], row["net_cents"]) for row in line] == [(Decimal(1), 12_345, 12_345)]
    assert (await ledger.check()).right


async def db_row(invoice_id: UUID) -> tuple[int, int, int]:
    found = (await kit_db.records("SELECT net_cents, vat_cents, total_cents FROM invoice WHERE id = $1", invoice_id))[0]
    return found["net_cents"], found["vat_cents"], found["total_cents"]


async def test_the_same_key_is_the_same_credit_note(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    one = await _credit(invoice, 10_000, now=clock.now(), key="once")
    again = await _credit(invoice, 10_000, now=clock.now(), key="once")
    assert one == again
    assert await kit_db.value("SELECT credited_cents FROM invoice WHERE id = $1", invoice) == 10_000


@pytest.mark.parametrize(("cents", "sentence"), [(50_001, "At most €500.00"), (0, "more than nothing"), (-5, "more than nothing")])
async def test_amounts_stay_within_their_line(db: None, clock: FakeClock, cents: int, sentence: str) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    [line] = await _lines(invoice)
    with pytest.raises(Invalid, match="credit_too_large") as refusal:
        await credit_notes.credit(
            Credit(invoice_id=invoice, lines=[(line.id, cents)], reason="Too much", cause="goodwill", key="k"),
            actor=SYSTEM,
            now=clock.now(),
        )
    assert sentence in refusal.value.fields[line.field]
    assert await kit_db.value("SELECT count(*) FROM invoice") == 1


async def test_what_was_credited_before_is_not_credited_again(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    await _credit(invoice, 30_000, now=clock.now())
    with pytest.raises(Invalid, match="credit_too_large"):
        await _credit(invoice, 20_001, now=clock.now())
    await _credit(invoice, None, now=clock.now())
    with pytest.raises(Conflict, match="nothing_to_credit"):
        await _credit(invoice, None, now=clock.now())
    with pytest.raises(Invalid, match="credit_too_large"):
        await _credit(invoice, 1, now=clock.now())


async def test_a_line_of_another_invoice_is_refused(db: None, clock: FakeClock) -> None:
    one, other = await an_invoice(), await an_invoice()
    [foreign] = await _lines(other)
    with pytest.raises(Invalid, match="unknown_line"):
        await credit_notes.credit(
            Credit(invoice_id=one, lines=[(foreign.id, 100)], reason="No", cause="goodwill", key="k"), actor=SYSTEM, now=clock.now()
        )


async def test_a_credit_note_cannot_be_credited_and_needs_a_reason(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    note = await _credit(invoice, 10_000, now=clock.now())
    with pytest.raises(Conflict, match="not_an_invoice"):
        await _credit(note, 100, now=clock.now())
    with pytest.raises(Invalid, match="reason_missing"):
        await _credit(invoice, 100, now=clock.now(), reason="  ")
    with pytest.raises(NotFound):
        await credit_notes.credit(
            Credit(invoice_id=ids.new_id(), lines=[], reason="x", cause="goodwill", key="k2"), actor=SYSTEM, now=clock.now()
        )


async def test_the_database_has_the_last_word(db: None, clock: FakeClock) -> None:
    """A second credit of a line that some other code wrote is refused at commit."""
    invoice = await an_invoice(amounts=(50_000,))
    note = await _credit(invoice, 40_000, now=clock.now())
    sql = """
        INSERT INTO invoice_line (id, invoice_id, position, credits_line_id, description, quantity, unit_price_cents, net_cents, vat_category, vat_rate,
            trace, supply_from_on, supply_to_on, detail)
        SELECT $1, invoice_id, 2, credits_line_id, description, 1, 20000, 20000, vat_category, vat_rate, trace, supply_from_on, supply_to_on, ''
          FROM invoice_line WHERE invoice_id = $2
    """
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with kit_db.atomic():
            await kit_db.execute(sql, ids.new_id(), note)
            await kit_db.execute("SET CONSTRAINTS ALL IMMEDIATE")


async def test_a_paid_invoice_that_is_credited_owes_the_debtor(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    await payments.record(
        invoice, source="bank", external_id="b1", cents=50_000, method="bank_transfer", received_at=clock.now(), now=clock.now()
    )
    await _credit(invoice, 20_000, now=clock.now())
    found = await invoices.get(await number_of(invoice), actor=SYSTEM)
    assert (found.state, found.to_pay.cents, found.overpaid.cents) == (InvoiceState.PAID, 0, 20_000)
    assert (await ledger.check()).right


async def test_the_rest_paid_after_a_part_credit_makes_it_paid(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    await _credit(invoice, 20_000, now=clock.now())
    await payments.record(
        invoice, source="bank", external_id="b1", cents=30_000, method="bank_transfer", received_at=clock.now(), now=clock.now()
    )
    assert (await states.standing(invoice)).state is InvoiceState.PAID


async def test_the_mail_of_a_credit_note_says_so_in_the_debtors_language(db: None, clock: FakeClock) -> None:
    debtor = await a_debtor(language="nl", email="facturen@rijnburg.example")
    invoice = await an_invoice(debtor, amounts=(50_000,))
    note = await _credit(invoice, 10_000, now=clock.now(), reason="Eén les is vervallen")
    await archive.store(note, dict.fromkeys(Format, b"%PDF"), now=clock.now())
    await delivery.mail_when_ready(note, now=clock.now())
    await work.drain(clock.now(), only=("billing.mail_invoice",))
    found = await kit_db.records("SELECT subject, text, attachments FROM mail_message WHERE recipient = 'facturen@rijnburg.example'")
    assert len(found) == 1
    assert "Creditnota C2026-000001" in found[0]["subject"]
    assert "Eén les is vervallen" in found[0]["text"]
    assert await number_of(invoice) in found[0]["text"]
    assert [one["name"] for one in found[0]["attachments"]] == ["C2026-000001.pdf"]


async def test_every_small_credit_of_an_odd_amount_makes_a_document(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(10,), basis=TAXED)
    notes = [await _credit(invoice, 1, now=clock.now()) for _n in range(10)]
    assert sum([(await db_row(note))[1] for note in notes]) == half_up(Decimal("2.1"))
    for note in notes:
        assert (await paper.document(note)).total_cents == (await db_row(note))[2]


# Withdrawing, giving up, correcting


async def test_withdrawing_takes_back_all_and_voids(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,), basis=TAXED)
    note = await closing.withdraw(invoice, reason="Wrong company", actor=ECL, now=clock.now())
    assert await closing.withdraw(invoice, reason="Wrong company", actor=ECL, now=clock.now()) == note
    found = await invoices.get(await number_of(invoice), actor=SYSTEM)
    assert (found.state, found.to_pay.cents) == (InvoiceState.VOID, 0)
    assert await kit_db.value("SELECT cause FROM invoice WHERE id = $1", note) == "withdrawal"
    assert (await ledger.check()).right
    with pytest.raises(InvalidTransition):
        await _credit(invoice, 1, now=clock.now())


async def test_what_was_paid_is_not_withdrawn(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    await payments.record(
        invoice, source="bank", external_id="b1", cents=100, method="bank_transfer", received_at=clock.now(), now=clock.now()
    )
    with pytest.raises(Conflict, match="already_paid"):
        await closing.withdraw(invoice, reason="Wrong company", actor=ECL, now=clock.now())


async def test_giving_up_and_the_money_that_comes_after_all(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    assert await closing.give_up(invoice, reason="bankrupt", actor=ECL, now=clock.now()) == 50_000
    assert await closing.give_up(invoice, reason="bankrupt", actor=ECL, now=clock.now()) == 0
    found = await states.standing(invoice)
    assert (found.state, found.open_cents, found.written_off_cents) == (InvoiceState.UNCOLLECTIBLE, 0, 50_000)
    await payments.record(
        invoice, source="bank", external_id="b1", cents=20_000, method="bank_transfer", received_at=clock.now(), now=clock.now()
    )
    found = await states.standing(invoice)
    assert (found.state, found.open_cents, found.written_off_cents) == (InvoiceState.UNCOLLECTIBLE, 0, 30_000)
    await payments.record(
        invoice, source="bank", external_id="b2", cents=30_000, method="bank_transfer", received_at=clock.now(), now=clock.now()
    )
    found = await states.standing(invoice)
    assert (found.state, found.open_cents, found.written_off_cents) == (InvoiceState.PAID, 0, 0)
    assert (await ledger.check()).right


async def test_a_credit_on_what_was_given_up_takes_the_loss_back(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    await closing.give_up(invoice, reason="silent", actor=ECL, now=clock.now())
    await _credit(invoice, 20_000, now=clock.now())
    found = await states.standing(invoice)
    assert (found.open_cents, found.written_off_cents, found.credited_cents) == (0, 30_000, 20_000)
    await _credit(invoice, None, now=clock.now())
    found = await states.standing(invoice)
    assert (found.state, found.open_cents, found.written_off_cents) == (InvoiceState.CREDITED, 0, 0)
    assert (await ledger.check()).right


async def test_nothing_owed_is_nothing_to_give_up(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    with pytest.raises(Invalid, match="reason_missing"):
        await closing.give_up(invoice, reason="because", actor=ECL, now=clock.now())
    await payments.record(
        invoice, source="bank", external_id="b1", cents=50_000, method="bank_transfer", received_at=clock.now(), now=clock.now()
    )
    with pytest.raises(InvalidTransition):
        await closing.give_up(invoice, reason="silent", actor=ECL, now=clock.now())


async def test_a_correction_credits_the_old_and_names_it_on_the_new(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000, 20_000), basis=TAXED, purchase_order="45-wrong")
    first, _second = await _lines(invoice)
    await _credit(invoice, 10_000, 0, now=clock.now())
    wanted = Correction(invoice_id=invoice, reason="Another PO number", key="c1", purchase_order="45-right", amounts={first.id: 30_000})
    made = await corrections.correct(wanted, actor=ECL, now=clock.now())
    assert await corrections.correct(wanted, actor=ECL, now=clock.now()) == made
    old, new = await invoices.get(await number_of(invoice), actor=SYSTEM), await invoices.get(made.number, actor=SYSTEM)
    assert old.state is InvoiceState.CREDITED
    assert (new.purchase_order, [line.net_cents for line in new.lines]) == ("45-right", [30_000, 20_000])
    assert await kit_db.value("SELECT replaces_id FROM invoice WHERE id = $1", made.invoice_id) == invoice
    assert old.lines[0].charge_id is not None
    assert await corrections.current(old.lines[0].charge_id) == new.lines[0].charge_id
    again = await corrections.correct(
        Correction(invoice_id=made.invoice_id, reason="And back", key="c2", purchase_order=""), actor=ECL, now=clock.now()
    )
    newest = await invoices.get(again.number, actor=SYSTEM)
    assert (newest.purchase_order, newest.net_cents) == (None, 50_000)
    assert await corrections.current(old.lines[0].charge_id) == newest.lines[0].charge_id
    assert (await ledger.check()).right


async def test_what_was_paid_of_the_old_invoice_pays_the_new(db: None, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    await payments.record(
        invoice, source="bank", external_id="b1", cents=50_000, method="bank_transfer", received_at=clock.now(), now=clock.now()
    )
    [line] = await _lines(invoice)
    made = await corrections.correct(
        Correction(invoice_id=invoice, reason="A lower price", key="c1", amounts={line.id: 40_000}), actor=ECL, now=clock.now()
    )
    assert (await states.standing(made.invoice_id)).state is InvoiceState.PAID
    assert -(await states.standing(invoice)).open_cents == 10_000
    assert (await ledger.check()).right


@pytest.mark.parametrize("verb", ["withdraw", "give_up", "correct"])
async def test_only_ecl_changes_an_invoice(db: None, clock: FakeClock, verb: str) -> None:
    invoice = await an_invoice()
    buyer = Actor(kind="member", roles=frozenset({Role.OWNER}))
    with pytest.raises(Forbidden):
        if verb == "withdraw":
            await closing.withdraw(invoice, reason="No", actor=buyer, now=clock.now())
        elif verb == "give_up":
            await closing.give_up(invoice, reason="silent", actor=buyer, now=clock.now())
        else:
            await corrections.correct(Correction(invoice_id=invoice, reason="No", key="k"), actor=buyer, now=clock.now())


async def test_credit_numbers_follow_the_year(db: None, clock: FakeClock) -> None:
    clock.set(kit_clock.instant(kit_clock.today(clock.now()).replace(month=12, day=31), kit_clock.time(23, 30)))
    invoice = await an_invoice(amounts=(50_000,))
    assert await _number(await _credit(invoice, 100, now=clock.now())) == "C2026-000001"
    clock.move(timedelta(hours=1))
    assert await _number(await _credit(invoice, 100, now=clock.now())) == "C2027-000001"


# Races, with a control


async def test_twenty_credits_at_once_never_exceed_the_line(committed: str, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,), basis=TAXED)
    [line] = await _lines(invoice)

    async def one(at: int) -> bool:
        wanted = Credit(invoice_id=invoice, lines=[(line.id, 7_000)], reason="Race", cause="goodwill", key=f"race-{at}")
        try:
            await credit_notes.credit(wanted, actor=SYSTEM, now=clock.now())
        except Invalid:
            return False
        return True

    assert sum(await asyncio.gather(*(one(at) for at in range(20)))) == 7
    numbers = sorted(row["number"] for row in await kit_db.records("SELECT number FROM invoice WHERE kind = 'credit_note'"))
    assert numbers == [f"C2026-{at:06d}" for at in range(1, 8)]
    assert [line.left_cents for line in await _lines(invoice)] == [1_000]
    assert (await ledger.check()).right


async def test_twenty_clicks_with_one_key_are_one_credit_note(committed: str, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))
    made = await asyncio.gather(*(_credit(invoice, 1_000, now=clock.now(), key="one") for _n in range(20)))
    assert len(set(made)) == 1
    assert await kit_db.value("SELECT count(*) FROM invoice WHERE kind = 'credit_note'") == 1


async def test_control_without_the_lock_all_twenty_would_fit(committed: str, clock: FakeClock) -> None:
    """The danger is real: read first without the row's lock, and every one of twenty finds room for itself."""
    invoice = await an_invoice(amounts=(50_000,))
    [line] = await _lines(invoice)
    looked: list[bool] = []
    everybody = asyncio.Barrier(20)

    async def one() -> None:
        async with kit_db.atomic():
            found = credit_sums.parts(await _lines(invoice), [(line.id, 7_000)])
            await everybody.wait()
            looked.append(bool(found))

    await asyncio.gather(*(one() for _n in range(20)))
    assert len(looked) * 7_000 > 50_000


async def test_paying_and_crediting_at_once_both_count(committed: str, clock: FakeClock) -> None:
    invoice = await an_invoice(amounts=(50_000,))

    async def pay(at: int) -> None:
        await payments.record(
            invoice, source="bank", external_id=f"b{at}", cents=5_000, method="bank_transfer", received_at=clock.now(), now=clock.now()
        )

    await asyncio.gather(*(pay(at) for at in range(8)), *(_credit(invoice, 1_000, now=clock.now()) for _at in range(8)))
    found = await states.standing(invoice)
    assert (found.paid_cents, found.credited_cents, found.open_cents) == (40_000, 8_000, 2_000)
    assert (await ledger.check()).right


async def test_a_charge_that_is_late_has_its_own_group(db: None, clock: FakeClock) -> None:
    """The control of the corrections' way: recorded openly, a charge of a billed group is refused."""
    debtor = await a_debtor()
    group = f"order:{ids.new_id()}"
    await charges.record([a_charge(debtor, group)], now=clock.now())
    await issuing.issue(group, now=clock.now())
    with pytest.raises(Conflict, match="already_invoiced"):
        await charges.record([a_charge(debtor, group)], now=clock.now())
