# Each command is a script in scripts/dev; "make setup GROUP=lint" installs the
# Debian packages that one group of commands needs.

# "make NGINX_SRC=DIR" builds for an nginx source tree instead of the installed
# nginx; "make test TESTS='t/a.t t/b.t'" picks tests; "make matrix
# MATRIX='bookworm sid'" picks versions of nginx.
NGINX_SRC ?=
TESTS ?=
MATRIX ?=
JOBS ?=
GROUP ?= build
DESTDIR ?=
PORT ?=

export NGINX_SRC TESTS MATRIX JOBS DESTDIR PORT

all:
	@scripts/dev/build

setup:
	@scripts/dev/setup $(GROUP)

run:
	@scripts/dev/setup run
	@scripts/dev/build
	@scripts/dev/demo

test:
	@scripts/dev/setup test
	@scripts/dev/test

matrix:
	@scripts/dev/setup sanitize
	@scripts/dev/matrix

install:
	@scripts/dev/build
	@scripts/dev/install

lint:
	@scripts/dev/setup lint
	@scripts/dev/lint

bench:
	@scripts/dev/setup bench
	@scripts/dev/build
	@scripts/dev/bench

sanitize:
	@scripts/dev/setup sanitize
	@scripts/dev/sanitize

coverage:
	@scripts/dev/setup test
	@scripts/dev/coverage

mutants:
	@scripts/dev/setup test
	@scripts/dev/mutants

fuzz:
	@scripts/dev/setup fuzz
	@scripts/dev/fuzz

soak:
	@scripts/dev/setup test
	@scripts/dev/soak

clean:
	rm -rf build

.PHONY: all setup run test matrix install lint bench sanitize coverage fuzz
.PHONY: mutants soak clean
