"""VIES: its answers and its bad days, the proof that is kept, and what waits for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from billing import charges, debtors, issuing, seller, vat
from billing.vat import VatBasis, VatFacts
from billing.vies import checks
from billing.vies.checks import Kind
from billing.vies.live import LiveVies
from billing.vies.offline import OfflineVies
from billing.vies.port import Outcome
from marketplace.kit import db as kit_db
from marketplace.kit import ids, settings, work
from marketplace.kit.errors import Conflict, Forbidden, Invalid
from marketplace.kit.identity import SYSTEM
from tests.builders.billing import SUPPLY, a_charge, a_debtor
from tests.servers import Other, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.clock import FakeClock
    from tests.cast import Cast

import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

US, GERMAN = "NL000099998B57", "DE136695976"
NOT_IN_USE, REFUSED, AWAY = "DE100000404", "DE100000400", "DE100000503"


@pytest_asyncio.fixture(loop_scope="session")
async def brussels(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Other]:
    """Run a VIES of our own for the live adapter, and use it."""
    async with listening() as other:
        monkeypatch.setenv("MARKETPLACE_VIES", "live")
        monkeypatch.setenv("MARKETPLACE_VIES_BASE", f"{other.base}/rest-api")
        monkeypatch.setenv("MARKETPLACE_VIES_TIMEOUT", "1")
        settings.reload()
        other.answer = lambda _heard: (200, {"valid": True, "requestIdentifier": "WAPIAAAAYxyz", "name": "GMBH"})
        yield other
    monkeypatch.undo()
    settings.reload()


async def _debtor(vat_id: str = GERMAN, country: str = "DE") -> UUID:
    """Make a debtor abroad whose id nobody has asked about yet."""
    debtor_id = ids.new_id()
    sql = """
        INSERT INTO debtor (id, owner_id, name, legal_name, street, postcode, city, country, email, vat_id, created_at, updated_at)
        VALUES ($1, $2, 'Rheinwerk', 'Rheinwerk GmbH', 'Am Markt 1', '53111', 'Bonn', $3, 'rechnung@rheinwerk.example', $4, now(), now())
    """
    await kit_db.execute(sql, debtor_id, ids.new_id(), country, vat_id)
    return debtor_id


async def _charge(debtor_id: UUID, group: str) -> None:
    sells, buys = await seller.and_buyer(debtor_id)
    decision = vat.decide(VatFacts(basis=VatBasis.COACHING, supply_on=SUPPLY), sells, buys)
    new = a_charge(debtor_id, group, vat=decision, supply_to_on=SUPPLY)
    await charges.record([new], now=_NOW[0])


_NOW: list[datetime] = []


@pytest.fixture(autouse=True)
def _keep_now(now: datetime) -> None:
    _NOW[:] = [now]


async def _perform(now: datetime) -> list[bool]:
    """Do the questions that are due, also those that fail."""
    return [await work.perform(item, now=now) for item in await work.claim(now, only=["billing.vies_check"])]


async def _answers(debtor_id: UUID) -> list[tuple[str, str]]:
    found = await kit_db.records("SELECT answer, code FROM vat_check WHERE debtor_id = $1 ORDER BY checked_at, id", debtor_id)
    return [(row["answer"], row["code"]) for row in found]


# The adapters


@pytest.mark.parametrize(
    ("vat_id", "outcome"),
    [(GERMAN, Outcome.VALID), (NOT_IN_USE, Outcome.INVALID), (REFUSED, Outcome.REFUSED), (AWAY, Outcome.UNAVAILABLE)],
)
async def test_offline_answers_follow_from_the_id(vat_id: str, outcome: Outcome) -> None:
    first, again = [await OfflineVies().check(vat_id, requester=US) for _ in range(2)]
    assert first == again
    assert first.outcome is outcome
    assert (first.consultation_number or "").startswith("OFFLINE") == (outcome is Outcome.VALID)


@pytest.mark.parametrize(
    ("status", "said", "outcome", "code"),
    [
        (200, {"valid": True, "requestIdentifier": "WAPI1"}, Outcome.VALID, ""),
        (200, {"valid": False, "requestIdentifier": ""}, Outcome.INVALID, ""),
        (400, {"actionSucceed": False, "errorWrappers": [{"error": "INVALID_INPUT"}]}, Outcome.INVALID, "INVALID_INPUT"),
        (400, {"actionSucceed": False, "errorWrappers": [{"error": "INVALID_REQUESTER_INFO"}]}, Outcome.REFUSED, "INVALID_REQUESTER_INFO"),
        (500, {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}, Outcome.UNAVAILABLE, "MS_UNAVAILABLE"),
        (200, {"errorWrappers": [{"error": "MS_MAX_CONCURRENT_REQ"}]}, Outcome.UNAVAILABLE, "MS_MAX_CONCURRENT_REQ"),
        (200, {"valid": False, "userError": "TIMEOUT"}, Outcome.UNAVAILABLE, "TIMEOUT"),
        (200, {"valid": True, "userError": "VALID"}, Outcome.VALID, ""),
        (503, b"<html>Service down</html>", Outcome.UNAVAILABLE, "HTTP_503"),
        (200, {"valid": "yes"}, Outcome.UNAVAILABLE, "HTTP_200"),
        (200, [], Outcome.UNAVAILABLE, "HTTP_200"),
    ],
)
async def test_what_the_commission_says_and_what_it_means(brussels: Other, status: int, said: object, outcome: Outcome, code: str) -> None:
    brussels.answer = lambda _heard: (status, said)
    answer = await LiveVies(f"{brussels.base}/rest-api", timeout_seconds=2).check(GERMAN, requester=US)
    assert (answer.outcome, answer.code) == (outcome, code)
    [heard] = brussels.heard
    assert (heard.method, heard.path) == ("POST", "/rest-api/check-vat-number")
    assert heard.json == {
        "countryCode": "DE", "vatNumber": "136695976", "requesterMemberStateCode": "NL", "requesterNumber": "000099998B57",
    }  # fmt: skip


async def test_greece_is_el_for_the_commission(brussels: Other) -> None:
    await LiveVies(brussels.base).check("GR123456783", requester=US)
    assert brussels.heard[0].json["countryCode"] == "EL"


async def test_a_vies_that_refuses_hangs_or_hangs_up_is_away(brussels: Other) -> None:
    quick = LiveVies(brussels.base, timeout_seconds=0.2)
    brussels.hang = True
    assert (await quick.check(GERMAN, requester=US)).code == "TIMEOUT"
    brussels.hang, brussels.drop = False, True
    assert (await quick.check(GERMAN, requester=US)).code == "NETWORK"
    nobody = LiveVies("http://127.0.0.1:1", timeout_seconds=0.5)
    answer = await nobody.check(GERMAN, requester=US)
    assert (answer.outcome, answer.code) == (Outcome.UNAVAILABLE, "NETWORK")


# Asking, keeping, following


async def test_an_id_that_is_formed_right_counts_only_once_vies_said_so(db: None, now: datetime, brussels: Other) -> None:
    profile = debtors.DebtorProfile(
        name="Rheinwerk", street="Am Markt 1", postcode="53111", city="Bonn", country="DE", email="r@rheinwerk.example", vat_id=GERMAN
    )
    debtor_id = await debtors.create(profile, owner_id=ids.new_id(), now=now)
    before = await checks.standing(debtor_id, now=now)
    assert (before.kind, before.settled) == (Kind.UNKNOWN, False)
    assert (await debtors.buyer_facts(debtor_id)).pending
    assert await _perform(now) == [True]
    after = await checks.standing(debtor_id, now=now)
    assert (after.kind, after.number, after.adapter, after.settled) == (Kind.VALID, "WAPIAAAAYxyz", "live", True)
    facts = await debtors.buyer_facts(debtor_id)
    assert (facts.vat_id_valid, facts.pending, facts.proof) == (True, False, "WAPIAAAAYxyz")
    assert len(brussels.heard) == 1


async def test_a_passing_trouble_is_asked_again_and_every_answer_is_kept(db: None, clock: FakeClock, brussels: Other) -> None:
    debtor_id = await _debtor()
    await checks.ask(debtor_id, now=clock.now())
    brussels.answer = lambda _heard: (500, {"errorWrappers": [{"error": "MS_UNAVAILABLE"}]})
    assert await _perform(clock.now()) == [False]
    assert not await checks.ask(debtor_id, now=clock.now()), "one that waits is not asked twice"
    assert await _perform(clock.move(timedelta(seconds=30))) == []
    brussels.drop = True
    assert await _perform(clock.move(timedelta(minutes=1))) == [False]
    brussels.drop = False
    brussels.answer = lambda _heard: (200, {"valid": False})
    assert await _perform(clock.move(timedelta(minutes=6))) == [True]
    assert await _answers(debtor_id) == [("unavailable", "MS_UNAVAILABLE"), ("unavailable", "NETWORK"), ("invalid", "")]
    assert (await checks.standing(debtor_id, now=clock.now())).kind is Kind.INVALID


async def test_asking_at_once_brings_a_waiting_question_forward(db: None, clock: FakeClock, brussels: Other) -> None:
    debtor_id = await _debtor()
    await checks.ask(debtor_id, now=clock.now())
    brussels.drop = True
    for minutes in (0, 2, 6):
        await _perform(clock.move(timedelta(minutes=minutes)))
    brussels.drop = False
    assert await checks.ask(debtor_id, now=clock.now(), at_once=True)
    assert await _perform(clock.now()) == [True]


async def test_an_answer_for_an_id_that_was_changed_meanwhile_changes_nothing(db: None, now: datetime, brussels: Other) -> None:
    debtor_id = await _debtor()
    await checks.ask(debtor_id, now=now)
    await kit_db.execute("UPDATE debtor SET vat_id = 'DE129273398' WHERE id = $1", debtor_id)
    assert await _perform(now) == [True]
    assert brussels.heard == []
    assert (await checks.standing(debtor_id, now=now)).kind is Kind.UNKNOWN


async def test_a_refusal_says_nothing_of_the_id_and_waits_for_a_person(db: None, now: datetime) -> None:
    debtor_id = await _debtor(REFUSED)
    await checks.ask(debtor_id, now=now)
    assert await _perform(now) == [True]
    known = await checks.standing(debtor_id, now=now)
    assert (known.kind, known.trouble, known.settled) == (Kind.UNKNOWN, "INVALID_REQUESTER_INFO", False)


async def test_an_old_proof_is_asked_again_once_before_it_is_relied_on(db: None, clock: FakeClock, brussels: Other) -> None:
    debtor_id = await _debtor()
    await checks.ask(debtor_id, now=clock.now())
    await _perform(clock.now())
    assert not await checks.hold("order:a", debtor_id, now=clock.move(timedelta(days=30)))
    assert await checks.hold("order:a", debtor_id, now=clock.move(timedelta(days=1)))
    brussels.drop = True
    await _perform(clock.now())
    known = await checks.standing(debtor_id, now=clock.now())
    assert (known.kind, known.settled, known.number) == (Kind.STALE, True, "WAPIAAAAYxyz")
    assert await kit_db.value("SELECT count(*) FROM vat_hold") == 0


async def test_checks_can_not_be_rewritten(db: None, now: datetime) -> None:
    debtor_id = await _debtor()
    await checks.ask(debtor_id, now=now)
    await _perform(now)
    with pytest.raises(Exception, match="vat_check"):
        await kit_db.execute("UPDATE vat_check SET answer = 'invalid'")


# Invoices that wait


async def _vat_of(group: str) -> tuple[str, int]:
    found = await kit_db.records("SELECT vat_category, vat_rate FROM charge WHERE group_key = $1", group)
    return found[0]["vat_category"], int(found[0]["vat_rate"])


@pytest.mark.parametrize(("vat_id", "vat_then", "cents"), [(GERMAN, ("AE", 0), 0), (NOT_IN_USE, ("S", 21), 13_545)])
async def test_an_invoice_waits_for_the_answer_and_then_carries_the_right_vat(
    db: None, now: datetime, vat_id: str, vat_then: tuple[str, int], cents: int
) -> None:
    debtor_id, group = await _debtor(vat_id), f"order:{ids.new_id()}"
    await _charge(debtor_id, group)
    assert await _vat_of(group) == ("AE", 0)
    assert await issuing.issue(group, now=now) is None
    assert await issuing.issue(group, now=now) is None
    assert await kit_db.value("SELECT count(*) FROM vat_hold WHERE debtor_id = $1", debtor_id) == 1
    await work.drain(now, only=["billing.vies_check", "billing.issue"])
    assert await _vat_of(group) == vat_then
    assert await kit_db.value("SELECT count(*) FROM vat_hold WHERE debtor_id = $1", debtor_id) == 0
    assert await kit_db.value("SELECT vat_cents FROM invoice WHERE group_key = $1", group) == cents


async def test_a_run_can_not_issue_what_vies_has_not_answered_for(db: None, now: datetime) -> None:
    debtor_id, group = await _debtor(), f"order:{ids.new_id()}"
    await _charge(debtor_id, group)
    [charge] = await charges.lock_open(group)
    with pytest.raises(Conflict) as refused:
        await issuing.issue_charges([charge.id], group_key=f"run:{group}", now=now)
    assert refused.value.code == "vat_unknown"


async def test_a_new_vat_id_decides_open_charges_again_and_no_invoiced_one(db: None, now: datetime) -> None:
    profile = debtors.DebtorProfile(
        name="Rheinwerk", street="Am Markt 1", postcode="53111", city="Bonn", country="DE", email="r@rheinwerk.example"
    )
    debtor_id = await debtors.create(profile, owner_id=ids.new_id(), now=now)
    done, waiting = (f"order:{ids.new_id()}" for _ in range(2))
    await _charge(debtor_id, done)
    assert await issuing.issue(done, now=now) is not None
    await _charge(debtor_id, waiting)
    changed = debtors.DebtorProfile(**{name: getattr(profile, name) for name in profile.__struct_fields__} | {"vat_id": GERMAN})
    await debtors.update(debtor_id, changed, actor=SYSTEM, now=now)
    await work.drain(now, only=["billing.vies_check"])
    assert await _vat_of(waiting) == ("AE", 0)
    assert await _vat_of(done) == ("S", 21)
    [charge] = await charges.lock_open(waiting)
    assert any("OFFLINE" in said for said in vat.explain(charge.trace))


async def test_somebody_at_ecl_may_answer_for_vies(cast: Cast, now: datetime) -> None:
    debtor_id = await _debtor(AWAY)
    with pytest.raises(Forbidden):
        await checks.by_hand(debtor_id, valid=True, number="", note="I know", actor=cast.hr_a, now=now)
    with pytest.raises(Invalid):
        await checks.by_hand(debtor_id, valid=True, number="", note=" ", actor=cast.ecl, now=now)
    assert await checks.hold("order:x", debtor_id, now=now)
    await checks.by_hand(debtor_id, valid=True, number="BZSt 12", note="Called the Bundeszentralamt", actor=cast.ecl, now=now)
    known = await checks.standing(debtor_id, now=now)
    assert (known.kind, known.number, known.adapter) == (Kind.VALID, "BZSt 12", "hand")
    assert await kit_db.value("SELECT count(*) FROM due_work WHERE kind = 'billing.issue' AND payload ->> 'group' = 'order:x'") == 1


async def test_at_home_nothing_is_asked(db: None, now: datetime) -> None:
    debtor_id = await _debtor("NL123456782B90", "NL")
    assert not await checks.ask(debtor_id, now=now)
    assert (await checks.standing(debtor_id, now=now)).kind is Kind.NOT_NEEDED
    with pytest.raises(Conflict):
        await checks.by_hand(debtor_id, valid=True, number="", note="x", actor=SYSTEM, now=now)


@pytest.mark.parametrize(
    "said",
    [
        {"valid": True, "requestIdentifier": 12345},
        {"valid": True, "requestIdentifier": ["x"] * 4_000, "name": "a\x00b"},
        {"errorWrappers": [{"error": "A\x00" * 4_000}]},
        {"userError": "B\x00"},
    ],
)
async def test_a_strange_answer_is_kept_and_breaks_nothing(
    db: None, clock: FakeClock, brussels: Other, now: datetime, said: dict[str, object]
) -> None:
    debtor_id = await a_debtor(vat_id=GERMAN, country="DE")
    brussels.answer = lambda _heard: (200, said)
    answer = await LiveVies(f"{brussels.base}/rest-api").check(GERMAN, requester=US)
    await checks._keep(debtor_id, GERMAN, answer, adapter="live", requester=US, actor=SYSTEM, now=now)
    assert answer.outcome in {Outcome.VALID, Outcome.UNAVAILABLE}
    assert len(answer.consultation_number or "") <= 100
