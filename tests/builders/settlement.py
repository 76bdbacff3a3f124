"""Payees, contracts, earned lines, statements and payouts for tests, made through the same verbs as everything else."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from billing import charges, issuing
from billing.settlement import accounts, advance, agreeing, issue, lines, payees, statements
from billing.settlement.accounts import Proposal
from billing.settlement.agreeing import NewContract
from billing.settlement.lines import NewLine
from billing.settlement.payees import Owner, PayeeDetails
from marketplace.kit import clock, db, ids
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import a_charge, a_debtor
from tests.builders.people import a_member

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.kit.identity import Actor

_numbers = itertools.count(1)
IBANS = ("NL91ABNA0417164300", "NL20INGB0001234567", "NL44RABO0123456789", "DE89370400440532013000")
CONTRACT_FROM = date(2026, 1, 1)


async def two_of_ecl() -> tuple[Actor, Actor]:
    """Make two colleagues at ECL: one proposes, the other approves."""
    number = next(_numbers)
    return (
        await a_member(name="Marit One", email=f"one{number}@ecl.example"),
        await a_member(name="Joost Two", email=f"two{number}@ecl.example"),
    )


async def a_payee(
    owner_id: UUID | None = None, *, self_billing: bool = True, percent: Decimal | None = Decimal(15), **details: object
) -> UUID:
    """Make a payee with its details and (unless ``percent`` is None) a contract for everything since 2026."""
    number = next(_numbers)
    owner = Owner(id=owner_id or ids.new_id(), name=f"Taalhuis {number}", code=f"TH{number}")
    payee_id = (await payees.ensure([owner], now=clock.now()))[owner.id]
    given = {
        "legal_name": f"Taalhuis {number} B.V.", "code": f"TH{number}", "street": f"Hooigracht {number}", "postcode": "2312 KV", "city": "Leiden",
        "vat_id": "NL123456782B90", "kvk": "12345678", "email": f"office{number}@taalhuis.example", "language": "en",
        "self_billing_from_on": CONTRACT_FROM if self_billing else None, **details,
    }  # fmt: skip
    await payees.save(payee_id, PayeeDetails(**given), actor=SYSTEM, now=clock.now())  # type: ignore[arg-type]
    if percent is not None:
        await agreeing.agree(payee_id, NewContract(from_on=CONTRACT_FROM, percent=percent), actor=SYSTEM, now=clock.now())
    return payee_id


async def an_account(payee_id: UUID, *, iban: str = IBANS[0], ecl: tuple[Actor, Actor] | None = None) -> UUID:
    """Give a payee an approved account."""
    first, second = ecl or await two_of_ecl()
    made = await accounts.propose(payee_id, Proposal(iban=iban), actor=first, now=clock.now())
    await accounts.approve(made, actor=second, now=clock.now())
    return made


async def a_seat(
    payee_id: UUID,
    *,
    cents: int = 64_500,
    ended_on: date = date(2026, 10, 1),
    invoiced: bool = False,
    debtor_id: UUID | None = None,
    **values: object,
) -> UUID:
    """Make a sold seat of a course that ended on a day; return its charge, which is not invoiced unless told."""
    payee = await payees.get(payee_id)
    group = f"order:{ids.new_id()}"
    days = {"supply_from_on": ended_on - timedelta(days=30), "supply_to_on": ended_on}
    new = a_charge(debtor_id or await a_debtor(), group, cents=cents, **days)
    await charges.record([new], now=clock.now())
    if invoiced:
        await issuing.issue(group, now=clock.now())
    given = {
        "charge_id": new.id, "owner": Owner(id=payee.owner_id, name=payee.legal_name, code=payee.code), "order_number": "107",
        "programme": "NL-A1", "session": "NL-A1-26-3", "title_nl": "Nederlands A1", "title_en": "Dutch A1", "placed_on": date(2026, 8, 3),
        "vat_basis": "general_language", "teaching": "on_site", "net_cents": cents, **days, **values,
    }  # fmt: skip
    await lines.accrue([NewLine(**given)], now=clock.now())  # type: ignore[arg-type]
    return new.id


async def a_statement(payee_id: UUID, *amounts: int, month: date = date(2026, 10, 1), **seat: object) -> statements.Statement:
    """Make a statement of seats that are payable by the end of the month."""
    for cents in amounts or (64_500,):
        await a_seat(payee_id, cents=cents, **seat)  # type: ignore[arg-type]
    await advance.advance(now=clock.now())
    made = await issue.issue(payee_id, month, actor=SYSTEM, now=clock.now())
    assert made is not None
    return await statements.by_id(made)


async def agreed(statement: statements.Statement) -> statements.Statement:
    """Let the time to object be over for a statement, without moving the clock."""
    await statements.move(statement, statements.StatementState.AGREED, actor=SYSTEM, now=clock.now())
    return await statements.by_id(statement.id)


async def balance(account: str, payee_id: UUID | None = None) -> int:
    """Return what stands on an account of the books, in all or of one payee; cents."""
    sql = "SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE account = $1 AND ($2::uuid IS NULL OR payee_id = $2)"
    return int(await db.value(sql, account, payee_id))
