"""What a newly approved account does to payments that have not gone to the bank: they get it, and need approving again.

A file that was made already keeps its bytes; its batch can't be marked as sent any more (see ``payouts.send``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.kit import audit, db

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from marketplace.kit.identity import Actor

_WAITING = """
    SELECT b.id FROM payout_batch b WHERE b.state IN ('draft', 'approved')
        AND EXISTS (SELECT 1 FROM payout_item i WHERE i.batch_id = b.id AND i.payee_id = $1 AND i.state = 'planned') ORDER BY b.id FOR UPDATE
"""


async def batches(payee_id: UUID, account_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Give the payee's planned payments the new account; approved batches become drafts. In the caller's transaction."""
    for row in await db.records(_WAITING, payee_id):
        sql = "UPDATE payout_item SET account_id = $3 WHERE batch_id = $1 AND payee_id = $2 AND state = 'planned'"
        await db.execute(sql, row["id"], payee_id, account_id)
        back = "UPDATE payout_batch SET state = 'draft', approved_by = NULL, approved_at = NULL, state_at = $2 WHERE id = $1 AND state = 'approved'"
        if await db.execute(back, row["id"], now):
            data = {"payee": payee_id, "account": account_id}
            await audit.record("payout_batch.approval_ended", actor=actor, subject=("payout_batch", row["id"]), data=data, now=now)
