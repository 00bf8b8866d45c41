# `make ask Q="..."` answers a question; `make test` checks everything. Both install what they need.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --disable-pip-version-check --quiet
# Milvus for the tests, apart from .venv: two packages of one name (tests/milvus_servers.py).
MILVUS := .venv-milvus
PEERS := .venv-peers
CORPUS ?= corpus
QUESTIONS ?= tests/gold/questions.jsonl
ROUNDS ?= 3
SIZES ?= 10000 100000

export Q
comma := ,
space := $() $()

.PHONY: ask repl slack index test check bench bench-archives bench-peers milvus-servers format clean
.DEFAULT_GOAL := help

help:
	@echo 'make ask Q="What did Rubio urge Pakistan to do?"   answer a question about corpus/'
	@echo 'make repl                                          ask one question after the other'
	@echo 'make slack                                         answer in Slack; README.md says how to set it up'
	@echo 'make test                                          check everything, as CI does'
	@echo 'make bench                                         measure encoding and serving, side by side'
	@echo 'make bench-archives CORPUS=folder SIZES="10000"    build and search archives of so many passages'
	@echo 'make bench-peers CORPUS=folder QUESTIONS=file      compare with txtai, LlamaIndex, Haystack'
	@echo 'make format                                        format the code'
	@echo 'make clean                                         remove the environment and the index'

ask: $(VENV)/.installed
	@test -n "$$Q" || { echo 'Name the question: make ask Q="What did Rubio urge Pakistan to do?"'; exit 2; }
	@status=0; $(RUN)/clippings ask -- "$$Q" || status=$$?; test $$status -le 1

repl: $(VENV)/.installed
	@$(RUN)/clippings repl

slack: $(VENV)/.installed
	@$(RUN)/clippings slack

test: check milvus-servers
	$(RUN)/python -m pytest -n 2 -q

check: $(VENV)/.installed-dev
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: $(VENV)/.installed-dev
	$(RUN)/python -m tests.benchmarks.encoding
	$(RUN)/python -m tests.benchmarks.share
	$(RUN)/python -m tests.benchmarks.serving --rounds $(ROUNDS)

# Of real text CORPUS names a folder; what it lacks in size is drawn from its sentences.
bench-archives: $(VENV)/.installed-dev
	$(RUN)/python -m tests.benchmarks.building grow --articles $(CORPUS) --passages $(SIZES)
	$(RUN)/python -m tests.benchmarks.building watched --articles $(CORPUS) \
		--passages $(lastword $(SIZES))
	$(RUN)/python -m tests.benchmarks.building again --articles $(CORPUS)
	$(RUN)/python -m tests.benchmarks.vectors --articles $(CORPUS) --sizes $(subst $(space),$(comma),$(SIZES))
	$(RUN)/python -m tests.benchmarks.lexical --articles $(CORPUS) --sizes $(subst $(space),$(comma),$(SIZES))

# Several folders and their questions may be named; OPTIONS="--plot peers.svg" draws the figures.
bench-peers: $(VENV)/.installed $(PEERS)/.installed
	$(RUN)/python -m tests.benchmarks.peers --corpus $(CORPUS) --questions $(QUESTIONS) \
		--rounds $(ROUNDS) $(OPTIONS)

milvus-servers: $(MILVUS)/.installed

format: $(VENV)/.installed-dev
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(MILVUS) $(PEERS) .clippings

$(VENV)/.installed: pyproject.toml requirements.txt
	@echo 'Installing Clippings into $(VENV) (once; some 1.5 GB with PyTorch) ...'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Clippings needs Python 3.11 or newer; name one with PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --constraint requirements.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo 'Installing what the checks need ...'
	@$(PIP) install --constraint requirements.txt --editable '.[dev]'
	@touch $@

$(MILVUS)/.installed: $(VENV)/.installed-dev Makefile
	@echo 'Fetching the Milvus servers of the tests into $(MILVUS) (once; 340 MB) ...'
	@rm -rf $(MILVUS)
	@$(PIP) install --no-deps --no-compile --target $(MILVUS)/wire milvus-lite==3.2.2 pyarrow==26.0.1
	@$(PIP) install --no-deps --no-compile --target $(MILVUS)/core milvus-lite==2.5.1
	@touch $@

$(PEERS)/.installed: tests/benchmarks/peers/requirements.txt
	@echo 'Installing the peers into $(PEERS) (once; some 1.5 GB with PyTorch) ...'
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	@touch $@
