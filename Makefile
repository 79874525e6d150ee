# The front door: each target installs what it needs (scripts/setup) and does everything.
#   make demo    builds Tome and asks real documents questions, in English and Chinese
#   make test    builds and runs all tests
#   make format, make lint, make fuzz, make bench
.PHONY: all setup build release demo test format check lint fuzz bench asan tsan clean

CMAKE_FLAGS ?=

all: release

setup:
	@scripts/setup

release: setup
	cmake --preset release -DTOME_TESTS=OFF -DTOME_BENCH=OFF $(CMAKE_FLAGS)
	cmake --build --preset release

demo: release
	@scripts/demo

build: setup
	cmake --preset dev $(CMAKE_FLAGS)
	cmake --build --preset dev

test: build
	ctest --preset dev

asan tsan: setup
	cmake --preset $@ -DTOME_BENCH=OFF $(CMAKE_FLAGS)
	cmake --build --preset $@
	ctest --preset $@

format:
	scripts/format

check: setup
	scripts/format --check
	scripts/check-layers --self-test
	scripts/check-layers

lint: setup
	scripts/lint

fuzz: setup
	scripts/fuzz 60

bench: setup
	scripts/bench

clean:
	rm -rf build
