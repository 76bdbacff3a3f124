"""Reading CAMT.053: three banks' manners, two versions, and files that mean harm."""

from __future__ import annotations

import contextlib
import io
import zipfile
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.bank import camt, unpack
from marketplace.kit.errors import Invalid
from tests.builders.bank import Line, document, entry, statement

ING = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <BkToCstmrStmt><GrpHdr><MsgId>202611200001</MsgId><CreDtTm>2026-11-21T03:12:44.1</CreDtTm></GrpHdr>
 <Stmt><Id>NL02ABNA0123456789.2026-11-20</Id><ElctrncSeqNb>226</ElctrncSeqNb><CreDtTm>2026-11-21T03:12:44.1</CreDtTm>
  <Acct><Id><IBAN>NL02ABNA0123456789</IBAN></Id><Ccy>EUR</Ccy><Nm>EXPAT CENTRE</Nm></Acct>
  <Bal><Tp><CdOrPrtry><Cd>PRCD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>2026-11-19</Dt></Dt></Bal>
  <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">545.5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
  <Ntry><Amt Ccy="EUR">645.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt><ValDt><Dt>2026-11-20</Dt></ValDt>
   <AcctSvcrRef>032620261120000001</AcctSvcrRef>
   <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn><Prtry><Cd>00100</Cd><Issr>INGBANK</Issr></Prtry></BkTxCd>
   <NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
    <RltdPties><Dbtr><Nm>Rijnvelde Biosciences B.V.</Nm></Dbtr><DbtrAcct><Id><IBAN>NL20INGB0001234567</IBAN></Id></DbtrAcct></RltdPties>
    <RmtInf><Ustrd>Factuur 2026-0000</Ustrd><Ustrd>12 en 2026000013</Ustrd></RmtInf></TxDtls></NtryDtls>
   <AddtlNtryInf>SEPA OVERBOEKING</AddtlNtryInf></Ntry>
  <Ntry><Amt Ccy="EUR">9.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>
 </Stmt></BkToCstmrStmt></Document>"""

RABO = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
 <GrpHdr><MsgId>RABO1</MsgId><CreDtTm>2026-11-20T22:00:00</CreDtTm></GrpHdr>
 <Stmt><Id>2026226</Id><CreDtTm>2026-11-20T22:00:00</CreDtTm><Acct><Id><IBAN>NL02ABNA0123456789</IBAN></Id><Ccy>EUR</Ccy></Acct>
  <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
  <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">300.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
  <Ntry><NtryRef>OO9B005063211534</NtryRef><Amt Ccy="EUR">300.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
   <BookgDt><DtTm>2026-11-20T23:30:00+00:00</DtTm></BookgDt><ValDt><Dt>2026-11-21</Dt></ValDt><AcctSvcrRef>OM1B123456789012</AcctSvcrRef>
   <NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>
    <TxDtls><Refs><EndToEndId>E2E-1</EndToEndId></Refs><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
     <RltdPties><Dbtr><Pty><Nm>Gemeente Leiderdorp</Nm></Pty></Dbtr></RltdPties>
     <RmtInf><Strd><CdtrRefInf><Ref>RF18 2026000012</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>
    <TxDtls><Refs><EndToEndId>E2E-2</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="EUR">200.00</Amt></TxAmt></AmtDtls>
     <RltdPties><Dbtr><Pty><Nm>Naturalis</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>2026-000014</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
 </Stmt></BkToCstmrStmt></Document>"""


def _refused(content: bytes, code: str) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        [camt.read(one) for one in unpack.documents(content)]
    assert refusal.value.code == code
    assert refusal.value.fields["file"].endswith(".")
    assert refusal.value.next_step
    return refusal.value


def test_an_ing_statement_is_read_with_its_overdraft_and_without_what_is_pending() -> None:
    (read,) = camt.read(ING.encode())
    assert (read.opening_cents, read.closing_cents, read.opening_on) == (-10_000, 54_550, date(2026, 11, 19))
    (one,) = read.entries
    assert (one.cents, one.name, one.iban) == (64_550, "Rijnvelde Biosciences B.V.", "NL20INGB0001234567")
    assert one.text == "Factuur 2026-0000 12 en 2026000013"
    assert (one.servicer_reference, one.end_to_end_id, one.code) == ("032620261120000001", "", "PMNT-RCDT-ESCT")


def test_a_rabobank_batch_of_version_8_becomes_its_transfers_on_the_day_in_amsterdam() -> None:
    (read,) = camt.read(RABO.encode())
    assert [(one.cents, one.name, one.end_to_end_id) for one in read.entries] == [
        (10_000, "Gemeente Leiderdorp", "E2E-1"),
        (20_000, "Naturalis", "E2E-2"),
    ]
    assert read.entries[0].references == ("RF18 2026000012",)
    assert {one.booked_on for one in read.entries} == {date(2026, 11, 21)}
    assert all(one.of_batch for one in read.entries)


def test_a_batch_whose_parts_do_not_make_the_whole_stays_one_entry() -> None:
    (read,) = camt.read(RABO.replace('<Amt Ccy="EUR">100.00</Amt><CdtDbtInd>', '<Amt Ccy="EUR">100.01</Amt><CdtDbtInd>').encode())
    assert [one.cents for one in read.entries] == [30_000]


def test_several_statements_and_a_returned_payout() -> None:
    returned = Line(cents=40_000, name="Taalhuis Rapenburg", end_to_end="PB-1-1", returned="AC04")
    first, second = camt.read(document(statement([Line(cents=-40_000)]), statement([returned])))
    assert (second.entries[0].returned, second.entries[0].name) == ("AC04", "Taalhuis Rapenburg")
    assert (first.closing_cents, second.entries[0].end_to_end_id) == (960_000, "PB-1-1")


def test_balances_that_do_not_follow_from_the_entries_are_refused_with_the_sums() -> None:
    said = _refused(document(statement([Line(cents=500)]).replace(">5.00<", ">5.01<")), "bank_file_sum").message
    assert "€10,005.01" in said
    assert "€10,005.00" in said


def test_what_is_not_a_statement_is_refused_with_the_mend() -> None:
    good = document(statement([Line(cents=500)]))
    _refused(b"", "bank_file_empty")
    _refused(b":20:940A\r\n:25:NL02ABNA0123456789", "bank_file_not_xml")
    _refused(b"<html><body>sign in</body></html>", "bank_file_other")
    _refused(good.replace(b"camt.053.001.02", b"camt.052.001.02"), "bank_file_other")
    _refused(good.replace(b"camt.053.001.02", b"camt.053.001.13"), "bank_file_version")
    _refused(good.replace(b'Ccy="EUR"', b'Ccy="USD"'), "bank_file_currency")
    _refused(good.replace(b">5.00<", b">5,00<"), "bank_file_amount")
    _refused(good.replace(b">5.00<", b">1e9<"), "bank_file_amount")
    _refused(good.replace(b"<CdtDbtInd>CRDT", b"<CdtDbtInd>PLUS"), "bank_file_amount")
    for day in (b"2026-11-31", b"0001-01-01", b"9999-12-31"):
        _refused(good.replace(b"<BookgDt><Dt>2026-11-20", b"<BookgDt><Dt>" + day), "bank_file_date")
    _refused(good.replace(b"NL02ABNA0123456789", b"NL03ABNA0123456789"), "bank_file_iban")
    _refused(good.replace(b"OPBD", b"ITBD"), "bank_file_balance")
    _refused(document(), "bank_file_no_statement")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">%s]><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">&j;</Document>"""
LEVELS = "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9)).encode()


@pytest.mark.parametrize(
    "hostile",
    [
        BOMB % LEVELS,
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/evil.dtd"><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"/>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">&f;</Document>',
        "<!DOCTYPE x [<!ENTITY f 'x'>]><Document/>".encode("utf-16"),
        b"<a>" * 5_000,
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>\x00',
    ],
)
def test_hostile_xml_is_refused_at_once(hostile: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        camt.read(hostile)
    assert refusal.value.code in {"bank_file_dtd", "bank_file_not_xml"}


def test_too_much_is_refused_before_it_is_read() -> None:
    _refused(b"<a>" + b" " * unpack.MAX_BYTES, "bank_file_too_large")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"0" * (unpack.MAX_UNPACKED + 1))
    _refused(bomb.getvalue(), "bank_file_too_large")
    _refused(b"PK\x03\x04" + b"broken" * 20, "bank_file_broken")
    for how in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", how) as archive:
            archive.writestr("a.xml", bytes(range(256)) * 20)
        content = whole.getvalue()
        for at in range(35, 75, 5):
            with contextlib.suppress(Invalid):  # nothing else comes out of a broken zip
                unpack.documents(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
    nothing = io.BytesIO()
    with zipfile.ZipFile(nothing, "w") as archive:
        archive.writestr("a.txt", "hello")
    _refused(nothing.getvalue(), "bank_file_no_xml")


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    good = document(statement([Line(cents=500, text="2026-000001")]))
    for content in (noise, good[:200] + noise + good[200:], b"PK\x03\x04" + noise):
        try:
            [camt.read(one) for one in unpack.documents(content)]
        except Invalid as refusal:
            assert refusal.fields["file"]  # noqa: PT017


@given(st.lists(st.integers(-10_000_000, 10_000_000).filter(bool), max_size=20), st.sampled_from(["02", "08"]))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_what_is_read(amounts: list[int], version: str) -> None:
    lines = [Line(cents=cents, text=f"n {at}") for at, cents in enumerate(amounts)]
    (read,) = camt.read(document(statement(lines, version=version), version=version))
    assert [one.cents for one in read.entries] == amounts
    assert read.opening_cents + sum(amounts) == read.closing_cents
    assert entry(lines[0], date(2026, 1, 1)) if lines else True
