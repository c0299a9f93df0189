#!/usr/bin/env bash
# Find the Chromium that the tests of pages run in, or install Debian's where that can be done.
# Without one those tests are left out, loudly; in continuous integration that is an error.
set -euo pipefail

fit() {
    local name
    for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
        command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1 && return 0
    done
    return 1
}

fit && exit 0
if [ "$(id -u)" = 0 ] && [ -z "${CHROMIUM:-}" ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the tests of pages."
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-liberation; } >/dev/null || true
    fit && exit 0
fi
echo "WITHOUT TESTS OF PAGES: no Chromium was found. Install one, such as chromium of Debian, or name it in CHROMIUM." >&2
[ -z "${CI:-}" ]
