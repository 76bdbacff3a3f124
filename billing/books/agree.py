"""Do documents, money and books say the same of each single thing? Sums over everything hide two wrongs that make a right.

Each question returns the names of what disagrees; the answers are sentences for ``marketplace ledger check``.
"""

from __future__ import annotations

from marketplace.kit import db

_SHOWN = 5
_QUESTIONS: tuple[tuple[str, str], ...] = (
    (
        "Lines or VAT don't add up to the document",
        """
        SELECT i.number AS name FROM invoice i
          LEFT JOIN (SELECT invoice_id, sum(net_cents) AS net FROM invoice_line GROUP BY 1) l ON l.invoice_id = i.id
          LEFT JOIN (SELECT invoice_id, sum(net_cents) AS net, sum(vat_cents) AS vat FROM invoice_vat GROUP BY 1) v ON v.invoice_id = i.id
         WHERE coalesce(l.net, 0) <> i.net_cents OR coalesce(v.net, 0) <> i.net_cents OR coalesce(v.vat, 0) <> i.vat_cents
        """,
    ),
    (
        "Document and books differ",
        """
        SELECT i.number AS name FROM invoice i
          JOIN ledger_entry e ON e.source_id = i.id AND e.event IN ('invoice_issued', 'credit_issued')
          LEFT JOIN (SELECT entry_id, sum(cents) FILTER (WHERE account = 'receivable') AS owed, sum(cents) FILTER (WHERE account = 'vat') AS vat,
                            sum(cents) FILTER (WHERE account = 'revenue') AS net FROM ledger_posting GROUP BY 1) p ON p.entry_id = e.id
          CROSS JOIN LATERAL (SELECT CASE WHEN i.kind = 'invoice' THEN 1 ELSE -1 END AS sign) s
         WHERE coalesce(p.owed, 0) <> s.sign * i.total_cents OR coalesce(p.vat, 0) <> - s.sign * i.vat_cents
            OR coalesce(p.net, 0) <> - s.sign * i.net_cents
        """,
    ),
    (
        "What was paid, credited or went back is not what stands on the invoice",
        """
        SELECT i.number AS name FROM invoice i
          LEFT JOIN (SELECT invoice_id, sum(cents) AS cents FROM payment GROUP BY 1) p ON p.invoice_id = i.id
          LEFT JOIN (SELECT invoice_id, sum(cents) AS cents FROM refund WHERE state = 'done' GROUP BY 1) r ON r.invoice_id = i.id
          LEFT JOIN (SELECT credits_id, sum(total_cents) AS cents FROM invoice WHERE credits_id IS NOT NULL GROUP BY 1) c ON c.credits_id = i.id
         WHERE coalesce(p.cents, 0) <> i.paid_cents OR coalesce(r.cents, 0) <> i.refunded_cents OR coalesce(c.cents, 0) <> i.credited_cents
        """,
    ),
    (
        "Payment or refund and books differ",
        """
        SELECT i.number AS name FROM (
            SELECT id, invoice_id, - cents AS cents FROM payment WHERE source <> 'setoff'
            UNION ALL SELECT id, invoice_id, cents FROM refund WHERE state = 'done' AND source <> 'setoff') m
          JOIN invoice i ON i.id = m.invoice_id
          JOIN ledger_entry e ON e.source_id = m.id AND e.event IN ('payment_received', 'transfer_allocated', 'refund_made', 'payment_returned')
         WHERE e.reference <> i.number OR m.cents <>
            (SELECT coalesce(sum(p.cents), 0) FROM ledger_posting p WHERE p.entry_id = e.id AND p.account = 'receivable' AND p.debtor_id = i.debtor_id)
        """,
    ),
    (
        "Bank entry and books differ",
        """
        SELECT b.booked_on::text AS name FROM bank_entry b JOIN ledger_entry e ON e.source_id = b.id AND e.event = 'transfer_received'
         WHERE b.cents <> (SELECT coalesce(sum(p.cents), 0) FROM ledger_posting p WHERE p.entry_id = e.id AND p.account = 'bank')
        """,
    ),
    (
        "Entries of documents or money that are gone",
        """
        SELECT e.reference AS name FROM ledger_entry e
         WHERE (e.event IN ('invoice_issued', 'credit_issued') AND NOT EXISTS (SELECT FROM invoice i WHERE i.id = e.source_id))
            OR (e.event = 'payment_received' AND NOT EXISTS (SELECT FROM payment p WHERE p.id = e.source_id))
            OR (e.event = 'transfer_received' AND NOT EXISTS (SELECT FROM bank_entry b WHERE b.id = e.source_id))
        """,
    ),
    (
        "Numbers are missing in the series",
        """
        SELECT n.series AS name FROM number_series n LEFT JOIN (SELECT series, count(*) AS given FROM invoice GROUP BY 1) i ON i.series = n.series
         WHERE n.series ~ '^C?[0-9]{4}$' AND coalesce(i.given, 0) <> n.last_number
        """,
    ),
)


async def problems() -> list[str]:
    """Return what disagrees, one sentence a kind with the first few names; nothing when all of it agrees."""
    found = []
    for what, sql in _QUESTIONS:
        names = [row["name"] for row in await db.records(sql)]
        if names:
            shown = ", ".join(name or "–" for name in names[:_SHOWN])
            found.append(f"{what}: {len(names)} ({shown}{', …' if len(names) > _SHOWN else ''}).")
    return found
