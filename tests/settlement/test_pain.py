"""The bank's file: valid by the official schema, the same bytes for the same batch, letters that every bank takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from billing.settlement.latin import ALLOWED, sepa
from billing.settlement.pain import NAMESPACE, Initiation, Transfer, write

_NS = {"p": NAMESPACE}


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """Give ISO 20022's own schema, which the test dependency sepaxml carries."""
    found = resources.files("sepaxml") / "schemas" / "pain.001.001.09.xsd"
    return etree.XMLSchema(etree.fromstring(found.read_bytes()))


def a_transfer(**values: object) -> Transfer:
    given = {
        "end_to_end": "P-2026-000001-1", "cents": 54_825, "name": "Taalhuis Łukasz & Zn", "iban": "NL91ABNA0417164300", "bic": "",
        "remittance": "S-TH-2026-000001 SB-TH-2026-000001", **values,
    }  # fmt: skip
    return Transfer(**given)  # type: ignore[arg-type]


def a_batch(*transfers: Transfer, **values: object) -> Initiation:
    given = {
        "message_id": "P-2026-000001", "made_at": datetime(2026, 12, 8, 9, 30, tzinfo=UTC), "pay_on": date(2026, 12, 9),
        "name": "Expat Centre Leiden", "iban": "NL02ABNA0123456789", "bic": "ABNANL2A", "transfers": transfers or (a_transfer(),), **values,
    }  # fmt: skip
    return Initiation(**given)  # type: ignore[arg-type]


def _texts(content: bytes, path: str) -> list[str]:
    return [str(found) for found in etree.fromstring(content).xpath(f"{path}/text()", namespaces=_NS)]


def test_the_schema_refuses_what_is_wrong(schema: etree.XMLSchema) -> None:
    content = write(a_batch())
    schema.assertValid(etree.fromstring(content))
    assert not schema.validate(etree.fromstring(content.replace(b"<PmtMtd>TRF", b"<PmtMtd>XXX")))


def test_sums_counts_and_ids_are_the_batchs() -> None:
    content = write(a_batch(a_transfer(), a_transfer(end_to_end="P-2026-000001-2", cents=1, bic="INGBNL2A")))
    assert _texts(content, "//p:NbOfTxs") == ["2", "2"]
    assert _texts(content, "//p:CtrlSum") == ["548.26", "548.26"]
    assert _texts(content, "//p:InstdAmt") == ["548.25", "0.01"]
    assert _texts(content, "//p:MsgId") == ["P-2026-000001"]
    assert _texts(content, "//p:CdtTrfTxInf//p:BICFI") == ["INGBNL2A"]
    assert _texts(content, "//p:Cdtr/p:Nm")[0] == "Taalhuis Lukasz + Zn"


def test_the_same_batch_is_the_same_file() -> None:
    assert write(a_batch()) == write(a_batch())
    assert write(a_batch()) != write(a_batch(message_id="P-2026-000002"))


@pytest.mark.parametrize("cents", [0, -1, 100_000_000_000])
def test_amounts_that_sepa_doesnt_take_are_refused(cents: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        write(a_batch(a_transfer(cents=cents)))


def test_no_payment_and_two_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="without"):
        write(a_batch(transfers=()))
    with pytest.raises(ValueError, match="one id"):
        write(a_batch(a_transfer(), a_transfer()))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Nguyễn Thị Ánh", "Nguyen Thi Anh"), ("Łukasz", "Lukasz"), ("Şahin", "Sahin"), ("Ștefan", "Stefan"), ("Γιώργος", "Giorgos"),
        ("Иван Щербаков", "Ivan Shcherbakov"), ("Zoë’s €5", "Zoe's EUR5"), ("王小明", "..."), ("//a//b/", "a/b"), ("ß & Ø", "ss + O"),
    ],
)  # fmt: skip
def test_names_in_sepas_letters(name: str, written: str) -> None:
    assert sepa(name, 70) == written


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=90), st.text(max_size=200), st.integers(1, 99_999_999_999)), min_size=1, max_size=5))
def test_any_names_make_a_valid_file(schema: etree.XMLSchema, payments: list[tuple[str, str, int]]) -> None:
    transfers = [
        a_transfer(end_to_end=f"P-{at}", name=name, remittance=text or "x", cents=cents) for at, (name, text, cents) in enumerate(payments)
    ]
    content = write(a_batch(*transfers))
    schema.assertValid(etree.fromstring(content))
    for text in _texts(content, "//p:Nm") + _texts(content, "//p:Ustrd"):
        assert set(text) <= ALLOWED
