"""Every part renders, in both languages, with markup that a screen reader can follow."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import html

from marketplace.kit import i18n, svg
from marketplace.kit.money import Money
from marketplace.kit.templating import environment
from marketplace.kit.web import design_pages

BASE = {
    "actor": SimpleNamespace(kind="member", name="Femke de Wit", email="femke@rijnvelde.example"),
    "company_name": "Rijnvelde Biosciences",
    "nav": [("/home", "Home", False), ("/programmes", "Programmes", True)],
    "held": {"count": 3, "until": "10:42", "href": "/basket"},
    "operator": SimpleNamespace(name="Expat Centre Leiden", phone="071 000 00 00", email="post@ecl.example"),
    "csrf_input": "",
    "asset": lambda name: f"/static/{name}",
    "flashes": [("Saved.", "", "ok")],
}


def page(source: str, *, locale: str = "en", **context: object) -> Any:
    with i18n.use_locale(locale):
        made = environment().from_string(source) if "{" in source else environment().get_template(source)
        return html.document_fromstring(made.render({**BASE, "flashes": [], **context}))


def part(source: str, **context: object) -> str:
    return environment().from_string('{% import "macros/parts.html" as ui %}' + source).render(**context)


@pytest.mark.parametrize("locale", ["en", "nl"])
@pytest.mark.parametrize("name", ["parts", "programme", "money"])
def test_the_design_page_shows_every_part_in_both_languages(name: str, locale: str) -> None:
    document = page("design/index.html", locale=locale, page=name, **design_pages.samples())
    assert document.get("lang") == locale
    assert len(document.findall(".//h1")) >= 1
    ids = document.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_every_control_has_a_name() -> None:
    document = page("design/index.html", page="parts", **design_pages.samples())
    for control in document.xpath("//main//input[not(@type='hidden')] | //main//select | //main//textarea"):
        labelled = control.get("aria-label") or control.xpath(f"//label[@for='{control.get('id')}']") or control.xpath("ancestor::label")
        assert labelled is not None
        assert len(labelled) > 0, html.tostring(control)


def test_an_error_stands_beside_its_field_and_in_the_summary() -> None:
    document = page("design/index.html", page="parts", **design_pages.samples())
    field = document.get_element_by_id("f-email")
    assert field.get("aria-invalid") == "true"
    assert field.get("aria-describedby") == "f-email-error"
    assert field.get("value") == "hana.novotna"
    sentence = document.get_element_by_id("f-email-error").text_content().strip()
    summary = document.xpath("//div[contains(@class,'error-summary')]//a[@href='#f-email']")[0]
    assert sentence in summary.text_content()


def test_a_refusal_without_a_field_stands_in_the_summary_as_a_sentence() -> None:
    form = SimpleNamespace(errors={"": "The last seat went to someone else."}, values={})
    assert "<p>The last seat went to someone else.</p>" in part("{{ ui.error_summary(form) }}", form=form)


def test_typed_text_is_never_markup() -> None:
    form = SimpleNamespace(errors={"name": "<b>no</b>"}, values={"name": '"><script>'})
    shown = part('{{ ui.error_summary(form) }}{{ ui.text_field(form, "name", "Name") }}', form=form)
    assert "<script>" not in shown
    assert "<b>no" not in shown


def test_a_password_is_never_shown_again() -> None:
    form = SimpleNamespace(errors={}, values={"password": "secret"})
    assert "secret" not in part('{{ ui.text_field(form, "password", "Password", type="password") }}', form=form)


def test_three_seats_or_fewer_are_said_in_bold() -> None:
    assert "few" in part("{{ ui.seats(10, 7) }}")
    assert "few" not in part("{{ ui.seats(10, 6) }}")
    assert "3 of 10 left" in part("{{ ui.seats(10, 7) }}")


def test_a_full_session_cannot_be_chosen_and_offers_the_next_step() -> None:
    made = part(
        "{% call ui.session_row('b', on, 'Wednesdays', 'Online', 10, 10, waiting='4 people waiting') %}<a href='#'>Join</a>{% endcall %}",
        on=date(2027, 1, 20),
    )
    assert "disabled" in made
    assert "Join" in made


def test_the_desk_has_one_main_and_a_named_rail() -> None:
    document = page('{% extends "desk.html" %}{% block main %}<h1>Orders</h1>{% endblock %}')
    assert len(document.findall(".//main")) == 1
    assert document.xpath("//header[contains(@class,'rail')]//nav[@aria-label]")
    assert document.xpath("//form[@action='/sign-out']")
    assert document.xpath("//form[@action='/language']")


def test_an_anonymous_visitor_finds_sign_in_on_every_page() -> None:
    document = page('{% extends "base.html" %}{% block main %}<h1>x</h1>{% endblock %}', actor=None, held=None)
    assert document.xpath("//a[@href='/sign-in']")
    assert not document.xpath("//form[@action='/sign-out']")


def test_a_budget_never_draws_over_its_end() -> None:
    parts = svg.stretches([80, 30, 10], 100)
    assert sum(one.share for one in parts) == 100
    assert part("{{ ui.budget_bar('Budget', limit, spent, spent, spent) }}", limit=Money(100_00), spent=Money(40_00)).count("<rect") >= 3
