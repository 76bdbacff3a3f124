"""Where a run and its groups stand, and which way they can go."""

from __future__ import annotations

from enum import StrEnum

from marketplace.kit.i18n import N_


class RunState(StrEnum):
    """``collecting``: the preview is being made · ``preview``: somebody looks · ``issuing``: invoices are being made."""

    COLLECTING = "collecting"
    PREVIEW = "preview"
    ISSUING = "issuing"
    DONE = "done"
    CANCELLED = "cancelled"


class GroupState(StrEnum):
    """``ready`` can be issued · ``blocked`` would come back · ``queued`` is the worker's · ``empty``: nothing was left to bill."""

    READY = "ready"
    BLOCKED = "blocked"
    QUEUED = "queued"
    ISSUED = "issued"
    EMPTY = "empty"
    CANCELLED = "cancelled"


_R, _G = RunState, GroupState
RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    _R.COLLECTING: frozenset({_R.PREVIEW, _R.CANCELLED}),
    _R.PREVIEW: frozenset({_R.COLLECTING, _R.ISSUING, _R.CANCELLED}),
    _R.ISSUING: frozenset({_R.DONE, _R.CANCELLED}),
    _R.DONE: frozenset(),
    _R.CANCELLED: frozenset(),
}
GROUP_TRANSITIONS: dict[GroupState, frozenset[GroupState]] = {
    _G.READY: frozenset({_G.QUEUED, _G.CANCELLED}),
    _G.BLOCKED: frozenset({_G.CANCELLED}),
    _G.QUEUED: frozenset({_G.ISSUED, _G.BLOCKED, _G.EMPTY, _G.CANCELLED}),
    _G.ISSUED: frozenset(),
    _G.EMPTY: frozenset(),
    _G.CANCELLED: frozenset(),
}
RUN_NAMES: dict[RunState, str] = {
    _R.COLLECTING: N_("Being put together"),
    _R.PREVIEW: N_("To look over"),
    _R.ISSUING: N_("Being issued"),
    _R.DONE: N_("Done"),
    _R.CANCELLED: N_("Stopped"),
}
GROUP_NAMES: dict[GroupState, str] = {
    _G.READY: N_("Ready"),
    _G.BLOCKED: N_("Blocked"),
    _G.QUEUED: N_("Waiting its turn"),
    _G.ISSUED: N_("Invoice issued"),
    _G.EMPTY: N_("Nothing left to bill"),
    _G.CANCELLED: N_("Not issued"),
}
