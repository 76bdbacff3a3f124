"""Who takes part: the enrolment of one person in one session. Knows no prices and no orders."""
