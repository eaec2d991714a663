# Each command is a script in scripts/; "make setup GROUP=lint" installs the
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
	@scripts/build

setup:
	@scripts/setup $(GROUP)

run:
	@scripts/setup run
	@scripts/build
	@scripts/demo

test:
	@scripts/setup test
	@scripts/test

matrix:
	@scripts/setup sanitize
	@scripts/matrix

install:
	@scripts/build
	@scripts/install

lint:
	@scripts/setup lint
	@scripts/lint

bench:
	@scripts/setup bench
	@scripts/build
	@scripts/bench

sanitize:
	@scripts/setup sanitize
	@scripts/sanitize

coverage:
	@scripts/setup test
	@scripts/coverage

mutants:
	@scripts/setup test
	@scripts/mutants

fuzz:
	@scripts/setup fuzz
	@scripts/fuzz

soak:
	@scripts/setup test
	@scripts/soak

clean:
	rm -rf build

.PHONY: all setup run test matrix install lint bench sanitize coverage fuzz
.PHONY: mutants soak clean
