# Two commands do all the set-up on a machine with only Python >= 3.11, git and make: `make quickstart` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help quickstart test test-all check fuzz export storm gpu docs clean
.DEFAULT_GOAL := help

help:
	@echo "make quickstart   environment, install, the quickstart study, its ranking"
	@echo "make test         environment, install with dev extras, lint, types, the tests of every part"
	@echo "make test-all     the same with the long tests too: kills, clusters, servers, other people's tools and networks"
	@echo "make docs         renew docs/api.md, the generated sections of docs/language.md and docs/database.md, and the schemas in arch_specs/schemas"
	@echo "make fuzz         10 000 broken YAML files, 5 000 databases, 2 000 frozen benchmarks, 2 000 files of weights, 2 000 of arrays,"
	@echo "                  5 000 database URLs, 5 000 texts, 2 000 random units, every cell of NAS-Bench-201; how long, how much memory"
	@echo "make export       every unit and network of the library as ONNX and torch.export, run and compared"
	@echo "make storm        1 000 kills of fake studies, 50 starts at the same moment, two minutes of kills of a real one"
	@echo "make gpu          every CUDA test and GPU benchmark; the results go to gpu-results.md"
	@echo "make clean        remove the environment that make made, what tests leave, and whole the caches of the tools"
	@echo "                  (.pytest_cache .mypy_cache .ruff_cache .hypothesis)"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "resbench needs Python 3.11 or newer; make PYTHON=python3.12 names another")'
	@if [ ! -L "$(VENV)" ] && [ -z "$$(ls -A "$(VENV)" 2>/dev/null)" ]; then mkdir -p "$(VENV)" && touch "$(VENV)/.made-by-resbench"; fi
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed

quickstart: $(VENV)/.installed
	$(BIN)/resbench study run studies/quickstart.yaml --db quickstart.db
	@echo
	@echo "Ask the database:  $(BIN)/resbench results top quickstart --db quickstart.db"
	@echo "                   $(BIN)/resbench query --db quickstart.db 'SELECT unit, seed, val_error_pct FROM v_runs'"
	@echo "Your own unit:     $(BIN)/resbench study run studies/quickstart.yaml --db quickstart.db units+=my_unit.yaml"

test: check
	$(BIN)/python -m pytest -n 2 -m 'not long'

test-all: check
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-dev
	$(BIN)/python -m tools.docs.language docs/language.md
	$(BIN)/python -m tools.docs.database docs/database.md
	$(BIN)/python tools/docs/api_reference.py docs/api.md
	for kind in unit block network recipe study; do $(BIN)/resbench schema $$kind -o arch_specs/schemas/$$kind.json --force; done

fuzz: $(VENV)/.installed-dev
	RESBENCH_FUZZ=full $(BIN)/python -m pytest -n 2 tests/fuzz tests/compiler/test_compiler_nasbench.py \
		tests/cli/test_cli_strange_rows.py tests/cli/test_cli_passwords.py

export: $(VENV)/.installed-dev
	RESBENCH_EXPORT=all $(BIN)/python -m pytest -n 2 tests/compiler/test_compiler_export.py

storm: $(VENV)/.installed-dev
	RESBENCH_STORM=full $(BIN)/python -m pytest -s tests/reliability/test_reliability_storm.py
	$(BIN)/python benchmarks/storm.py

gpu: $(VENV)/.installed-dev
	$(BIN)/python -c 'import torch, sys; sys.exit(not torch.cuda.is_available() and "there is no CUDA device that torch can use")'
	$(BIN)/python -m pytest tests/train/test_train_cuda.py -rA > gpu-tests.log; echo $$? > gpu-tests.status
	$(BIN)/python benchmarks/gpu.py gpu-results.md
	(echo; echo '## Tests (pytest status '$$(cat gpu-tests.status)')'; echo '```'; tail -n 40 gpu-tests.log; echo '```') >> gpu-results.md
	@rm -f gpu-tests.log gpu-tests.status; cat gpu-results.md

# What the targets above made: an environment with their mark (a folder that held anything before does not get it), wheels of resbench,
# and the compiled files of our own folders. The four caches belong to the tools, which write what they like there: they go whole,
# with whatever else is in them. `find` follows no link, and a link to a cache goes alone.
clean:
	@if [ -f "$(VENV)/.made-by-resbench" ] && [ ! -L "$(VENV)" ]; then rm -rf -- "$(VENV)"; \
	elif [ -d "$(VENV)" ]; then echo "$(VENV) was not made by this Makefile, and was left as it is"; fi
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find resbench tests plugins benchmarks -type f -path '*/__pycache__/*.pyc' -delete 2>/dev/null || true
	@find resbench tests plugins benchmarks -depth -type d -name __pycache__ -empty -delete 2>/dev/null || true
	@if [ -d dist ] && [ ! -L dist ]; then rm -f dist/resbench-*.whl dist/resbench-*.tar.gz; rmdir dist 2>/dev/null || true; fi
