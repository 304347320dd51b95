#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# specification.sh SOURCE BUILD: the packages' descriptions tell the same version as the program,
# rpm can read its one, and AppArmor the profile.
set -eu
source=$1
version=$("$2/mxcache" --version | sed -n '1s/^mxcache //p')
status=0

# version_compare FILE FOUND
version_compare() {
    if [ "$2" != "$version" ]; then
        echo "$1:1: tells version '$2', but the program is $version"
        status=1
    fi
}

version_compare debian/changelog \
    "$(sed -n '1s/^mxcache (\([^)]*\)).*/\1/p' "$source/debian/changelog")"
version_compare packaging/rpm/mxcache.spec \
    "$(sed -n 's/^Version: *//p' "$source/packaging/rpm/mxcache.spec")"
if command -v rpmspec >/dev/null; then
    rpmspec -P "$source/packaging/rpm/mxcache.spec" >/dev/null || status=1
fi
if command -v apparmor_parser >/dev/null; then
    apparmor_parser -Q -K -T "$source/packaging/apparmor/mxcache" 2>/dev/null || {
        echo "packaging/apparmor/mxcache:1: apparmor_parser cannot read it"
        status=1
    }
fi
exit $status
