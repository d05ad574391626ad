# kith: the two commands are `make demo` and `make test`; `make help` lists the rest.
SHELL  := /bin/bash -o pipefail
BUILD  ?= build
export BUILD

.DEFAULT_GOAL := all

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup:           ## install what building needs (Debian packages; quiet and quick when nothing is missing)
	@scripts/setup build

setup-test:
	@scripts/setup build test

$(BUILD)/build.ninja:
	@meson setup $(BUILD) > $(BUILD)-setup.log 2>&1 || { cat $(BUILD)-setup.log; exit 1; }
	@rm -f $(BUILD)-setup.log

all: setup $(BUILD)/build.ninja ## build the library and the program: $(BUILD)/kith
	@if [ -e $(BUILD)/kith ]; then ninja -C $(BUILD) --quiet product | { grep -v 'no work to do' || true; }; \
	else echo "building (half a minute to a minute) ..."; ninja -C $(BUILD) $$([ -t 1 ] || echo --quiet) product; fi

demo: all        ## train, evaluate and recommend on real data, or on the built-in sample
	@scripts/demo

test: setup-test $(BUILD)/build.ninja ## build and run every test; T=name runs those whose file name contains it
	@ninja -C $(BUILD) --quiet | { grep -v 'no work to do' || true; }
	@scripts/test $(T)

test-mlflow:     ## the tests of tracking with a real MLflow server from PyPI (V=2 or 3; the first time minutes and 250 MB)
test-mlflow: setup-test all
	@test/mlflow/setup.sh $(or $(V),3) && python3 test/test_mlflow.py $(BUILD)/kith $(BUILD)/mlflow-$(or $(V),3)

test-elasticsearch: ## the tests of indexes with a real server from Maven (V=2 or opensearch; the first time a minute or three)
test-elasticsearch: setup-test all
	@test/elasticsearch/setup.sh $(or $(V),opensearch) && python3 test/test_elasticsearch.py $(BUILD)/kith $(BUILD)/elasticsearch-$(or $(V),opensearch)

test-client:     ## a generated TypeScript client drives the service (the first time a minute and 60 MB from npm)
test-client: setup-test all
	@test/client/setup.sh && python3 test/test_client.py $(BUILD)/kith $(BUILD)/client

test-fuzz-http:  ## calls made up from the OpenAPI document by schemathesis (from PyPI); SECONDS=60
test-fuzz-http: setup-test all
	@test/schemathesis/setup.sh && python3 test/test_schemathesis.py $(BUILD)/kith $(BUILD)/schemathesis $(or $(SECONDS),60)

asan:            ## the tests under AddressSanitizer and UBSan, in build-asan
	@scripts/sanitize asan

tsan:            ## the threaded tests under ThreadSanitizer, in build-tsan
	@scripts/sanitize tsan

fuzz:            ## fuzz a parser: F=csv|ndjson|lines|movielens|recbole|contract|tensors|param|filter|literal|redisurl|text|request|http|transfer|block [SECONDS=60]
	@scripts/fuzz "$(F)" $(or $(SECONDS),60)

torture: setup-test $(BUILD)/build.ninja ## the long forms of tests that kill, cut and fill (minutes); T=word picks
	@ninja -C $(BUILD) --quiet | { grep -v 'no work to do' || true; }
	@scripts/torture $(T)

bench: all       ## race kith against its peers and measure latencies; B=ials|latency|load|gorse|...; results in bench/results
	@[ -n "$(filter-out latency,$(B))" ] || bench/latency.sh
	@[ -n "$(filter-out load,$(B))" ] || python3 bench/load.py --build $(BUILD) --out bench/results
	@[ "$(B)" != gorse ] || { bench/peers/setup_gorse.sh && python3 bench/gorse.py; }
	@[ -n "$(filter latency load gorse,$(B))" ] || { bench/peers/setup.sh && python3 bench/race.py $(if $(B),--only $(B)); }

quality: all     ## do the models recommend as well as bench/quality.md says? some minutes; Q=quick for less than one
	@python3 bench/quality.py $(if $(filter quick,$(Q)),--quick)

layers:          ## do the includes follow the floors of doc/ARCHITECTURE.md?
	@scripts/layers

format:          ## rewrite C sources in the house format
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format-14 -i

format-check:    ## fail when a C source is not in the house format
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format-14 --dry-run -Werror

install: all     ## install library, header, pkg-config file and program; PREFIX=/usr/local, DESTDIR
	@[ -z "$(PREFIX)" ] || meson configure $(BUILD) -Dprefix=$(PREFIX)
	@ninja -C $(BUILD) --quiet product | { grep -v 'no work to do' || true; }
	@meson install -C $(BUILD) --quiet --no-rebuild
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || ldconfig
	@echo "installed into $(DESTDIR)$$(meson introspect $(BUILD) --buildoptions | python3 -c 'import json,sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')"

clean:           ## remove what was built
	@rm -rf build build-*

.PHONY: help setup setup-test all demo test test-mlflow test-elasticsearch test-client test-fuzz-http asan tsan fuzz torture bench quality layers format format-check install clean
