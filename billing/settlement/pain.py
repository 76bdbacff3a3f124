"""The bank's file: a credit transfer initiation, ISO 20022 pain.001.001.09, as the Dutch banks take it for SEPA.

Pure: a batch in, bytes out; the same batch gives the same bytes, for nothing in it is made up here. Ids are the batch's, texts
are written in SEPA's letters. Source: ISO 20022 pain.001.001.09 and the EPC's implementation guidelines (EPC132-08).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
from lxml import etree

from billing.settlement.latin import sepa

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
MOST = Decimal("999999999.99")


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One payment. ``end_to_end`` comes back on the bank statement; ``remittance`` is what the payee reads (140 letters)."""

    end_to_end: str
    cents: int
    name: str
    iban: str
    bic: str
    remittance: str


class Initiation(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of payments from one account on one day. ``made_at`` is when it was approved."""

    message_id: str
    made_at: datetime
    pay_on: date
    name: str
    iban: str
    bic: str
    transfers: tuple[Transfer, ...]


def write(batch: Initiation) -> bytes:
    """Return the file. Raises ``ValueError`` for a batch without payments, or with an amount that SEPA doesn't take."""
    _check(batch)
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    top = _add(root, "CstmrCdtTrfInitn")
    head = _add(top, "GrpHdr")
    _add(head, "MsgId", sepa(batch.message_id, 35))
    _add(head, "CreDtTm", batch.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _totals(head, batch)
    _add(_add(head, "InitgPty"), "Nm", sepa(batch.name, 70))
    payment = _add(top, "PmtInf")
    _add(payment, "PmtInfId", sepa(batch.message_id, 35))
    _add(payment, "PmtMtd", "TRF")
    _add(payment, "BtchBookg", "true")
    _totals(payment, batch)
    _add(_add(_add(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _add(_add(payment, "ReqdExctnDt"), "Dt", batch.pay_on.isoformat())
    _add(_add(payment, "Dbtr"), "Nm", sepa(batch.name, 70))
    _account(payment, "DbtrAcct", batch.iban)
    _agent(payment, "DbtrAgt", batch.bic)
    _add(payment, "ChrgBr", "SLEV")
    for transfer in batch.transfers:
        _transfer(payment, transfer)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _check(batch: Initiation) -> None:
    if not batch.transfers:
        message = "a batch without payments"
        raise ValueError(message)
    if len({transfer.end_to_end for transfer in batch.transfers}) < len(batch.transfers):
        message = "two payments with one id"
        raise ValueError(message)
    for transfer in batch.transfers:
        if not 0 < _euros(transfer.cents) <= MOST:
            message = f"{transfer.end_to_end}: an amount that SEPA doesn't take"
            raise ValueError(message)


def _totals(parent: etree._Element, batch: Initiation) -> None:
    _add(parent, "NbOfTxs", str(len(batch.transfers)))
    _add(parent, "CtrlSum", f"{_euros(sum(transfer.cents for transfer in batch.transfers)):.2f}")


def _transfer(parent: etree._Element, transfer: Transfer) -> None:
    one = _add(parent, "CdtTrfTxInf")
    _add(_add(one, "PmtId"), "EndToEndId", sepa(transfer.end_to_end, 35))
    amount = _add(_add(one, "Amt"), "InstdAmt", f"{_euros(transfer.cents):.2f}")
    amount.set("Ccy", "EUR")
    if transfer.bic:
        _agent(one, "CdtrAgt", transfer.bic)
    _add(_add(one, "Cdtr"), "Nm", sepa(transfer.name, 70) or ".")
    _account(one, "CdtrAcct", transfer.iban)
    _add(_add(one, "RmtInf"), "Ustrd", sepa(transfer.remittance, 140) or sepa(transfer.end_to_end, 35))


def _account(parent: etree._Element, name: str, iban: str) -> None:
    _add(_add(_add(parent, name), "Id"), "IBAN", iban)


def _agent(parent: etree._Element, name: str, bic: str) -> None:
    bank = _add(_add(parent, name), "FinInstnId")
    if bic:
        _add(bank, "BICFI", bic)
    else:
        _add(_add(bank, "Othr"), "Id", "NOTPROVIDED")


def _euros(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    made = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    made.text = text
    return made
