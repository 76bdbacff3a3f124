"""CAMT.053 (ISO 20022 bank-to-customer statement), versions .02 and .08, as Structs. Pure: bytes in, statements out.

Read safely: no DTD, no entities, no network. What an account's bank leaves out is None or empty; what doesn't add up is refused.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from lxml import etree
from stdnum import iban as ibans

from billing.bank.unpack import refused
from marketplace.kit import clock
from marketplace.kit.i18n import _, fmt_money
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ENTRIES = 20_000
_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,5})?")
_SPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.(05[234])\.001\.(\d\d)")
_VERSIONS = ("02", "08")
_YEARS = (2000, 2100)
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_NO_REFERENCE = {"", "NOTPROVIDED", "NONREF"}
_RETURNS = ("RRTN", "RCHQ", "RPCR", "RIMB")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Money in (``cents`` above zero) or out (below). ``of_batch`` says that the bank booked it together with others.

    ``references`` are the structured ones; ``text`` is the free remittance in one line. ``returned`` holds the bank's
    reason code when this brings back an earlier transfer.
    """

    cents: int
    booked_on: date
    value_on: date
    servicer_reference: str = ""
    end_to_end_id: str = ""
    name: str = ""
    iban: str = ""
    text: str = ""
    references: tuple[str, ...] = ()
    code: str = ""
    returned: str = ""
    of_batch: bool = False


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One account over one period; amounts in cents of euro. Opening + entries = closing, or it wouldn't be here."""

    iban: str
    reference: str
    number: str
    opening_on: date
    closing_on: date
    opening_cents: int
    closing_cents: int
    entries: tuple[Entry, ...]


def read(document: bytes) -> list[Statement]:
    """Return the statements of a CAMT.053 document, in its order.

    Entries that are only announced (pending, information) are left out. Raises ``Invalid`` with what is wrong and the
    mend: not XML, a DTD, another message, another currency, an unreadable amount or date, balances that don't add up.
    """
    root = _root(document)
    statements = [_statement(one) for one in root.findall("{*}BkToCstmrStmt/{*}Stmt")]
    if not statements:
        raise refused("bank_file_no_statement", _("There is no bank statement in this file."), _AGAIN())
    if sum(len(one.entries) for one in statements) > MAX_ENTRIES:
        raise refused(
            "bank_file_too_large",
            _("This file has more than {count} entries.", count=MAX_ENTRIES),
            _("Download a shorter period and send the files one by one."),
        )
    return statements


def _AGAIN() -> str:  # noqa: N802 - a sentence, in the language of the moment
    return _("Choose CAMT.053 when you download from your bank.")


def _root(document: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise refused("bank_file_not_xml", _("This is not an XML file that can be read."), _AGAIN()) from wrong
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr] # lxml's stubs know a document without one
        raise refused("bank_file_dtd", _("This file defines a document type, which no bank's statement does."), _AGAIN())
    found = _SPACE.fullmatch(etree.QName(root).namespace or "")
    if found is None or etree.QName(root).localname != "Document":
        raise refused("bank_file_other", _("This XML is not a bank statement."), _AGAIN())
    if found[1] != "053":
        raise refused(
            "bank_file_other",
            _("This is a CAMT.{message}: announced or single entries, not a day's statement.", message=found[1]),
            _AGAIN(),
        )
    if found[2] not in _VERSIONS:
        raise refused(
            "bank_file_version",
            _("CAMT.053 version {version} is not read here.", version=found[2]),
            _("Choose version 02 or 08 at your bank."),
        )
    return root


def _statement(found: etree._Element) -> Statement:
    reference = _text(found, "Id")[:70]
    account = normal_iban(_text(found, "Acct/Id/IBAN") or _text(found, "Acct/Id/Othr/Id"))
    if not ibans.is_valid(account):
        raise refused("bank_file_iban", _("Statement {name} names no IBAN.", name=reference or "?"), _AGAIN())
    _in_euro(found, reference)
    opening, closing = _balance(found, _OPENING, reference), _balance(found, _CLOSING, reference)
    entries = tuple(entry for one in found.findall("{*}Ntry") if _booked(one) for entry in _entries(one, reference))
    _check_sum(reference, opening[0], sum(entry.cents for entry in entries), closing[0])
    return Statement(
        iban=account,
        reference=reference,
        number=(_text(found, "ElctrncSeqNb") or _text(found, "LglSeqNb"))[:20],
        opening_on=opening[1],
        closing_on=closing[1],
        opening_cents=opening[0],
        closing_cents=closing[0],
        entries=entries,
    )


def _in_euro(found: etree._Element, reference: str) -> None:
    """Refuse another currency, wherever an amount of the account's own is given."""
    amounts = [*found.findall("{*}Bal/{*}Amt"), *found.findall("{*}Ntry/{*}Amt")]
    others = {one.get("Ccy", "") for one in amounts} | {_text(found, "Acct/Ccy") or "EUR"}
    if others - {"EUR"}:
        raise refused(
            "bank_file_currency",
            _("Statement {name} is in {currency}.", name=reference, currency=", ".join(sorted(others - {"EUR"})) or "?"),
            _("Our books are in euro: send the statements of the euro account only."),
        )


def _check_sum(reference: str, opening: int, moved: int, closing: int) -> None:
    if opening + moved == closing:
        return
    raise refused(
        "bank_file_sum",
        _(
            "Statement {name} does not add up: {opening} at the start and {moved} in entries make {made}, and it says {closing}.",
            name=reference, opening=_euro(opening), moved=_euro(moved), made=_euro(opening + moved), closing=_euro(closing),
        ),
        _("Something is missing in this file. Download it from your bank again, whole."),
    )  # fmt: skip


def _euro(cents: int) -> str:
    return fmt_money(Money(cents))


def _balance(found: etree._Element, codes: Iterable[str], reference: str) -> tuple[int, date]:
    """Return a booked balance in cents, below zero when the account is overdrawn, and its day."""
    for code in codes:
        for one in found.findall("{*}Bal"):
            if _text(one, "Tp/CdOrPrtry/Cd") == code:
                return _amount(one, reference), _day(one, "Dt", reference)
    raise refused("bank_file_balance", _("Statement {name} has no opening or closing balance.", name=reference), _AGAIN())


def _booked(found: etree._Element) -> bool:
    return (_text(found, "Sts/Cd") or _text(found, "Sts")) in {"BOOK", ""}


def _entries(found: etree._Element, reference: str) -> list[Entry]:
    """Return one entry, or one per transfer where a batch says what each of them was and they make up the whole."""
    whole = _entry(found, None, reference, cents=_amount(found, reference))
    details = found.findall("{*}NtryDtls/{*}TxDtls")
    if not details:
        return [whole]
    if len(details) == 1:
        return [_entry(found, details[0], reference, cents=whole.cents)]
    shares = [_share(one, whole.cents) for one in details]
    if None in shares or sum(share or 0 for share in shares) != whole.cents:
        return [msgspec.structs.replace(whole, text=whole.text or _("{count} transfers in one", count=len(details)))]
    return [
        msgspec.structs.replace(_entry(found, one, reference, cents=share or 0), of_batch=True)
        for one, share in zip(details, shares, strict=True)
        if share
    ]


def _share(detail: etree._Element, whole: int) -> int | None:
    """Return what one transfer of a batch moved, with its sign; None where the file doesn't say, in euro."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        amount = _find(detail, path)
        if amount is not None and amount.get("Ccy") == "EUR":
            sign = {"CRDT": 1, "DBIT": -1}.get(_text(detail, "CdtDbtInd"), 1 if whole > 0 else -1)
            return sign * _cents(amount.text or "", "")
    return None


def _entry(found: etree._Element, detail: etree._Element | None, reference: str, *, cents: int) -> Entry:
    both = [part for part in (detail, found) if part is not None]
    other = "Dbtr" if cents > 0 else "Cdtr"
    returned = _returned(both)
    if returned:  # the parties are the first transfer's: what we paid out names whom we paid
        other = "Cdtr" if cents > 0 else "Dbtr"
    booked = _day(found, "BookgDt", reference)
    return Entry(
        cents=cents,
        booked_on=booked,
        value_on=_day(found, "ValDt", reference, default=booked),
        servicer_reference=_reference(both, "Refs/AcctSvcrRef", "AcctSvcrRef", "NtryRef"),
        end_to_end_id=_reference(both, "Refs/EndToEndId"),
        name=_first(
            both, f"RltdPties/{other}/Nm", f"RltdPties/{other}/Pty/Nm", f"RltdPties/Ultmt{other}/Nm", f"RltdPties/Ultmt{other}/Pty/Nm"
        )[:140],
        iban=normal_iban(_first(both, f"RltdPties/{other}Acct/Id/IBAN", f"RltdPties/{other}Acct/Id/Othr/Id"))[:34],
        text=_remittance(both)[:1000],
        references=_references(both),
        code=_code(both)[:40],
        returned=returned[:4],
    )


def _returned(parts: list[etree._Element]) -> str:
    """Return the bank's reason when this entry brings an earlier transfer back, else nothing."""
    reason = _first(parts, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
    if reason or any(_find(part, "RtrInf") is not None for part in parts):
        return reason or "MS03"
    reversed_ = any(_text(part, "RvslInd") == "true" for part in parts)
    sub = _first(parts, "BkTxCd/Domn/Fmly/SubFmlyCd")
    return "MS03" if reversed_ or sub in _RETURNS else ""


def _code(parts: list[etree._Element]) -> str:
    domain = [_first(parts, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return "-".join(part for part in domain if part) or _first(parts, "BkTxCd/Prtry/Cd")


def _remittance(parts: list[etree._Element]) -> str:
    lines = [one.text or "" for part in parts for one in part.findall("{*}RmtInf/{*}Ustrd")]
    lines += [one.text or "" for part in parts for one in part.findall("{*}RmtInf/{*}Strd/{*}AddtlRmtInf")]
    if not any(line.strip() for line in lines):
        lines = [_first(parts, "AddtlTxInf", "AddtlNtryInf")]
    return _line(" ".join(lines))


def _references(parts: list[etree._Element]) -> tuple[str, ...]:
    paths = ("{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref", "{*}RmtInf/{*}Strd/{*}RfrdDocInf/{*}Nb")
    found = (_line(one.text or "")[:70] for part in parts for path in paths for one in part.findall(path))
    return tuple(dict.fromkeys(one for one in found if one))[:50]


def _reference(parts: list[etree._Element], *paths: str) -> str:
    found = _first(parts, *paths)[:70]
    return "" if found.upper() in _NO_REFERENCE else found


# Reading single values


def normal_iban(text: str) -> str:
    """Return an account number without spaces, in capitals."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _find(found: etree._Element, path: str) -> etree._Element | None:
    return found.find("/".join(f"{{*}}{part}" for part in path.split("/")))


def _text(found: etree._Element, path: str) -> str:
    one = _find(found, path)
    return _line(one.text or "") if one is not None else ""


def _first(parts: list[etree._Element], *paths: str) -> str:
    return next((text for part in parts for path in paths if (text := _text(part, path))), "")


def _line(text: str) -> str:
    """Return a text in one line, without control characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _amount(found: etree._Element, reference: str) -> int:
    sign = {"CRDT": 1, "DBIT": -1}.get(_text(found, "CdtDbtInd"))
    if sign is None:
        raise refused("bank_file_amount", _("Statement {name} has an amount without plus or minus.", name=reference), _AGAIN())
    return sign * _cents(_text(found, "Amt"), reference)


def _cents(text: str, reference: str) -> int:
    if _AMOUNT.fullmatch(text.strip()):
        cents = Decimal(text.strip()) * 100
        if cents == int(cents):
            return int(cents)
    sentence = _("Statement {name} has an amount that can't be read: {text}.", name=reference, text=text[:30] or "–")
    raise refused("bank_file_amount", sentence, _AGAIN())


def _day(found: etree._Element, path: str, reference: str, *, default: date | None = None) -> date:
    """Return a day from a date or from an instant; an instant with a zone is the day in Amsterdam."""
    text = _text(found, f"{path}/Dt") or _text(found, f"{path}/DtTm")
    if not text and default is not None:
        return default
    try:
        if len(text) > 10 and "T" in text:
            instant = datetime.fromisoformat(text)
            return _of_our_time(clock.today(instant) if instant.tzinfo else instant.date())
        return _of_our_time(date.fromisoformat(text[:10]))
    except (ValueError, OverflowError) as wrong:
        sentence = _("Statement {name} has a date that can't be read: {text}.", name=reference, text=text[:30] or "–")
        raise refused("bank_file_date", sentence, _AGAIN()) from wrong


def _of_our_time(day: date) -> date:
    """Return a day that can stand in our books. Raises ``ValueError``."""
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise ValueError(day)
    return day
