"""Bank files in the manner of three Dutch banks, and entries taken in through the same verb as the product's."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID
from xml.sax.saxutils import escape

import msgspec

from billing.bank import intake
from marketplace.kit import clock, db
from marketplace.kit.identity import SYSTEM
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.identity import Actor

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
PAYER_IBAN = "NL20INGB0001234567"
_numbers = itertools.count(1)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as a test wants it; ``reference`` None leaves the bank's reference out."""

    cents: int
    text: str = ""
    name: str = "Rijnburg 1 B.V."
    iban: str = PAYER_IBAN
    reference: str | None = ""
    end_to_end: str = "NOTPROVIDED"
    structured: str = ""
    on: date | None = None
    extra: str = ""
    returned: str = ""


def _amount(cents: int) -> str:
    return f'<Amt Ccy="EUR">{abs(cents) // 100}.{abs(cents) % 100:02d}</Amt>'


def _side(cents: int) -> str:
    return f"<CdtDbtInd>{'CRDT' if cents >= 0 else 'DBIT'}</CdtDbtInd>"


def _party(line: Line, version: str) -> str:
    other = ("Cdtr" if line.cents > 0 else "Dbtr") if line.returned else ("Dbtr" if line.cents > 0 else "Cdtr")
    name = f"<Nm>{escape(line.name)}</Nm>"
    inner = f"<Pty>{name}</Pty>" if version == "08" else name
    account = f"<{other}Acct><Id><IBAN>{line.iban}</IBAN></Id></{other}Acct>" if line.iban else ""
    return f"<RltdPties><{other}>{inner}</{other}>{account}</RltdPties>" if line.name else ""


def entry(line: Line, on: date, version: str = "02") -> str:
    """Return one ``Ntry``."""
    number = next(_numbers)
    reference = "" if line.reference is None else f"<AcctSvcrRef>{line.reference or f'0326{number:010d}'}</AcctSvcrRef>"
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version == "08" else "<Sts>BOOK</Sts>"
    day = (line.on or on).isoformat()
    texts = "".join(f"<Ustrd>{escape(line.text[at : at + 140])}</Ustrd>" for at in range(0, len(line.text), 140))
    strd = f"<Strd><CdtrRefInf><Ref>{escape(line.structured)}</Ref></CdtrRefInf></Strd>" if line.structured else ""
    remittance = f"<RmtInf>{texts}{strd}</RmtInf>" if texts or strd else ""
    back = f"<RtrInf><Rsn><Cd>{line.returned}</Cd></Rsn></RtrInf>" if line.returned else ""
    return f"""<Ntry>{_amount(line.cents)}{_side(line.cents)}{status}<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>{reference}
      <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
      <NtryDtls><TxDtls><Refs><EndToEndId>{escape(line.end_to_end)}</EndToEndId></Refs>{_party(line, version)}{remittance}{back}{line.extra}</TxDtls></NtryDtls></Ntry>"""


def statement(
    lines: Sequence[Line],
    *,
    on: date = date(2026, 11, 20),
    opening: int = 1_000_000,
    iban: str | None = None,
    version: str = "02",
    reference: str = "",
) -> str:
    """Return one ``Stmt`` whose balances follow from its lines."""
    closing = opening + sum(line.cents for line in lines)
    before = (on - timedelta(days=1)).isoformat()
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(cents)}{_side(cents)}<Dt><Dt>{day}</Dt></Dt></Bal>"
        for code, cents, day in (("OPBD", opening, before), ("CLBD", closing, on.isoformat()))
    )
    name = reference or f"{on:%Y%m%d}-{next(_numbers)}"
    account = f"<Acct><Id><IBAN>{iban or settings().operator.iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    made = f"<CreDtTm>{on.isoformat()}T23:59:59</CreDtTm>"
    return f"<Stmt><Id>{name}</Id><ElctrncSeqNb>{on:%j}</ElctrncSeqNb>{made}{account}{balances}{''.join(entry(line, on, version) for line in lines)}</Stmt>"


def document(*statements: str, version: str = "02") -> bytes:
    """Return a whole file."""
    head = "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-20T23:59:59</CreDtTm></GrpHdr>"
    text = f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{SPACE}{version}"><BkToCstmrStmt>{head}{"".join(statements)}</BkToCstmrStmt></Document>'
    return text.encode()


async def a_transfer(*lines: Line, actor: Actor = SYSTEM, on: date = date(2026, 11, 20)) -> list[UUID]:
    """Take in a file with these entries and return their ids, in order."""
    content = document(statement(lines, on=on))
    received = await intake.receive("camt053.xml", content, actor=actor, now=clock.now())
    rows = await db.records(
        "SELECT e.id FROM bank_entry e JOIN bank_statement s ON s.id = e.statement_id WHERE s.file_id = $1 ORDER BY e.id", received.file_id
    )
    return [row["id"] for row in rows]
