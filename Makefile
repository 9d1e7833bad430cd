# Aquila's commands. Every target makes what it needs; only Python (3.11 or newer) and make must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help setup demo test simulate explore fuzz rounds attack soak check fix bench bench-peer bench-quality schemas vectors e2e screenshots pins clean

help: ## what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml setup.py $(wildcard aquila/crypto/*/*.[ch] aquila/crypto/*/*/*.[ch])
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.develop: $(VENV)/.runtime requirements/develop.txt requirements/oracle.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/develop.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --ignore-requires-python -r requirements/oracle.txt
	@touch $@

setup: $(VENV)/.develop ## make the environment .venv with everything to run, test and change Aquila

demo: $(VENV)/.runtime ## one round of three parties and a matcher, as real processes; KEEP=1 leaves it running
	$(BIN)/aquila demo $(if $(KEEP),--keep)

# These reach every branch of the core, which is a gate: without those marked `no_cover`, as all of `property` are, which
# repeat others over many examples, and take twice the time watched. Those of services and clients are not watched.
CORE_TESTS := tests/unit/aquila tests/vectors tests/property tests/scenarios tests/audit tests/transcripts
SIMULATED := tests/property/test_stepped_rounds.py

# Where tests are marked `rounds` or `more_rounds`: to collect all others beside them takes as long as some rounds.
ROUNDS := tests/services tests/unit/clients/web tests/migrations tests/audit

# Databases of tests lie in memory where there are two free gibibytes for it: no test is about how fast a disk is.
test rounds attack e2e interop soak: export PYTEST_DEBUG_TEMPROOT = $(shell df -k /dev/shm 2>/dev/null | awk 'NR > 1 && $$4 > 2097152 { print $$6 }')
test: $(VENV)/.develop ## unit, vector, property, scenario, contract, migration and transcript tests
	$(BIN)/python -m pytest -n 2 -m "not e2e and not soak and not rounds and not more_rounds" $(CORE_TESTS) --ignore=$(SIMULATED) --cov --cov-fail-under=100
	$(BIN)/python -m pytest -n 2 -m "not e2e and not soak and not rounds and not more_rounds" $(addprefix --ignore=,$(CORE_TESTS) tests/attacks)

# Nine times eight runs of up to a hundred steps, seven tenths of that at least, the same ones each time.
simulate: $(VENV)/.develop ## rounds and queries of the core in 5,000 small steps, with delays, crashes, older copies and a liar
	AQUILA_STEPPED_RUNS=8 $(BIN)/python -m pytest -n 2 $(SIMULATED)

rounds: $(VENV)/.develop ## whole rounds of services within one process, with liars, withdrawals and erasure
	$(BIN)/python -m pytest -n 2 -m "rounds and not more_rounds and not soak" $(ROUNDS)

attack: $(VENV)/.develop ## what strangers, parties, matchers, auditors' opponents and restored copies try
	$(BIN)/python -m pytest -n 2 -m "not e2e and not soak" tests/attacks
	$(BIN)/python -m pytest -m attack tests/e2e

explore: $(VENV)/.develop ## the property tests on other examples than `make test` tries, and many more; the symbolic model, where ProVerif is there
	AQUILA_EXPLORE=1 $(BIN)/python -m pytest -n 2 -m "not e2e" $$(grep -rlE '^@given|^from hypothesis import given' tests --include='test_*.py')
	$(BIN)/python -m tests.model

fuzz: $(VENV)/.develop ## every parser of outside bytes under atheris, for FUZZ_SECONDS (300) seconds
	$(PYTHON) -m venv $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(VENV)-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	$(VENV)-fuzz/bin/python -m tests.fuzz $(or $(FUZZ_SECONDS),300)

# All that are marked e2e without being marked soak: to collect every other test beside them takes longer than a round.
E2E := tests/e2e tests/transcripts tests/contract/test_openapi_fuzzed.py

PROVIDER := tests/e2e/provider/node_modules/.package-lock.json
INTEROP := tests/interop/node_modules/.package-lock.json

$(PROVIDER) $(INTEROP): %/node_modules/.package-lock.json: %/package-lock.json
	npm ci --prefix $* --no-audit --no-fund

$(VENV)-clients/.generator: requirements/clients.txt
	$(PYTHON) -m venv $(VENV)-clients
	$(VENV)-clients/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

interop: $(VENV)/.develop $(VENV)-clients/.generator $(INTEROP) ## what others build on schemas/ alone: a node that plays rounds with ours and an auditor, in JavaScript, generated clients, the examples of docs/INTEGRATING.md (needs npm, curl, jq)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m e2e tests/interop

e2e: $(VENV)/.develop $(PROVIDER) ## whole rounds among real processes and at a real browser (needs chromium-headless-shell, npm), on SQLite and PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "e2e and not soak and not attack" $(E2E)
	$(BIN)/python -m pytest -n 2 --database postgresql -m postgresql tests/services

# Root gets what is missing. Anybody else runs what can be run, and is told in the end what was not: then the soak is red.
SOAK_PACKAGES := faketime gcc openssh-client util-linux iproute2 systemd systemd-container \
  buildah podman runc mmdebstrap podman-compose gcc-aarch64-linux-gnu libc6-dev-arm64-cross

soak: $(VENV)/.develop ## rounds under faults for AQUILA_SOAK_MINUTES (60), slow tests, and more tests of services on PostgreSQL
	test "$$(id -u)" != 0 || dpkg --status $(SOAK_PACKAGES) >/dev/null 2>&1 || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SOAK_PACKAGES) >/dev/null; }
	failed=; \
	$(BIN)/python -m tests.soak --whole || failed="$$failed, rounds under faults"; \
	$(BIN)/python -m tests.years check || failed="$$failed, costs after years"; \
	AQUILA_EXPLORE=1 AQUILA_STEPPED_RUNS=133 $(BIN)/python -m pytest -n 2 $(SIMULATED) || failed="$$failed, rounds in steps"; \
	$(BIN)/python -m pytest -m soak -p tests.support.nothing_skipped || failed="$$failed, slow tests"; \
	$(BIN)/python -m pytest -n 2 -m "more_rounds and not soak" $(ROUNDS) || failed="$$failed, whole rounds"; \
	$(BIN)/python -m pytest -n 2 --database postgresql -m postgresql_soak tests/services || failed="$$failed, services on PostgreSQL"; \
	test -z "$$failed" || { echo "failed, or not run as a whole: $${failed#, }"; exit 1; }

screenshots: $(VENV)/.develop ## pictures of the six main pages, in docs/pictures (needs chromium-headless-shell)
	$(BIN)/python -m tests.screenshots docs/pictures

check: $(VENV)/.develop ## lint, types, layers, and that generated files are up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.generate --check

fix: $(VENV)/.develop ## format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(VENV)/.develop ## write JSON Schema and OpenAPI anew from the code
	$(BIN)/python -m tests.generate

vectors: $(VENV)/.develop ## write the vectors of the protocol anew, after a change of it
	$(BIN)/python -m tests.vectors.making

bench: $(VENV)/.runtime ## what steps, records, the join and whole rounds cost, as tables in bench/ (some minutes)
	$(BIN)/python -m tests.bench --out bench

$(VENV)-quality/.peers: requirements/quality.txt
	$(PYTHON) -m venv $(VENV)-quality
	$(VENV)-quality/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench-quality: $(VENV)/.runtime ## how good the matching is, beside its peers; ALIASES=FILE, PAGE=FILE, BLIND=1; or PUBLISHED=FOLDER alone
	-@$(MAKE) --no-print-directory $(VENV)-quality/.peers # without it there is neither FEBRL 4 nor a peer, and the report says so
	$(BIN)/python -m tests.quality.measuring.$(if $(PUBLISHED),published $(PUBLISHED),main --region tests/quality/region) \
	  --out build/quality --peers $(VENV)-quality \
	  $(if $(ALIASES),--aliases $(ALIASES)) $(if $(PAGE),--page $(PAGE)) $(if $(BLIND),--blind)

$(VENV)-speed/.peer: requirements/speed.txt
	$(PYTHON) -m venv $(VENV)-speed
	$(VENV)-speed/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench-peer: $(VENV)/.runtime $(VENV)-speed/.peer ## a round's cost beside SecretFlow's, five lists of RECORDS (100,000) with POOL shared persons
	$(BIN)/python -m tests.speed.main --python $(VENV)-speed/bin/python $(if $(RECORDS),--records $(RECORDS)) $(if $(POOL),--pool $(POOL))

pins: ## pin all requirements anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/runtime.in -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/dask.in -o requirements/dask.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/pkcs11.in -o requirements/pkcs11.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/develop.in -o requirements/develop.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/quality.in -o requirements/quality.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/fuzz.in -o requirements/fuzz.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/clients.in -o requirements/clients.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-strip-extras requirements/speed.in -o requirements/speed.txt

clean: ## remove the environment and what tests and demo leave
	rm -rf $(VENV) $(VENV)-quality $(VENV)-speed $(VENV)-fuzz $(VENV)-clients .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

NATIVE := aquila/crypto/native
INPUTS_EQUALITY := tests/unit/aquila/records/test_plain_inputs.py
NATIVE_TESTS := tests/unit/aquila/crypto/test_native.py tests/unit/aquila/crypto/test_native_equality.py \
  tests/unit/aquila/crypto/test_hashing.py $(INPUTS_EQUALITY)
# Sums of limbs are checked against their bounds (lanes.h), and whatever a sanitizer finds stops the run.
SANITIZE_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -DAQUILA_CHECK_BOUNDS

.PHONY: wheel bundle sanitize constant-time equality aarch64

wheel: $(VENV)/.develop ## build a wheel, and install and try it in a clean environment, with and without a compiler
	rm -rf build/wheel dist
	AQUILA_REQUIRE_NATIVE=1 $(BIN)/python setup.py -q build --build-base build/wheel/native bdist_wheel --dist-dir dist
	CC=false $(BIN)/python setup.py -q build --build-base build/wheel/plain bdist_wheel --dist-dir dist/plain
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	build/wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/plain/*.whl
	cd build/wheel && venv/bin/python $(CURDIR)/tests/native/try_wheel.py libsodium
	build/wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/*.whl
	cd build/wheel && venv/bin/python $(CURDIR)/tests/native/try_wheel.py auto

PYTHONS := 3.11 3.12 3.13
MACHINES := x86_64 aarch64

# Of the commit that is checked out; changes that are not committed are not in it.
bundle: $(VENV)/.develop ## all that a machine without a network needs, as one archive in dist/; KEY=FILE signs it, WHEELS=FILE brings a wheel
	command -v $(if $(WHEELS),true,$(filter-out $(shell uname -m)%,$(MACHINES:%=%-linux-gnu-gcc))) >/dev/null || { apt-get update -qq && \
	  apt-get install -y -qq --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross >/dev/null; }
	$(BIN)/python -m deploy.bundle.main --python $(PYTHONS) --machine $(MACHINES) $(if $(WHEELS),--wheel $(WHEELS)) $(if $(KEY),--key $(KEY))

sanitize: $(VENV)/.develop ## the C modules under ASan, UBSan and the bounds check; the one in AVX-512 also emulated
	for lanes in "" ifma; do \
	  folder=build/sanitize-$${lanes:-all} && \
	  AQUILA_REQUIRE_NATIVE=1 AQUILA_NATIVE_BACKENDS=$$lanes AQUILA_NATIVE_FLAGS="$(SANITIZE_FLAGS) $${lanes:+-DAQUILA_EMULATED}" \
	    $(BIN)/python setup.py -q build --build-base $$folder --build-lib $$folder/lib && \
	  LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 AQUILA_EQUALITY_COUNT=1000 \
	    PYTHONPATH=$$folder/lib $(BIN)/pytest -q -o pythonpath= -p no:cacheprovider $(NATIVE_TESTS) || exit 1; \
	done

# Valgrind does not know AVX-512, so that the backend with it is emulated.
CONSTANT_TIME := PORTABLE $(if $(filter x86_64,$(shell uname -m)),AVX2 IFMA)
WITHOUT_PYTHON := $(filter-out $(NATIVE)/module.c,$(wildcard $(NATIVE)/*.c))
AS_BUILT := -std=gnu11 -Wall -Wextra -fno-strict-aliasing -I $(NATIVE)

constant-time: ## valgrind finds no branch and no address that depends on a secret, in any backend (needs valgrind)
	mkdir -p build
	for backend in $(CONSTANT_TIME); do \
	  program=build/constant-time-$$backend && echo $$backend && \
	  $(CC) -O3 -g $(AS_BUILT) -DAQUILA_$$backend -DAQUILA_EMULATED -o $$program tests/native/constant_time.c $(WITHOUT_PYTHON) && \
	  valgrind -q --error-exitcode=1 $$program && \
	  if valgrind -q --error-exitcode=1 $$program leak >/dev/null 2>&1; then echo "a leak was not found"; exit 1; fi || exit 1; \
	done

equality: $(VENV)/.develop ## all backends on 100,000 random elements and scalars, inputs of 100,000 records and their definition
	AQUILA_EQUALITY_COUNT=100000 $(BIN)/python -m pytest -q tests/unit/aquila/crypto/test_native_equality.py $(INPUTS_EQUALITY)

aarch64: ## the portable core, built for aarch64 and run by an emulator, answers as this machine's (installs Debian's cross compiler and qemu-user)
	command -v aarch64-linux-gnu-gcc qemu-aarch64 >/dev/null || { apt-get update -qq && \
	  apt-get install -y -qq --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user >/dev/null; }
	mkdir -p build
	aarch64-linux-gnu-gcc -static -O3 $(AS_BUILT) -DAQUILA_PORTABLE -o build/answers-aarch64 tests/native/answers.c $(WITHOUT_PYTHON)
	$(CC) -O3 $(AS_BUILT) -DAQUILA_PORTABLE -o build/answers tests/native/answers.c $(WITHOUT_PYTHON)
	build/answers >build/answers.txt
	qemu-aarch64 build/answers-aarch64 | cmp - build/answers.txt
