"""Two people press "Send it again" at the same moment: the document goes once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from billing import archive
from billing.archive import Format
from billing.transport import deliveries
from marketplace.kit import db as kit_db
from marketplace.kit.errors import Conflict
from tests.builders.billing import an_invoice
from tests.cast import a_cast

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.asyncio(loop_scope="session")
TOGETHER = 6


@pytest.mark.parametrize("guarded", [True, False])
async def test_sent_again_by_several_at_once_goes_once(committed: str, now: datetime, guarded: bool) -> None:
    if not guarded:
        await kit_db.execute("DROP INDEX delivery_live")
        await kit_db.execute("ALTER TABLE delivery DROP CONSTRAINT delivery_round")
    made = await an_invoice()
    await archive.store(made, {Format.PDF: b"%PDF-1"}, now=now)
    ecl = (await a_cast()).ecl

    async def press() -> bool:
        try:
            await deliveries.resend(made, actor=ecl, now=now)
        except Conflict:
            return False
        return True

    went = sum(await asyncio.gather(*(press() for _ in range(TOGETHER))))
    assert await kit_db.value("SELECT count(*) FROM delivery WHERE invoice_id = $1", made) == went
    assert (went == 1) == guarded
