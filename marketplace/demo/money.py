"""Money in the demo's past, month by month: how debtors want their invoices, partners' terms, runs, statements, payouts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from billing import debtors
from billing.dunning import reminders
from billing.runs import issue as run_issue
from billing.runs import jobs as run_jobs
from billing.settlement import accounts, advance, agreeing, issue, payees, payouts, statements, transfers
from billing.settlement.accounts import Proposal
from billing.settlement.agreeing import NewContract
from billing.settlement.payees import Owner, PayeeDetails
from billing.vies import certificates
from billing.vies.certificates import NewCertificate
from marketplace.demo.companies import PARTNERS
from marketplace.kit import calendar, clock, db, identity
from marketplace.kit.errors import Conflict
from marketplace.kit.identity import SYSTEM, Actor
from marketplace.kit.money import Money
from marketplace.people import companies

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.demo.people import Cast

Step = Callable[[datetime], Awaitable[None]]

WISHES: dict[str, dict[str, object]] = {
    "duinrand": {"rhythm": "month", "split_by": "cost_centre"},
    "vlietland": {"rhythm": "month", "billing_moment": "start"},
    "oortwolk": {"rhythm": "month", "billing_moment": "delivery", "terms_days": 14},
    "instituut": {"acceptance_profile": "university"},
    "omgeving": {
        "acceptance_profile": "public_body", "oin": "00000001822477348000", "wants_ubl": True, "ubl_profile": "nlcius",
        "buyer_reference": "Inkoop opleidingen", "channel": "peppol", "peppol_scheme": "0190", "peppol_id": "00000001822477348000",
    },
    "kustwacht": {"acceptance_profile": "international_organisation"},
    "demo": {"wants_ubl": True},
}  # fmt: skip


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What ECL has agreed with a partner. ``fixed`` is euros a seat; ``self_billing`` says who writes the invoice."""

    legal_name: str
    street: str
    postcode: str
    kvk: str
    vat_id: str
    iban: str
    percent: int | None = None
    fixed: int | None = None
    self_billing: bool = False
    hold_days: int = 7


TERMS = {
    "zijlpoort": Terms(
        legal_name="Taalhuis Zijlpoort B.V.", street="Haarlemmerstraat 208", postcode="2312 GJ", kvk="90100208",
        vat_id="NL000099848B49", iban="NL53INGB0001234555", percent=18, self_billing=True, hold_days=0,
    ),
    "rapenburg": Terms(
        legal_name="Rapenburg Language Lab B.V.", street="Rapenburg 94", postcode="2311 EX", kvk="90100094",
        vat_id="NL000099850B31", iban="NL18RABO0123459876", percent=20, self_billing=True,
    ),
    "brugwachter": Terms(
        legal_name="Studio Brugwachter", street="Nieuwe Rijn 46", postcode="2312 JH", kvk="90100046",
        vat_id="NL000099861B29", iban="NL02ABNA0123456789", percent=15,
    ),
    "tweedehuis": Terms(
        legal_name="Tweede Huis Coaching", street="Oude Vest 79", postcode="2312 XT", kvk="90100079",
        vat_id="NL000099873B18", iban="NL22TRIO0123456780", fixed=60,
    ),
}  # fmt: skip
_PAPER = b"%PDF-1.4\n% demo: the paper itself is not shown here\n%%EOF\n"


async def wishes(cast: Cast, *, now: datetime) -> None:
    """Tell billing how each debtor wants its invoices, and bring the certificate of the one that has one."""
    for key, wanted in WISHES.items():
        debtor = await debtors.get(await debtor_of(cast, key))
        profile = {field.name: getattr(debtor, field.name) for field in msgspec.structs.fields(debtors.DebtorProfile)}
        await debtors.update(debtor.id, msgspec.convert(profile | wanted, debtors.DebtorProfile), actor=cast.ecl, now=now)
    certificate = NewCertificate(
        debtor_id=await debtor_of(cast, "kustwacht"), number="151-2026-0042", issuer="Ministerie van Financiën",
        from_on=date(now.year, 1, 1), until_on=date(now.year + 1, 6, 30), file_name="certificate-151.pdf", content=_PAPER,
    )  # fmt: skip
    await certificates.add(certificate, actor=cast.ecl, now=now)


async def debtor_of(cast: Cast, key: str) -> UUID:
    """Return the debtor of a company of the demo."""
    found = (await companies.get(cast.houses[key].company_id)).debtor_id
    if found is None:
        message = f"{key} has no debtor"
        raise RuntimeError(message)
    return found


async def second() -> Actor:
    """Return ECL's second pair of eyes."""
    row = await identity.account_by_email("ecl2@demo.example")
    actor = await identity.actor_of(row.id) if row else None
    if actor is None:
        message = "the demo has no second member at ECL"
        raise RuntimeError(message)
    return actor


async def agree_with_partners(cast: Cast, *, now: datetime) -> None:
    """Agree on commission with every partner, and on the account that it is paid on."""
    other = await second()
    owners = [Owner(id=cast.partners[key], name=PARTNERS[key].name, code=PARTNERS[key].code, email=PARTNERS[key].email) for key in TERMS]
    made = await payees.ensure(owners, now=now)
    for key, terms in TERMS.items():
        payee_id = made[cast.partners[key]]
        begun = date(now.year, 1, 1)
        details = PayeeDetails(
            legal_name=terms.legal_name, code=PARTNERS[key].code, street=terms.street, postcode=terms.postcode, city=PARTNERS[key].city,
            vat_id=terms.vat_id, kvk=terms.kvk, email=PARTNERS[key].email, language="en" if key == "rapenburg" else "nl",
            self_billing_from_on=begun if terms.self_billing else None,
        )  # fmt: skip
        await payees.save(payee_id, details, actor=cast.ecl, now=now)
        percent = None if terms.percent is None else Decimal(terms.percent)
        fixed = None if terms.fixed is None else Money(terms.fixed * 100)
        terms_of = NewContract(from_on=begun, percent=percent, fixed=fixed, hold_days=terms.hold_days)
        await agreeing.agree(payee_id, terms_of, actor=cast.ecl, now=now)
        account = await accounts.propose(payee_id, Proposal(iban=terms.iban), actor=cast.ecl, now=now)
        await accounts.approve(account, actor=other, now=now)


def steps(cast: Cast, *, begin: datetime, until: datetime) -> Iterator[tuple[datetime, Step]]:
    """Give what recurs: every day what falls due, every month the runs, statements and payouts."""
    day, last = clock.today(begin), clock.today(until)
    while day <= last:
        yield clock.instant(day, time(8, 30)), _day
        if day.day == 1:
            yield clock.instant(day, time(9, 5)), _month(cast)
        if day.day in {3, 4, 5} and calendar.is_working_day(day):
            yield clock.instant(day, time(11, 0)), _partners_invoices(cast)
        if day == _payout_day(day):
            yield clock.instant(day, time(10, 0)), _payout(cast, sent=day + timedelta(days=21) < last)
        day += timedelta(days=1)


async def _day(now: datetime) -> None:
    await advance.advance(now=now)
    await statements.agree_silently(now=now)
    await run_jobs.request_due(now, now=now)
    await reminders.find(now, now=now)


def _month(cast: Cast) -> Step:
    async def step(now: datetime) -> None:
        before = clock.today(now) - timedelta(days=1)
        run = await run_jobs.propose(until_on=before, now=now)
        if run is not None:
            try:
                await run_issue.issue(run, actor=cast.ecl, now=now)
            except Conflict:
                return  # nothing in it was ready
        await issue.issue_all(before, actor=cast.ecl, now=now)

    return step


def _partners_invoices(cast: Cast) -> Step:
    """Keep the invoices that partners send who write their own, in the first days of a month."""

    async def step(now: datetime) -> None:
        sql = "SELECT number FROM partner_statement WHERE invoice_number IS NULL AND earned_cents <> 0 ORDER BY number"
        for row in await db.records(sql):
            statement = await statements.get(row["number"], actor=SYSTEM)
            total = Money(statement.earned_cents + statement.vat_cents)
            name = f"{now:%Y}{statement.period_from_on:%m}-{statement.payee['code']}"
            await statements.register_invoice(
                statement.number, invoice_number=name, invoice_on=clock.today(now), total=total, actor=cast.ecl, now=now
            )

    return step


def _payout_day(day: date) -> date:
    """Return the first working day from the eighteenth on: the time to object is over then."""
    eighteenth = day.replace(day=18)
    return eighteenth if calendar.is_working_day(eighteenth) else calendar.add_working_days(eighteenth, 1)


def _payout(cast: Cast, *, sent: bool) -> Step:
    """Let one draft and the other approve; older ones went to the bank and were paid, the last one waits approved."""

    async def step(now: datetime) -> None:
        other = await second()
        pay_on = calendar.add_working_days(clock.today(now), 1)
        try:
            batch = await payouts.draft(pay_on=pay_on, actor=cast.ecl, now=now)
        except Conflict:
            return  # nothing to pay
        await payouts.approve(batch, actor=other, now=now)
        if sent:
            await payouts.export(batch, actor=other, now=now)
            await transfers.send(batch, actor=other, now=now)
            await transfers.batch_paid(batch, on=pay_on, actor=cast.ecl, now=now)

    return step
