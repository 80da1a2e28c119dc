#!/usr/bin/env bash
# Installs Chromium, in which tests look at the site, where that is possible; says what to do where not.
set -uo pipefail
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'Installing Chromium, in which tests look at the site'
    (apt-get install --yes chromium || { apt-get update && apt-get install --yes chromium; }) >/dev/null 2>&1 ||
        echo 'Chromium could not be installed: tests of the site in a browser are skipped.'
else
    echo 'No Chromium: tests of the site in a browser are skipped (Debian: sudo apt install chromium).'
fi
