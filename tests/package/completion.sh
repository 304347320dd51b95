#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# completion.sh SOURCE BUILD: bash offers every subcommand and every option that --help tells.
set -euo pipefail
source=$1
export PATH=$2:$PATH
# shellcheck source=/dev/null
. "$source/doc/completion/mxcache.bash"
status=0

# complete_line WORD...: what is offered for the last word.
complete_line() {
    COMP_WORDS=(mxcache "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _mxcache
}

# expect_offer WANTED WORD...
expect_offer() {
    local wanted=$1
    shift
    complete_line "$@"
    if [[ " ${COMPREPLY[*]} " != *" $wanted "* ]]; then
        echo "doc/completion/mxcache.bash:1: 'mxcache $*' does not offer $wanted: ${COMPREPLY[*]}"
        status=1
    fi
}

expect_offer stats st
expect_offer --version --v
expect_offer --under flush --u
expect_offer answer_deadline= serve -o answer
expect_offer MX lookup example.org M
expect_offer mx-conf doctor mx-

count=0
while read -r subcommand _; do
    expect_offer "$subcommand" "${subcommand:0:2}"
    while read -r option; do
        expect_offer "$option" "$subcommand" "${option:0:3}"
        count=$((count + 1))
    done < <(mxcache "$subcommand" --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' |
        grep -oE -- '--[a-z-]+')
done < <(mxcache --help | grep -E '^  [a-z]')
echo "$count options offered"
[ "$count" -ge 30 ] || status=1

if command -v zsh >/dev/null; then
    zsh -n "$source/doc/completion/_mxcache" || status=1
fi
exit $status
