"""Taking in bank files: all or nothing, once per file and per entry, each entry in the books at once."""

from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import date, datetime

import pytest

from billing import ledger
from billing.bank import files, intake
from billing.ledger import Account
from marketplace.kit import db
from marketplace.kit.errors import Forbidden, Invalid
from marketplace.kit.identity import SYSTEM
from tests.builders.bank import Line, a_transfer, document, statement
from tests.cast import Cast

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _on(account: Account) -> int:
    return int(await db.value("SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE account = $1", account.value))


async def test_every_entry_is_in_the_books_and_waits(db: None, now: datetime) -> None:
    before = await _on(Account.BANK), await _on(Account.UNALLOCATED)
    await a_transfer(Line(cents=64_500), Line(cents=-1_250, text="Kosten zakelijk betaalpakket", name=""))
    assert await _on(Account.BANK) - before[0] == 63_250
    assert await _on(Account.UNALLOCATED) - before[1] == -63_250
    assert (await ledger.check()).right


async def test_the_same_file_again_changes_nothing(db: None, now: datetime) -> None:
    content = document(statement([Line(cents=64_500), Line(cents=100)]))
    first = await intake.receive("a.xml", content, actor=SYSTEM, now=now)
    again = await intake.receive("b.xml", content, actor=SYSTEM, now=now)
    assert (first.new_entries, first.replayed) == (2, False)
    assert (again.file_id, again.replayed) == (first.file_id, True)
    assert await _on(Account.UNALLOCATED) == -64_600


async def test_an_entry_that_came_before_changes_nothing_in_another_file_or_version(db: None, now: datetime) -> None:
    kept = Line(cents=64_500, reference="0326ABC", text="2026-000001")
    unnamed = Line(cents=300, reference=None, text="twee   regels")
    await intake.receive("day.xml", document(statement([kept, unnamed])), actor=SYSTEM, now=now)
    month = document(statement([kept, unnamed, Line(cents=5)], version="08"), version="08")
    received = await intake.receive("month.xml", month, actor=SYSTEM, now=now)
    assert (received.entries, received.new_entries) == (3, 1)
    assert await _on(Account.BANK) == 64_805


async def test_two_equal_payments_on_a_day_stay_two(db: None, now: datetime) -> None:
    twin = Line(cents=64_500, reference=None, text="cursus")
    content = document(statement([twin, twin]))
    assert (await intake.receive("a.xml", content, actor=SYSTEM, now=now)).new_entries == 2


async def test_a_zip_of_days_is_one_upload(db: None, now: datetime) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for day in (19, 20):
            archive.writestr(f"camt053_202611{day}.xml", document(statement([Line(cents=day * 100)], on=date(2026, 11, day))))
        archive.writestr("readme.txt", "hello")
    received = await intake.receive("november.zip", packed.getvalue(), actor=SYSTEM, now=now)
    assert (received.entries, received.new_entries) == (2, 2)


async def test_a_zip_with_the_same_download_twice_or_with_days_and_their_month_counts_once(db: None, now: datetime) -> None:
    twin = Line(cents=64_500, reference="0326ZIP")
    day = document(statement([twin, twin]))
    month = document(statement([twin, twin, Line(cents=5)]))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in (("camt053.xml", day), ("camt053 (1).xml", day), ("month.xml", month)):
            archive.writestr(name, content)
    received = await intake.receive("downloads.zip", packed.getvalue(), actor=SYSTEM, now=now)
    assert (received.entries, received.new_entries) == (7, 3)
    assert await _on(Account.BANK) == 129_005


async def test_another_account_is_refused_and_nothing_is_kept(db: None, now: datetime) -> None:
    good, strange = statement([Line(cents=1)]), statement([Line(cents=2)], iban="NL20INGB0001234567")
    with pytest.raises(Invalid, match="bank_file_account") as refusal:
        await intake.receive("a.xml", document(good, strange), actor=SYSTEM, now=now)
    assert "NL20INGB0001234567" in refusal.value.fields["file"]
    assert await db_count("bank_entry") == 0


async def db_count(table: str) -> int:
    return int(await db.value(f"SELECT count(*) FROM {table}"))


async def test_a_gap_between_statements_is_seen(db: None, now: datetime) -> None:
    one = document(statement([Line(cents=500)], on=date(2026, 11, 18), opening=0))
    two = document(statement([Line(cents=700)], on=date(2026, 11, 20), opening=900))
    await intake.receive("a.xml", one, actor=SYSTEM, now=now)
    received = await intake.receive("b.xml", two, actor=SYSTEM, now=now)
    (found,) = await files.statements(received.file_id)
    assert not found.follows
    assert found.before.cents == 500
    balance = await files.balance()
    assert balance is not None
    assert (balance.bank_cents, balance.difference.cents) == (1_600, -400)


async def test_only_ecl_may(db: None, cast: Cast, now: datetime) -> None:
    for actor in (cast.hr_a, cast.finance_a, cast.partner_a):
        with pytest.raises(Forbidden):
            await intake.receive("a.xml", document(statement([Line(cents=1)])), actor=actor, now=now)


async def test_what_the_bank_said_is_not_changed(db: None, now: datetime) -> None:
    (entry_id,) = await a_transfer(Line(cents=64_500))
    for sql in (
        "UPDATE bank_entry SET cents = 1 WHERE id = $1",
        "DELETE FROM bank_entry WHERE id = $1",
        "UPDATE bank_entry SET text = 'x' WHERE id = $1",
    ):
        with pytest.raises(Exception, match="a bank entry is not changed"):
            await db_execute(sql, entry_id)


async def db_execute(sql: str, *args: object) -> None:
    async with db.atomic():
        await db.execute(sql, *args)


async def test_the_same_file_sent_ten_times_at_once_is_taken_in_once(committed: str, now: datetime) -> None:
    content = document(statement([Line(cents=64_500, reference="A"), Line(cents=100, reference="B")]))
    other = document(statement([Line(cents=64_500, reference="A"), Line(cents=7, reference="C")], reference="other"))
    received = await asyncio.gather(*(intake.receive("a.xml", one, actor=SYSTEM, now=now) for one in [content, other] * 5))
    assert sum(one.new_entries for one in received if not one.replayed) == 3
    assert await db_count("bank_file") == 2
    assert await _on(Account.BANK) == 64_607
