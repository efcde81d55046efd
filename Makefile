# make demo: the main job on the virtual board. make test: everything that needs no bench. Each target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-emulator check bench faults fuzz clean help

help:
	@echo "make demo   run heat-80 and uv-365 on virtual boards, print the table, write the report"
	@echo "make test   all tests that need no bench"
	@echo "make test-emulator  MicroPython's own tests on the emulated chip (slow)"
	@echo "make check  style, types, imports, spelling"
	@echo "make bench  benchmarks; writes build/bench.json"
	@echo "make fuzz   coverage-guided fuzzing, FUZZ_MINUTES (2) a target; writes build/fuzz.json"
	@echo "make faults the fault suite: every attack on a run; writes build/faults.json (half an hour)"
	@echo "make clean  remove build/ and the environment"

$(VENV)/.ready: pyproject.toml .ci/environment.py
	@$(PYTHON) .ci/environment.py $(VENV) test
	@touch $@

$(VENV)/.check: $(VENV)/.ready
	@$(PYTHON) .ci/environment.py $(VENV) test,check
	@touch $@

demo: $(VENV)/.ready
	@$(BIN)/remnant demo

test: $(VENV)/.ready
	@$(BIN)/python -m pytest -q -n auto --dist loadfile
	@$(BIN)/python -m pytest -q -n auto --dist loadfile tests/hil --rig emulated

test-emulator: $(VENV)/.ready
	@$(BIN)/python tests/emulator/micropython_suite.py

check: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: $(VENV)/.ready
	@$(BIN)/python tests/bench/run.py

faults: $(VENV)/.ready
	@$(BIN)/python tests/hil/faults/run.py

$(VENV)/.fuzz: $(VENV)/.ready
	@$(PYTHON) .ci/environment.py $(VENV) test,fuzz
	@touch $@

fuzz: $(VENV)/.fuzz
	@$(BIN)/python tests/fuzz/run.py

clean:
	rm -rf build $(VENV)
