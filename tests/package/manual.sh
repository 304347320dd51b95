#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# manual.sh SOURCE BUILD: mandoc finds nothing to warn of in the pages as they are installed.
set -eu
source=$1
build=$2
command -v mandoc >/dev/null || exit 77
command -v scdoc >/dev/null || exit 77

status=0
for page in "$source"/doc/*.scd; do
    name=$(basename "$page" .scd)
    # Some versions of mandoc do not like where scdoc begins its paragraphs.
    found=$(mandoc -Tlint -Wwarning "$build/doc/$name" | grep -v 'skipping paragraph macro' || true)
    if [ -n "$found" ]; then
        echo "$found"
        status=1
    fi
done
exit $status
