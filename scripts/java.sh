#!/usr/bin/env bash
# Find the Java that Spark runs in, 17 or later, or install Debian's where that can be done.
# Without one the tests of Spark are left out, loudly; in continuous integration that is an error.
set -euo pipefail

oldest=17

fit() {
    local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    "$java" --add-modules jdk.incubator.vector -version 2>&1 | grep -Eq 'version "(1[7-9]|[2-9][0-9])'
}

fit && exit 0
if [ "$(id -u)" = 0 ] && [ -z "${JAVA_HOME:-}" ] && command -v apt-get >/dev/null; then
    echo "Installing Java for the tests of Spark."
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "openjdk-$oldest-jre-headless"; } >/dev/null || true
    fit && exit 0
fi
echo "WITHOUT TESTS OF SPARK: no Java $oldest or later was found. Install one, such as openjdk-$oldest-jre-headless of Debian." >&2
[ -z "${CI:-}" ]
