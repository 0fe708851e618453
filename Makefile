# Everything a fresh machine needs: Python 3.11+, pip and make. `make help` lists what can be made.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEVELOPING := $(VENV)/.developing
# Debian's python3 without python3-venv makes no pip in a new environment: then the machine's own serves it.
PIP = $(if $(wildcard $(BIN)/pip),$(BIN)/python -m pip,$(PYTHON) -m pip --python $(BIN)/python)
# Without compiled files each worker and each process that a test starts compiles everything again.
unexport PYTHONDONTWRITEBYTECODE
PIP_INSTALL = $(PIP) install --quiet --disable-pip-version-check --editable

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all test-postfix test-dovecot check format bench screenshots crash clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1|\2/' | column -t -s '|'

install: $(INSTALLED) ## Make .venv with the mailer command

demo: $(INSTALLED) ## Play the whole story on this machine, against real sockets
	@$(BIN)/mailer demo

test: $(DEVELOPING) ## Run the tests but the slow ones; ARGS="-k word" chooses
	$(BIN)/python -m pytest -n auto --dist loadgroup -rs -m "not slow" $(ARGS)

test-all: $(DEVELOPING) ## Run all tests, the slow ones too; `make crash` also searches for faults for longer
	$(BIN)/python -m pytest -n auto --dist loadgroup -rs $(ARGS)

test-postfix: $(DEVELOPING) ## Carry mail through the real Postfix, which must be installed; as root
	MAILER_TEST_POSTFIX=1 $(BIN)/python -m pytest tests/postfix

test-dovecot: $(DEVELOPING) ## Fetch mail from the real Dovecot, which must be installed; as root
	MAILER_TEST_DOVECOT=1 $(BIN)/python -m pytest tests/dovecot

check: $(DEVELOPING) ## Format, lint, types and the house's rules; no other tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_house.py

format: $(DEVELOPING) ## Put the source into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEVELOPING) ## Measure speed and memory against Postfix's smtp-source; WITH=--full is thorough
	$(BIN)/python -m bench $(WITH)

screenshots: $(DEVELOPING) ## Take pictures of the console's pages and of letters, into build/screenshots; ARGS="--only campaigns"
	$(BIN)/python -m tests.browser.screenshots $(ARGS)
	$(BIN)/python -m tests.browser.letter_screenshots $(ARGS)

crash: $(DEVELOPING) ## Kill the service a hundred times over a hundred thousand people; ARGS="--kills 20 --people 20000"
	MAILER_TEST_LONG=1 $(BIN)/python -m pytest -n auto --dist loadgroup tests/crash tests/store/test_queue.py tests/relay/test_lane_scheduler.py \
		tests/flows/test_each_await.py
	$(BIN)/python -m tests.crash.long_run $(ARGS)
	$(BIN)/python -m tests.crash.long_run --database postgresql --pair $(ARGS)

clean: ## Remove what was made
	rm -rf $(VENV) .pytest_cache .hypothesis .mypy_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) .
	@touch $@

$(DEVELOPING): $(INSTALLED)
	$(PIP_INSTALL) ".[dev]"
	@touch $@
