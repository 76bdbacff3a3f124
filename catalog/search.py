"""Finding programmes."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.kit import db

_RECENT = timedelta(days=180)


async def count_bookings(*, now: datetime) -> None:
    """Set each programme's popularity to the seats taken in the past half year."""
    sql = """
        UPDATE programme SET popularity = found.n
        FROM (
            SELECT programme.id, count(seat.id)::int AS n
            FROM programme LEFT JOIN session ON programme_id = programme.id AND session.ends_at > $1
            LEFT JOIN seat ON session_id = session.id AND seat.state = 'taken' AND seat.taken_at > $1
            GROUP BY programme.id
        ) AS found
        WHERE programme.id = found.id AND popularity <> found.n
    """
    await db.execute(sql, now - _RECENT)
