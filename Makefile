# make run: the whole product on this machine.  make test: every test.  make check: what a commit must pass.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$each; break; }; done)
BIN := .venv/bin
WITH_SQL := $(addprefix tests/,kit catalog people orders scheduling fulfilment billing settlement bank dunning books finance vat concurrency)

.PHONY: run test test-full test-again check format screenshots lock clean ready-run ready-test

run: ready-run
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m marketplace up

# Two files at a time, each with a database server of its own.
test: ready-test
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)
	@$(MAKE) --no-print-directory test-again

# The second round, on Debian's PostgreSQL 15, of the quick tests that a database can matter to.
test-again: ready-test
	@if [ -d /usr/lib/postgresql/15/bin ]; then echo "Once more on PostgreSQL 15"; \
	MARKETPLACE_TEST_PG=15 $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not browser" $(WITH_SQL) $(ARGS); fi

test-full: ready-test
	@MARKETPLACE_TEST_FULL=1 $(BIN)/python -m pytest -q $(ARGS)

check: ready-test
	@$(BIN)/python .ci/check.py

format: ready-test
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

# The pictures of the README, from the demo.
screenshots: ready-test
	@$(BIN)/python -m tests.browser.screenshots

# Both locks serve every Python from 3.11 on every platform, and hold no address.
lock:
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --extra dev -o requirements-dev.lock pyproject.toml

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "The data in var/ is kept; remove that folder yourself to begin again."

ready-run ready-test: ready-%:
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11 or newer: install it, or run make PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) .ci/prepare.py $*
