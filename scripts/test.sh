#!/bin/sh
# All tests, in two processes side by side: what one says is shown as it runs, what the other says when both have ended.
# A part of them by itself: .venv/bin/pytest tests/gateway
set -u
BESIDE="tests/adapters tests/contract tests/fuzz tests/horizontal tests/subgraphs"

said=$(mktemp)
# shellcheck disable=SC2086
.venv/bin/pytest -p no:cacheprovider $BESIDE >"$said" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null; rm -f "$said"' EXIT
trap 'exit 130' INT TERM

left_out=""
for one in $BESIDE; do left_out="$left_out --ignore=$one"; done
# shellcheck disable=SC2086
.venv/bin/pytest -p no:cacheprovider $left_out tests
shown=$?
wait "$beside"
told=$?
cat "$said"
[ "$shown" -eq 0 ] && [ "$told" -eq 0 ]
