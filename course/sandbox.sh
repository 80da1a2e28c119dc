#!/usr/bin/env bash
# Installs bubblewrap, the sandbox that `course grade` runs hand-ins in, where that is possible; says what to do where not.
set -uo pipefail
if command -v bwrap >/dev/null; then
    echo 'bubblewrap, the sandbox of course grade, is there.'
    exit 0
fi
if [ "$(uname -s)" != Linux ]; then
    echo 'No sandbox: bubblewrap needs Linux. Tests of grading that need it are skipped.'
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'Installing bubblewrap, the sandbox of course grade'
    (apt-get install --yes bubblewrap libseccomp2 || { apt-get update && apt-get install --yes bubblewrap libseccomp2; }) \
        >/dev/null 2>&1 || echo 'bubblewrap could not be installed: tests of grading that need it are skipped.'
else
    echo 'No sandbox: install bubblewrap (Debian and Ubuntu: sudo apt install bubblewrap libseccomp2).'
fi
