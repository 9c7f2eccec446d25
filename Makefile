# Recibo. `make help` lists what can be done; Python ≥ 3.11 and make are all that is needed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
STAGE ?= local
BIN := .venv/bin

.PHONY: help setup run serve demo aws test soak check lint kernel audit fuzz bench deploy plan canary rollback destroy logs \
	localstack docs clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

setup: .venv/installed ## set up .venv, again only when the requirements change

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) local/setup.py

run: setup ## the whole flow and the API on the embedded AWS, for your own files; PORT and API_PORT choose the ports
	@$(BIN)/python -m local run $(if $(PORT),--port $(PORT)) $(if $(API_PORT),--api-port $(API_PORT))

demo: setup ## the same once: fails if a receipt is not what the samples declare
	@$(BIN)/python -m local demo $(if $(PORT),--port $(PORT))

serve: setup ## only dashboard and API, of STAGE=local at the AWS in use; API_PORT chooses the port
	@$(BIN)/python -m local serve --stage $(STAGE) $(if $(API_PORT),--api-port $(API_PORT))

aws: setup ## only the embedded AWS, empty; PORT=4566 chooses the port
	@$(BIN)/python -m local aws $(if $(PORT),--port $(PORT))

test: lint ## every test: those that start nothing on all processors, then those that are end to end
	@$(BIN)/python -m pytest -m "not e2e" -n auto -q --dist worksteal
	@$(BIN)/python -m pytest -m e2e -n 2 -q --dist loadscope --durations 15

soak: setup ## 10,000 uploads on the embedded AWS while its workers are killed; UPLOADS=1000 for fewer
	@$(BIN)/python -m tests.e2e.soak $(if $(UPLOADS),--uploads $(UPLOADS))

check: lint ## the fast gate: style, types, and the tests that start nothing
	@$(BIN)/python -m pytest -m "not e2e" -n auto -q --dist worksteal

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

kernel: setup ## compile the kernel anew, after a change in kernel/
	@$(BIN)/pip install --quiet --requirement kernel/requirements.txt
	@$(BIN)/python -m kernel.build

audit: setup ## templates, secrets, bill of materials, known faults of packages; STRICT=1 fails where those cannot be asked
	@$(BIN)/python -m infra.audit $(if $(STRICT),--strict)

fuzz: setup ## look for bytes that break a law of inspection, guided by coverage; MINUTES=20 for longer than 5
	@$(BIN)/pip install --quiet --requirement tests/fuzz/requirements.txt
	@$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES))

bench: setup ## speed and memory beside their peers, in one run
	@$(BIN)/pip install --quiet --requirement bench/requirements.txt
	@$(BIN)/python -m bench

deploy: setup ## deploy STAGE=local|dev|prod to the emulator at AWS_ENDPOINT_URL, or to AWS
	@$(BIN)/python -m infra.deploy --stage $(STAGE) $(if $(PROFILE),--profile $(PROFILE))

plan: setup ## what deploy would change in STAGE, and what the stage costs; changes nothing
	@$(BIN)/python -m infra.plan --stage $(STAGE) $(if $(PROFILE),--profile $(PROFILE))

canary: setup ## send one small file through STAGE, as deploy does
	@$(BIN)/python -m infra.canary --stage $(STAGE) $(if $(PROFILE),--profile $(PROFILE))

rollback: setup ## bring back STAGE's functions as they were at the commit TO
	@$(BIN)/python -m infra.rollback --stage $(STAGE) --to "$(TO)" $(if $(PROFILE),--profile $(PROFILE))

destroy: setup ## take STAGE down; bucket and table stay, unless DELETE_DATA repeats the stage's name
	@$(BIN)/python -m infra.destroy --stage $(STAGE) $(if $(DELETE_DATA),--delete-data "$(DELETE_DATA)") \
		$(if $(PROFILE),--profile $(PROFILE))

logs: setup ## the log of the function that inspects
	@$(BIN)/python -m local logs --stage $(STAGE)

localstack: setup ## start LocalStack with Docker
	@$(BIN)/python -m local localstack

docs: setup ## write again the documents and pictures that are made from the code
	@$(BIN)/python -m docs.build

clean: ## remove what was built here
	rm -rf .venv .chalice/deployed .chalice/deployments .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz bench/data
