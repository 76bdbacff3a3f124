"""The whole job without a browser: the JSON API as an HR system uses it, and the sandbox's form as a payer posts it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from marketplace.kit import clock
from tests.browser.product import eventually

if TYPE_CHECKING:
    from tests.browser.product import Product

pytestmark = pytest.mark.slow


def test_the_whole_job_by_api(product: Product) -> None:
    town = product.town("journey", "Api")
    with httpx.Client(base_url=f"{product.base}/api/v1", headers={"Authorization": f"Bearer {town.token}"}, timeout=20) as api:
        programme = _one(api, "/programmes", q=town.group_title["en"])
        session = next(each for each in _get(api, f"/programmes/{programme['id']}")["sessions"] if each["free"])
        assert session["free"] == session["capacity"] == 10
        people = {person["family_name"]: person["id"] for person in _get(api, "/people")["items"]}

        body = {
            "lines": [{"session_id": session["id"], "person_id": people[name]} for name in ("Raman", "Ferreira")],
            "purchase_order": "4500128834",
        }
        order = _post(api, "/orders", body, key="journey-1")
        assert (order["state"], order["total"]) == ("confirmed", {"cents": 129_000, "currency": "EUR"})
        assert _post(api, "/orders", body, key="journey-1") == order
        assert _get(api, f"/sessions/{session['id']}")["free"] == 8

        number = eventually(lambda: _get(api, f"/orders/{order['id']}")["invoice_numbers"])[0]
        invoice = eventually(lambda: (found := _get(api, f"/invoices/{number}"))["hosted_payment_url"] and found)
        assert (invoice["state"], invoice["total"]["cents"]) == ("open", 129_000)
        paid = httpx.post(
            invoice["hosted_payment_url"], data={"method": "ideal", "amount": "exact", "outcome": "ok"}, follow_redirects=True
        )
        assert paid.status_code == 200
        eventually(lambda: _get(api, f"/invoices/{number}")["state"] == "paid")
        assert _get(api, f"/invoices/{number}")["paid"]["cents"] == 129_000

        run_at = (clock.now() + timedelta(days=14)).isoformat()
        plan = _post(api, "/scheduled-enrolments", {"person_id": people["Wilk"], "run_at": run_at, "session_id": session["id"]})
        assert plan["state"] == "planned"
        assert api.delete(f"/scheduled-enrolments/{plan['id']}").status_code in {200, 204}


def _get(api: httpx.Client, path: str, **query: str) -> Any:
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _one(api: httpx.Client, path: str, **query: str) -> Any:
    (found, *others) = _get(api, path, **query)["items"]
    assert not others or found["title"]["en"] == query["q"]
    return found


def _post(api: httpx.Client, path: str, body: dict[str, object], *, key: str | None = None) -> Any:
    answer = api.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()
