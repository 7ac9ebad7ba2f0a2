# What can be done here; `make` alone lists it. One optimised build serves tests and product.

SWIFT ?= swift
# The quickstart's store, when it should not lie beside the manifest's name in this folder.
DB ?=

FATHOM := .build/release/fathom
SWIFT_FILES = find Sources Tests Package.swift -name '*.swift' ! -name '*.pb.swift' -print0
# Testable imports would compile every module a second way, apart from the product's; no test of
# ours needs them, so tests and product share one build.
TEST := $(SWIFT) test -c release --disable-testable-imports --disable-xctest

.DEFAULT_GOAL := help
.PHONY: help setup build quickstart test test-simulation test-fuzz test-files test-chaos \
	test-slurm test-slurm-large test-network test-bundle check-cluster bundle lint format format-exists bench screenshots clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Check Swift, install missing system libraries
	@sh scripts/setup.sh

build: setup ## Build the optimised binary, .build/release/fathom
	$(SWIFT) build -c release --product fathom

quickstart: build ## Measure five treatments of rooms, for two tasks, and print the leaderboards
	$(FATHOM) run sweeps/quickstart.yaml $(if $(DB),--db $(DB))

test: setup ## Build and run the everyday test suite
	$(TEST)

test-simulation: setup ## Run the long simulations: thousands of seeds, minutes
	FATHOM_SLOW=1 $(TEST) --filter SimulationTests

test-fuzz: setup ## A million damaged frames at everything that takes frames
	FATHOM_SLOW=1 $(TEST) --filter 'FuzzTests|FuzzRunTests'

test-files: setup ## 1 GiB to eight workers over encrypted sockets; prints the rate
	FATHOM_SLOW=1 $(TEST) --filter FileTravelTests

test-chaos: setup ## Kill real workers and coordinators, compare the final tables
	FATHOM_SLOW=1 $(TEST) --filter EndToEndTests

test-slurm: build ## Run a sweep on a real Slurm of three nodes on this host, and kill some
	@bash scripts/test_slurm.sh

test-slurm-large: build ## 10,000 SAL entries through at most ten allocations of that Slurm
	@bash scripts/test_slurm.sh --large

test-network: setup ## Run sweeps on hosts of their own, over lines that delay, lose and break
	FATHOM_SLOW=1 $(TEST) --filter NetworkTests

test-bundle: setup ## Run the bundle in bare Debians made for it
	@sh scripts/test_bundle.sh

check-cluster: ## Check launch files: scripts, systemd units, Kubernetes manifests
	@sh scripts/check_cluster.sh

bundle: setup ## Pack a tarball for nodes without Swift, into dist/
	@sh scripts/bundle.sh

format-exists:
	@$(SWIFT) format --version >/dev/null 2>&1 || { \
		echo "lint: this toolchain has no 'swift format'. It ships with Swift 6.0 and newer" \
			"from https://www.swift.org/install; install that toolchain, or put" \
			"swift-format on the PATH." >&2; exit 3; }

lint: format-exists ## Check layout and the rules of .swift-format
	$(SWIFT_FILES) | xargs -0 $(SWIFT) format lint --strict --parallel --configuration .swift-format

format: format-exists ## Lay the sources out as .swift-format says
	$(SWIFT_FILES) | xargs -0 $(SWIFT) format --in-place --parallel --configuration .swift-format

bench: build ## Measure speed; JSON lines, explained in Benchmarks/README.md
	@sh scripts/bench.sh $(FATHOM)

screenshots: quickstart ## Take the documents' pictures of report, landscapes and dashboard; needs Chromium
	@python3 scripts/screenshots.py --fathom $(FATHOM) --store $(or $(DB),quickstart.fathom.sqlite)

clean: ## Remove what was built; stores and results stay
	$(SWIFT) package clean
