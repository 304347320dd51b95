#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# unit.sh SOURCE BUILD: systemd understands the units, and finds the service's exposure small.
set -eu
exposure_max=1.9
cd "$1/systemd"
command -v systemd-analyze >/dev/null || exit 77

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp mxcache* "$folder"
# The program is not installed here, and mxcache.sysusers is no unit.
sed -i "s|/usr/sbin/mxcache|$2/mxcache|" "$folder"/*.service
rm "$folder"/*.sysusers "$folder"/*.tmpfiles
for unit in "$folder"/*; do
    complaints=$(SYSTEMD_UNIT_PATH="$folder:" systemd-analyze verify --man=no \
        --recursive-errors=no "$unit" 2>&1 | grep -F "${unit##*/}" || true)
    if [ -n "$complaints" ]; then
        echo "$complaints"
        exit 1
    fi
done

exposure=$(systemd-analyze security --offline=yes "$folder/mxcache.service" |
    sed -n 's/.*Overall exposure level for mxcache.service: \([0-9.]*\).*/\1/p')
echo "exposure $exposure, at most $exposure_max"
echo "$exposure" | awk -v max="$exposure_max" '{ exit !($1 > 0 && $1 <= max) }'
