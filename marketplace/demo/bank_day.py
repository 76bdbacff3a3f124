"""Yesterday at the bank, for the demo: a CAMT.053 file in which most transfers find their invoice, and some need a person."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from lxml import etree

from billing.bank import allocate, intake
from marketplace.kit import calendar, clock, db
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.demo.people import Cast

_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_IBANS = ("NL20INGB0001234567", "NL44RABO0123456789", "NL02ABNA0123456789", "NL86INGB0002445588")


class Credit(msgspec.Struct, frozen=True):
    """A transfer that came in; cents."""

    cents: int
    name: str
    iban: str
    text: str


class _Open(msgspec.Struct, frozen=True):
    number: str
    cents: int
    name: str


_AT_THE_BANK = """
    SELECT coalesce(sum(p.cents), 0)::bigint FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
    WHERE p.account = 'bank' AND e.booked_on <= $1
"""
_OPEN = """
    SELECT i.number, i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents AS cents, i.buyer ->> 'legal_name' AS name
    FROM invoice i JOIN debtor d ON d.id = i.debtor_id
    WHERE i.kind = 'invoice' AND i.state = 'issued' AND i.due_on > $1 AND d.owner_id = $2 ORDER BY i.number LIMIT $3
"""


async def take_in(cast: Cast, *, now: datetime) -> None:
    """Take the file in, and let what is certain be booked; the rest waits for ECL with its proposals."""
    day = clock.today(now) - timedelta(days=1)
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    came_in = await _credits(cast, today=clock.today(now))
    if not came_in:
        return
    opening_cents = int(await db.value(_AT_THE_BANK, day))
    received = await intake.receive(f"camt053-{day.isoformat()}.xml", _file(came_in, day, opening_cents), actor=cast.ecl, now=now)
    await allocate.confirm_certain(received.file_id, actor=cast.ecl, now=now)


async def _credits(cast: Cast, *, today: date) -> list[Credit]:
    """Two exact ones, one for two invoices, one short, one without a number, one from a stranger."""
    made: list[Credit] = []

    async def some(key: str, count: int) -> list[_Open]:
        return await db.rows(_Open, _OPEN, today, cast.houses[key].company_id, count)

    for at, key in enumerate(("schelde", "zoeterbrug")):
        made += [Credit(one.cents, one.name, _IBANS[at], f"Invoice {one.number}") for one in await some(key, 1)]
    pair = await some("duinrand", 2)
    if len(pair) == 2:
        made.append(Credit(sum(one.cents for one in pair), pair[0].name, _IBANS[2], " en ".join(one.number for one in pair)))
    for one in await some("kustwacht", 1):
        made.append(Credit(one.cents - 2_500, one.name, _IBANS[3], f"{one.number.replace('-', ' ')} less bank costs"))
    for one in await some("neckar", 1):
        made.append(Credit(one.cents, one.name, "DE02120300000000202051", "Rechnung Sprachkurs"))
    return [*made, Credit(7_350, "J. van der Plas", "NL91ABNA0417164300", "terugbetaling lunch")]


def _file(came_in: Sequence[Credit], day: date, opening_cents: int) -> bytes:
    root = etree.Element("Document", nsmap={None: _SPACE})  # type: ignore[dict-item] # None is the default namespace
    whole = _add(root, "BkToCstmrStmt")
    head = _add(whole, "GrpHdr")
    _add(head, "MsgId", f"DEMO{day:%Y%m%d}")
    _add(head, "CreDtTm", f"{day.isoformat()}T23:50:00")
    statement = _add(whole, "Stmt")
    _add(statement, "Id", f"{day:%Y%m%d}-1")
    _add(statement, "ElctrncSeqNb", f"{day:%j}")
    _add(statement, "CreDtTm", f"{day.isoformat()}T23:50:00")
    account = _add(statement, "Acct")
    _add(_add(account, "Id"), "IBAN", settings().operator.iban.replace(" ", ""))
    _add(account, "Ccy", "EUR")
    for code, cents in (("OPBD", opening_cents), ("CLBD", opening_cents + sum(one.cents for one in came_in))):
        _balance(statement, code, cents, day - timedelta(days=code == "OPBD"))
    for at, one in enumerate(came_in, 1):
        _entry(statement, one, day, f"{day:%Y%m%d}{at:06d}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _balance(statement: etree._Element, code: str, cents: int, on: date) -> None:
    balance = _add(statement, "Bal")
    _add(_add(_add(balance, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(balance, cents)
    _add(_add(balance, "Dt"), "Dt", on.isoformat())


def _entry(statement: etree._Element, one: Credit, day: date, reference: str) -> None:
    entry = _add(statement, "Ntry")
    _amount(entry, one.cents)
    _add(_add(entry, "Sts"), "Cd", "BOOK")
    for name in ("BookgDt", "ValDt"):
        _add(_add(entry, name), "Dt", day.isoformat())
    _add(entry, "AcctSvcrRef", reference)
    family = _add(_add(entry, "BkTxCd"), "Domn")
    _add(family, "Cd", "PMNT")
    inner = _add(family, "Fmly")
    _add(inner, "Cd", "RCDT")
    _add(inner, "SubFmlyCd", "ESCT")
    details = _add(_add(entry, "NtryDtls"), "TxDtls")
    _add(_add(details, "Refs"), "EndToEndId", "NOTPROVIDED")
    parties = _add(details, "RltdPties")
    _add(_add(_add(parties, "Dbtr"), "Pty"), "Nm", one.name)
    _add(_add(_add(parties, "DbtrAcct"), "Id"), "IBAN", one.iban)
    _add(_add(details, "RmtInf"), "Ustrd", one.text)


def _amount(parent: etree._Element, cents: int) -> None:
    _add(parent, "Amt", f"{cents // 100}.{cents % 100:02d}").set("Ccy", "EUR")
    _add(parent, "CdtDbtInd", "CRDT")


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    made = etree.SubElement(parent, f"{{{_SPACE}}}{name}")
    made.text = text
    return made
