"""One tree of refusals. Verbs raise them; the web layer maps each once, to a page or to problem+json.

A message is a finished sentence in the reader's language: say what is so. ``next_step`` says what they can do.
A row of somebody else and a row that does not exist raise the same ``NotFound``.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """A refusal with a machine code, a sentence and, where there is one, the next step."""

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "refused"

    def __init__(
        self,
        code: str | None = None,
        message: str = "",
        *,
        next_step: str | None = None,
        fields: dict[str, str] | None = None,
    ) -> None:
        self.code = code or self.default_code
        self.message = message or self.code
        self.next_step = next_step
        self.fields = fields or {}
        super().__init__(f"{self.code}: {self.message}")


class Unauthenticated(DomainError):
    """Nobody is signed in."""

    status = 401
    default_code = "sign_in_needed"


class Forbidden(DomainError):
    """The row may be seen, but this role may not do that."""

    status = 403
    default_code = "forbidden"


class NotFound(DomainError):
    """There is no such row, or none that this actor may know of."""

    status = 404
    default_code = "not_found"


class Conflict(DomainError):
    """The present state does not allow it (a full session, a number in use)."""

    status = 409
    default_code = "conflict"


class InvalidTransition(Conflict):
    """The row is in a state from which this step does not lead on."""

    default_code = "invalid_transition"


class TooLarge(DomainError):
    """More was sent than is read."""

    status = 413
    default_code = "too_large"


class Invalid(DomainError):
    """What was filled in can't be used; ``fields`` has a sentence per field."""

    status = 422
    default_code = "invalid"


class TooMany(DomainError):
    """Too many tries; ``retry_after`` is in seconds."""

    status = 429
    default_code = "too_many"

    def __init__(self, code: str | None = None, message: str = "", *, retry_after: int, next_step: str | None = None) -> None:
        super().__init__(code, message, next_step=next_step)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A part that this needs is away for the moment."""

    status = 503
    default_code = "unavailable"
