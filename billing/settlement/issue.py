"""Making statements: one transaction that gives the number, freezes lines and VAT, and takes over what was below zero.

Where self-billing was agreed, the partner's invoice gets its number in the partner's own series in the same transaction, and
the books follow; else they follow when the partner's own invoice is registered. Papers and mail are work of their own.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from billing import numbering, seller, vat
from billing.settlement import accounts, payees, rules, statements
from billing.settlement.lines import Line
from billing.settlement.statements import Share
from billing.vat import BuyerFacts, SellerFacts, TeachingForm, VatBasis, VatFacts, VatLine
from marketplace.kit import audit, clock, db, ids, periodic, work
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Permission, require
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.settlement.accounts import Account
    from billing.settlement.payees import Payee
    from marketplace.kit.identity import Actor

_LINES = f"""
    SELECT {", ".join(f"l.{name}" for name in Line.__struct_fields__ if name not in ("vat_category", "vat_rate", "exemption_code"))},
           o.vat_category, o.vat_rate, o.exemption_code
    FROM settlement_line l LEFT JOIN settlement_line o ON o.id = l.of_line_id
    WHERE l.payee_id = $1 AND l.state = 'payable' AND l.payable_on <= $2 ORDER BY l.supply_to_on, l.id FOR UPDATE OF l
"""  # noqa: S608 - field names


async def issue(payee_id: UUID, month: date, *, actor: Actor, now: datetime) -> UUID | None:
    """Make a payee's statement of the month that ``month`` lies in and return its id; one a month, however often it is asked.

    It takes every line that was payable by the end of the month. None when there is none. Raises ``Forbidden``, ``NotFound``,
    ``Invalid`` for a month that isn't over, ``Conflict`` ``details_missing``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    first, last = rules.month_of(month)
    today = clock.today(now)
    if last >= today:
        raise Invalid("invalid", _("This month isn't over yet."), fields={"month": _("This month isn't over yet.")})
    async with db.atomic():
        payee = await payees.get(payee_id, lock=True)
        existing = await db.value("SELECT id FROM partner_statement WHERE payee_id = $1 AND period_from_on = $2", payee_id, first)
        if existing is not None:
            return UUID(str(existing))
        found = await db.rows(Line, _LINES, payee_id, last)
        if not found:
            return None
        account = await accounts.approved(payee_id)
        if not payee.complete or (payee.self_bills(today) and account is None):
            raise Conflict(
                "details_missing", _("The address, e-mail address or approved account of {name} is missing.", name=payee.legal_name)
            )
        return await _write(payee, (first, last), await _decided(payee, found), account, actor=actor, now=now)


async def _decided(payee: Payee, found: Sequence[Line]) -> list[Line]:
    """Return the lines with the VAT that the partner charges; what takes back a line of before has that one's."""
    sells = await seller.of_partner(payee.owner_id, vat_id=payee.vat_id or "", name=payee.legal_name, country=payee.country)
    buys = seller.operator_as_buyer()
    return [line if line.vat_category is not None else _decide(line, payee, sells, buys) for line in found]


def _decide(line: Line, payee: Payee, sells: SellerFacts, buys: BuyerFacts) -> Line:
    if payee.small_business:
        return msgspec.structs.replace(line, vat_category="E", vat_rate=Decimal(0), exemption_code=None)
    facts = VatFacts(basis=VatBasis(line.vat_basis), supply_on=line.supply_to_on, teaching=TeachingForm(line.teaching))
    decision = vat.decide_partner(facts, sells, buys)
    return msgspec.structs.replace(
        line, vat_category=decision.category.value, vat_rate=decision.rate, exemption_code=decision.exemption_code
    )


def totals(lines: Sequence[Line]) -> list[Share]:
    """Return the VAT per (category, rate) over what was earned: rounded once, half up. Pure."""
    taxed = [
        VatLine(net_cents=line.earned_cents, vat_category=line.vat_category or "", vat_rate=line.vat_rate or Decimal(0),
                exemption_code=line.exemption_code)
        for line in lines
    ]  # fmt: skip
    return [
        Share(
            vat_category=one.category.value,
            vat_rate=one.rate,
            earned_cents=one.net_cents,
            vat_cents=one.vat_cents,
            exemption_code=one.exemption_code,
        )
        for one in vat.totals(taxed)
    ]


_STATEMENT = """
    INSERT INTO partner_statement (id, payee_id, number, period_from_on, period_to_on, dated_on, objection_until_on, language, payee, operator,
        self_billed, invoice_number, invoice_on, net_cents, commission_cents, earned_cents, vat_cents, carried_cents, total_cents,
        paid_out_cents, state, state_at, issued_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0, 'issued', $20, $20)
"""


async def _write(
    payee: Payee, period: tuple[date, date], lines: Sequence[Line], account: Account | None, *, actor: Actor, now: datetime
) -> UUID:
    parts = totals(lines)
    split = rules.sum_splits([line.split for line in lines])
    tax = sum(part.vat_cents for part in parts)
    number = await numbering.next_number(f"S-{payee.code}-", clock.today(now))
    on = number.dated_on
    self_billed = payee.self_bills(on) and split.earned_cents != 0
    invoice = await numbering.next_number(f"SB-{payee.code}-", on) if self_billed else None
    before = await _below_zero(payee.id)
    carried = sum(cents for _id, cents in before)
    made = ids.new_id()
    await db.execute(
        _STATEMENT, made, payee.id, number.number, *period, on, on + timedelta(days=payee.objection_days), payee.language,
        _snapshot(payee, account), _json(settings().operator), self_billed, invoice and invoice.number, invoice and invoice.dated_on,
        split.net_cents, split.commission_cents, split.earned_cents, tax, carried, split.earned_cents + tax + carried, now,
    )  # fmt: skip
    await _freeze(made, parts, lines, now=now)
    await db.execute(
        "UPDATE partner_statement SET state = 'carried', carried_to_id = $2, state_at = $3 WHERE id = ANY($1)",
        [one for one, _cents in before], made, now,
    )  # fmt: skip
    if self_billed:
        await statements.book(await statements.by_id(made), parts, on=on, now=now)
    data = {"number": number.number, "lines": len(lines), "earned_cents": split.earned_cents, "vat_cents": tax}
    await audit.record("statement.issued", actor=actor, subject=("statement", made), data=data, now=now)
    await work.enqueue("settlement.render", {"statement": made}, run_at=now, dedupe_key=f"settlement.render:{made}")
    return made


async def _below_zero(payee_id: UUID) -> list[tuple[UUID, int]]:
    """Return the payee's agreed statements that came to less than nothing, locked: they go into the next one."""
    sql = """
        SELECT id, total_cents FROM partner_statement WHERE payee_id = $1 AND state = 'agreed' AND total_cents < 0
            AND (invoice_number IS NOT NULL OR earned_cents = 0)
            AND NOT EXISTS (SELECT 1 FROM statement_objection o WHERE o.statement_id = partner_statement.id AND o.state = 'open')
        ORDER BY id FOR UPDATE
    """
    return [(row["id"], row["total_cents"]) for row in await db.records(sql, payee_id)]


async def _freeze(statement_id: UUID, parts: Sequence[Share], lines: Sequence[Line], *, now: datetime) -> None:
    await db.execute_many(
        "INSERT INTO partner_statement_vat (id, statement_id, vat_category, vat_rate, earned_cents, vat_cents, exemption_code)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(ids.new_id(), statement_id, p.vat_category, p.vat_rate, p.earned_cents, p.vat_cents, p.exemption_code) for p in parts],
    )
    await db.execute_many(
        "UPDATE settlement_line SET state = 'stated', state_at = $2, statement_id = $3, vat_category = $4, vat_rate = $5, exemption_code = $6"
        " WHERE id = $1 AND state = 'payable'",
        [(line.id, now, statement_id, line.vat_category, line.vat_rate, line.exemption_code) for line in lines],
    )


def _snapshot(payee: Payee, account: Account | None) -> str:
    """Return the payee as it is now, with the account that it is paid on."""
    paid_on = {name: getattr(account, name, None) for name in ("iban", "bic", "holder_name")}
    return _json(msgspec.to_builtins(payee) | paid_on)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def issue_all(month: date, *, actor: Actor, now: datetime) -> int:
    """Ask for the statements of everybody with something payable by the end of a month; return how many. Safe to repeat."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    first, last = rules.month_of(month)
    if last >= clock.today(now):
        raise Invalid("invalid", _("This month isn't over yet."), fields={"month": _("This month isn't over yet.")})
    sql = """
        SELECT DISTINCT l.payee_id FROM settlement_line l WHERE l.state = 'payable' AND l.payable_on <= $1
            AND NOT EXISTS (SELECT 1 FROM partner_statement s WHERE s.payee_id = l.payee_id AND s.period_from_on = $2) ORDER BY l.payee_id
    """
    asked = 0
    async with db.atomic():
        for row in await db.records(sql, last, first):
            asked += 1
            key = f"settlement.statement:{row['payee_id']}:{first.isoformat()}:{now.isoformat()}"
            await work.enqueue("settlement.statement", {"payee": row["payee_id"], "month": first.isoformat()}, run_at=now, dedupe_key=key)
    return asked


@work.handler("settlement.statement")
async def issue_one(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Make one statement. Missing details wait for a person; they are shown on ECL's list."""
    try:
        await issue(UUID(payload["payee"]), date.fromisoformat(payload["month"]), actor=SYSTEM, now=now)
    except Conflict as refusal:
        raise work.GiveUp(refusal.message) from refusal


@periodic.periodic("settlement.statements", cron="30 5 1 * *")
async def every_month(slot: datetime, *, now: datetime) -> None:
    """Make last month's statements on the first of the month."""
    await issue_all(rules.month_before(clock.today(slot)), actor=SYSTEM, now=now)


@periodic.periodic("settlement.agree", cron="20 4 * * *")
async def every_night(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Let statements stand whose time to object is over."""
    await statements.agree_silently(now=now)
