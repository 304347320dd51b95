#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# words.sh SOURCE BUILD: what the program says to a command line that is wrong, or to a full disk.
# The backquotes are what the program writes.
# shellcheck disable=SC2016
set -eu
program=$2/mxcache
status=0

# expect CODE PART WORD...: the exit code, and a part of what is said on either side.
expect() {
    wanted=$1
    part=$2
    shift 2
    code=0
    said=$("$program" "$@" 2>&1 </dev/null) || code=$?
    case $said in
    *"$part"*) ;;
    *) code="$code, without \`$part\`" ;;
    esac
    if [ "$code" != "$wanted" ]; then
        printf 'mxcache %s gave %s:\n%s\n' "$*" "$code" "$said"
        status=1
    fi
}

# A name that is half wrong is no slip of the fingers.
expect 64 'did you mean `stats`?' sta
expect 64 'did you mean `flush`?' fluhs
expect 64 '`mxcache --help` lists them' foo
expect 0 'usage: mxcache SUBCOMMAND' help
expect 0 'usage: mxcache lookup' help lookup
expect 64 'did you mean `lookup`?' help lokup

# The doctor says what it cannot look at instead of finding it well.
expect 66 'the log /nonexistent cannot be read: No such file' doctor --offline --log /nonexistent
expect 66 'the log / cannot be read: Is a directory' doctor --offline --log /
expect 64 '--port goes with --capture' doctor --port 2500
expect 64 'this is no domain name' doctor --domain a..b

# What cannot be written is said, by whichever command.
for words in 'doctor --offline --json mx-conf' 'conf -d' '--version'; do
    # shellcheck disable=SC2086
    said=$("$program" $words 2>&1 >/dev/full || true)
    if [ "$said" != 'mxcache: the output cannot be written: is the disk full?' ]; then
        printf 'mxcache %s on a full disk said: %s\n' "$words" "$said"
        status=1
    fi
done
exit $status
