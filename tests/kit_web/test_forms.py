"""Forms: every error a sentence, every value kept, nothing that is typed breaks anything."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit import i18n
from marketplace.kit.errors import Conflict
from marketplace.kit.money import Money
from marketplace.kit.web import forms
from tests.kit_web.conftest import token_of
from tests.kit_web.handlers import Thing

if TYPE_CHECKING:
    import httpx


class Level(StrEnum):
    A1 = "a1"
    A2 = "a2"


class Everything(msgspec.Struct, frozen=True):
    name: forms.Name
    when: datetime | None = None
    on: date | None = None
    level: Level | None = None
    mode: Literal["online", "site"] | None = None
    person: UUID | None = None
    hours: Decimal | None = None
    price: Money | None = None
    people: Annotated[list[UUID], msgspec.Meta(max_length=3)] = []
    sure: bool = False


def _one(**texts: str) -> forms.Form[Everything]:
    return forms.convert({"name": ["x"], **{name: [text] for name, text in texts.items()}}, Everything)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("on", "18-01-2027", date(2027, 1, 18)),
        ("on", "2027-01-18", date(2027, 1, 18)),
        ("on", "", None),
        ("when", "2027-07-01T09:30", datetime(2027, 7, 1, 7, 30, tzinfo=UTC)),
        ("level", "a1", Level.A1),
        ("mode", "site", "site"),
        ("hours", "2,5", Decimal("2.5")),
        ("price", "645", Money(64500)),
        ("price", "€ 1.935,50", Money(193550)),
        ("price", "1,935.5", Money(193550)),
        ("price", "1.935", Money(193500)),
        ("price", "1.935.000,5", Money(193500050)),
        ("price", "0,05", Money(5)),
        ("sure", "on", True),
        ("name", "  Nguyễn\x00 ", "Nguyễn"),
    ],
)
def test_what_people_type_becomes_a_value(field: str, text: str, value: object) -> None:
    form = _one(**{field: text})
    assert form.data is not None, form.errors
    assert getattr(form.data, field) == value


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("name", " ", "Fill this in."),
        ("name", "x" * 121, "Use at most 120 characters."),
        ("on", "31-02-2027", "Give a date as day-month-year, for example 18-01-2027."),
        ("on", "0001-01-01", "Give a year between 1900 and 2200."),
        ("when", "2027-07-01T25:30", "Give a time, for example 09:30."),
        ("level", "c3", "Choose one of the options."),
        ("mode", "moon", "Choose one of the options."),
        ("person", "7", "Choose one of the options."),
        ("hours", "1e400", "Give a number, for example 12.5."),
        *(
            (("price", text, "Give an amount in euros, for example 645 or 645.50."))
            for text in ("0,005", "1.234,567", "1234,567", "1.2345", "1e3", "１２")
        ),
        ("price", "-5", "Give an amount in euros, for example 645 or 645.50."),
        ("people", "7", "Choose one of the options."),
    ],
)
def test_what_cannot_be_used_gets_a_sentence_and_stays(field: str, text: str, sentence: str) -> None:
    form = _one(**{field: text})
    assert form.data is None
    assert form.errors == {field: sentence}
    assert form.values[field] in (text, [text])


def test_one_ticked_box_and_none_are_both_a_list() -> None:
    one = UUID("00000000-0000-7000-8000-000000000001")
    assert _one(people=str(one)).data.people == [one]  # type: ignore[union-attr]
    assert _one().data.people == []  # type: ignore[union-attr]
    assert "people" in forms.convert({"name": ["x"], "people": [str(one)] * 4}, Everything).errors


def test_sentences_come_in_dutch() -> None:
    with i18n.use_locale("nl"):
        assert _one(name="").errors == {"name": "Vul dit in."}


def test_a_verbs_refusal_stands_on_the_form() -> None:
    form = _one().refuse(Conflict("full", "This session is full.", next_step="Join the list."))
    assert form.errors == {"": "This session is full. Join the list."}


async def test_a_wrong_form_comes_back_with_values_and_422(buyer: httpx.AsyncClient, outsider: httpx.AsyncClient) -> None:
    token = await token_of(buyer)
    data = {"_csrf": token, "given_name": "Łukasz", "email": "nobody", "seats": "40", "days": ["mon", "tue"]}
    found = await buyer.post("/things", data=data)
    assert found.status_code == 422
    assert "Give a whole e-mail address" in found.text
    assert "Give 20 at most." in found.text
    assert "Łukasz" in found.text
    assert (await outsider.post("/things", data=data)).status_code == 403


async def test_a_good_form_redirects_and_the_message_shows_once(buyer: httpx.AsyncClient) -> None:
    data = {"_csrf": await token_of(buyer), "given_name": "<b>Maria</b>", "email": "maria@a.example"}
    found = await buyer.post("/things", data=data)
    assert (found.status_code, found.headers["location"]) == (303, "/things")
    assert "&lt;b&gt;Maria&lt;/b&gt; is made." in (await buyer.get("/things")).text
    assert "is made." not in (await buyer.get("/things")).text


@given(st.dictionaries(st.sampled_from(Everything.__struct_fields__), st.lists(st.text(max_size=40), max_size=4)))
def test_no_text_breaks_a_form(texts: dict[str, list[str]]) -> None:
    form = forms.convert(texts, Everything)
    assert (form.data is None) == bool(form.errors)


@given(
    st.dictionaries(st.sampled_from(Thing.__struct_fields__), st.lists(st.text(alphabet="0123456789-.,:€ eEx", max_size=20), max_size=2))
)
def test_no_figure_breaks_a_form(texts: dict[str, list[str]]) -> None:
    form = forms.convert(texts, Thing)
    assert (form.data is None) == bool(form.errors)
