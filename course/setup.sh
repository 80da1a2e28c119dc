#!/usr/bin/env bash
# Makes .venv and installs the locked requirements files given as arguments, telling each step and what it takes.
# Called by the Makefile, which passes PYTHON (the interpreter to build on) and BIN (.venv/bin or .venv/Scripts).
set -euo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
step() { printf '\n[%s/4] %s\n' "$1" "$2"; }
fail() { printf '\nSet-up stopped: %s\n' "$1" >&2; exit 1; }

command -v "$PYTHON" >/dev/null || fail "there is no '$PYTHON' here. Install Python 3.11, 3.12 or 3.13, or name yours: make PYTHON=/path/to/python3.12"
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
    fail "$("$PYTHON" --version) was found, and the course needs 3.11, 3.12 or 3.13. Name another: make PYTHON=python3.12"

step 1 "Making .venv with $("$PYTHON" --version) (a few seconds)"
"$PYTHON" -m venv .venv || fail "'$PYTHON -m venv' failed. On Debian and Ubuntu: apt install python3-venv"

step 2 'Installing uv, the package installer (20 MB)'
# The lock's own entry for uv, so that the installer too is checked against its hash.
sed -n '/^uv==/,/[^\\]$/p' requirements.txt >.venv/uv.txt
"$BIN/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt ||
    fail 'uv could not be downloaded: see the message above. With the network back, run the same command again.'

step 3 "Installing $(cat "$@" | grep -c '^[a-z0-9].*==') locked packages (about 3 GB on disk; 1 to 5 minutes)"
# uv does not read pip's settings: a mirror set for pip is passed on to it.
index=$("$BIN/python" -m pip config get global.index-url 2>/dev/null || true)
if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then export UV_DEFAULT_INDEX=$index; fi
export VIRTUAL_ENV=.venv UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180}
for requirements in "$@"; do
    "$BIN/uv" pip install --require-hashes --requirement "$requirements" ||
        fail "the packages of $requirements could not be installed: see the message above. What was downloaded is kept: run the same command again."
done

step 4 'Installing the course command'
"$BIN/uv" pip install --quiet --no-deps --no-build-isolation --reinstall --editable . || fail 'the course package did not install: see the message above.'

printf '\nSet-up done in %d s. It is not repeated until the requirements change.\n' $((SECONDS - started))
printf 'Next: source %s/activate, then course lab.\n\n' "$BIN"
