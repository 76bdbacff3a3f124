"""The API does what its description says, whatever is sent: schemathesis with a fixed seed, over HTTP."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import Stage
from tests.processes import FULL, measured

pytestmark = pytest.mark.slow
EXAMPLES = 100 if FULL else 20
_CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
_MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
# The id of a thing that is there, instead of a made-up one, in every second request.
_OWN = {
    "order_id": ("order", "order_id"),
    "person_id": ("person", "person_id"),
    "plan_id": ("scheduled_enrolment", "plan_id"),
    "number": ("invoice", "number"),
}


def _with_own_ids(case: Any, stage: Stage) -> None:
    for name in list(case.path_parameters or {}):
        if name in _OWN:
            case.path_parameters[name] = stage.world.things[(*_OWN[name], "")].a
        elif name in {"programme_id", "session_id"}:
            first = "programmes" if name == "programme_id" else "sessions"
            case.path_parameters[name] = stage.world.things[name.removesuffix("_id"), name, first].a
    for body in _bodies(case.body):
        for name in ("person_id", "session_id"):
            if name in body:
                body[name] = stage.world.bodies["a"][name]


def _bodies(body: Any) -> list[dict[str, Any]]:
    """Return the objects of a body that name things: the body itself, and the lines of an order."""
    if not isinstance(body, dict):
        return []
    lines = body.get("lines")
    return [body, *[line for line in lines if isinstance(line, dict)]] if isinstance(lines, list) else [body]


def test_every_operation_keeps_to_its_description(stage: Stage) -> None:
    schema = schemathesis.openapi.from_url(f"{stage.url}/api/openapi.json")
    answers: Counter[str] = Counter()
    wrong: dict[str, str] = {}
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 12
    for operation in operations:
        for mode in _MODES:
            try:
                _check(operation, mode, stage, answers, wrong)
            except Exception as impossible:
                if type(impossible).__name__ != "Unsatisfiable":
                    raise
    measured(f"{len(operations)} operations, {sum(answers.values())} requests: {dict(answers)}")
    assert not wrong, f"{len(wrong)}:\n" + "\n\n".join(f"{what}\n{why}" for what, why in wrong.items())


def _check(operation: Any, mode: Any, stage: Stage, answers: Counter[str], wrong: dict[str, str]) -> None:
    count = [0]

    @seed(20261123)
    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        count[0] += 1
        if count[0] % 2 and mode is schemathesis.GenerationMode.POSITIVE:
            _with_own_ids(case, stage)
        case.headers = {**(case.headers or {}), **stage.bearer("ecl" if count[0] % 5 == 0 else "hr_a")}
        answer = case.call(timeout=30)
        answers[str(answer.status_code)] += 1
        try:
            case.validate_response(answer, checks=_CHECKS)
        except BaseExceptionGroup as failures:
            for failure in failures.exceptions:
                wrong.setdefault(
                    f"{operation.label}: {answer.status_code} {type(failure).__name__}", f"{failure}\n{answer.text[:600]}"[:1500]
                )
        except Exception as failure:  # noqa: BLE001 - gathered, so that one run shows them all
            wrong.setdefault(f"{operation.label}: {answer.status_code} {type(failure).__name__}", f"{failure}\n{answer.text[:600]}"[:1500])

    ask()
