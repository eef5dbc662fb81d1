#!/bin/sh
# Makes .venv and installs the pinned packages: `setup.sh venv|runtime|dev`. Each stage says what it does and what to do when it fails.
set -eu
VENV=.venv

fail() { printf '\nsetup: %s\n' "$1" >&2; exit 1; }

case "$1" in
venv)
    : "${PYTHON:=python3}"
    command -v "$PYTHON" >/dev/null 2>&1 || fail "$PYTHON was not found. Install Python 3.11 or newer (Debian: apt install python3 python3-venv)."
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$PYTHON is $("$PYTHON" -V 2>&1); Python 3.11 or newer is needed. Name another with: make PYTHON=python3.11 …"
    echo "setup: creating $VENV with $("$PYTHON" -V)"
    # A half-made environment (an interrupted run) is replaced, never repaired.
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV" || { rm -rf "$VENV"; fail "the environment could not be made here. Debian: apt install python3-venv; and check that this folder can be written."; }
    touch "$VENV/.python"
    ;;
runtime)
    echo "setup: installing the pinned packages (once; about a minute)"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-virtualenv -r requirements.lock ||
        fail "the packages could not be installed; see the lines above, then run make again."
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ||
        fail "the gwc command could not be installed; see the lines above."
    touch "$VENV/.runtime"
    ;;
dev)
    echo "setup: installing the pinned tools for tests and checks"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-virtualenv -r requirements-dev.lock ||
        fail "the tools could not be installed; see the lines above, then run make again."
    touch "$VENV/.dev"
    ;;
*)
    fail "unknown stage $1"
    ;;
esac
