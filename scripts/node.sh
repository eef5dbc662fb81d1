#!/bin/sh
# Installs what the tests run in Node beside ours: the packages of one folder, pinned by its lock file.
set -eu

if ! command -v npm >/dev/null 2>&1; then
    if [ -n "${CI:-}" ]; then
        echo "node: npm is not installed, and CI leaves out no test; install Node 20 or newer." >&2
        exit 1
    fi
    echo "node: there is no npm, so the tests that need $1 are left out."
    exit 0
fi
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || {
    echo "node: this is Node $(node --version); the packages of $1 need 20 or newer." >&2
    exit 1
}
echo "node: installing the packages of $1 (once)"
cd "$1"
npm ci --no-audit --no-fund --silent || {
    echo "node: the packages of $1 could not be installed; see the lines above, then run make again." >&2
    exit 1
}
touch node_modules/.package-lock.json
