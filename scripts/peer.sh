#!/bin/sh
# Installs the composer that the tests run beside ours (npm, pinned by its lock file) into the folder that is named.
set -eu

if ! command -v npm >/dev/null 2>&1; then
    if [ -n "${CI:-}" ]; then
        echo "peer: npm is not installed; CI compares our composition with another composer's, in Node 20 or newer." >&2
        exit 1
    fi
    echo "peer: there is no npm, so the tests that compare our composition with another composer's are left out."
    exit 0
fi
echo "peer: installing the composer that ours is compared with (once)"
cd "$1"
npm ci --no-audit --no-fund --silent || {
    echo "peer: the packages could not be installed; see the lines above, then run make again." >&2
    exit 1
}
