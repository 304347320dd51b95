#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# removal.sh SOURCE BUILD: what the packages run before they take the program away. It undoes the
# setup; by force only where resolv.conf has been edited and still leads to who is about to go.
set -eu
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0

# The program: undoing fails without force, and tells what it was asked.
mkdir "$folder/bin"
cat >"$folder/bin/mxcache" <<'PROGRAM'
#!/bin/sh
echo "$*" >>"$ASKED"
case $* in *--force) exit 0 ;; *) exit "$UNDO" ;; esac
PROGRAM
chmod +x "$folder/bin/mxcache"

here() {
    sed -e "s|/var/lib/mxcache-setup|$folder|g" -e "s|/etc/resolv.conf|$folder/resolv.conf|g" \
        -e 's|%{_sbindir}/||g' -e '/^#DEBHELPER#/d' -e '/^%systemd_preun/d'
}

here <"$source/debian/mxcache.prerm" >"$folder/prerm"
sed -n '/^%preun/,/^%systemd_preun/{/^%preun/d;p;}' "$source/packaging/rpm/mxcache.spec" |
    here >"$folder/preun"

# remove_expect RESOLV-CONF UNDO ASKED
remove_expect() {
    for script in 'prerm remove' 'preun 0'; do
        printf '%s\n' "$1" >"$folder/resolv.conf"
        : >"$folder/asked"
        ASKED=$folder/asked UNDO=$2 PATH=$folder/bin:$PATH \
            sh -e "$folder/${script% *}" "${script#* }" 2>"$folder/said" || {
            echo "$script fails: $(cat "$folder/said")"
            status=1
        }
        if [ "$(tr '\n' ';' <"$folder/asked")" != "$3" ]; then
            echo "$script with '$1': asked '$(cat "$folder/asked")', not '$3'"
            status=1
        fi
    done
}

remove_expect 'nameserver 127.0.0.1' 0 ''
touch "$folder/journal"
remove_expect 'nameserver 127.0.0.1' 0 'setup --undo;'
remove_expect 'nameserver 127.0.0.1' 74 'setup --undo;setup --undo --force;'
remove_expect 'nameserver ::1' 74 'setup --undo;setup --undo --force;'
remove_expect 'nameserver 127.0.0.53' 74 'setup --undo;'
remove_expect 'nameserver 192.0.2.1' 74 'setup --undo;'
exit $status
