# SPDX-License-Identifier: BSD-2-Clause
# bash completion for mxcache(8). Subcommands, options and settings are asked of the program itself.

_mxcache_subcommands() {
    mxcache --help 2>/dev/null | awk '/^  [a-z]/ { print $1 }'
}

_mxcache_options() {
    mxcache "$1" --help 2>/dev/null |
        awk '/^ +-/ { for (i = 1; i <= 2; i++) { sub(/,$/, "", $i); if ($i ~ /^-/) print $i } }'
}

_mxcache_settings() {
    mxcache conf -d 2>/dev/null | awk '$2 == "=" { print $1 "=" }' | sort -u
}

# The words that may stand after those typed so far, given the one before.
_mxcache_words() {
    local subcommand=$1 previous=$2 current=$3
    case $previous in
    -c | --config | -s | --socket | -l | --log | --root)
        compgen -f -- "$current"
        return
        ;;
    -o | --option)
        compgen -W "$(_mxcache_settings)" -- "$current"
        return
        ;;
    esac
    case $subcommand:$current in
    :-*) compgen -W '--help --version' -- "$current" ;;
    :*) compgen -W "$(_mxcache_subcommands)" -- "$current" ;;
    *:-*) compgen -W "$(_mxcache_options "$subcommand")" -- "$current" ;;
    check:*) compgen -f -- "$current" ;;
    doctor:*)
        compgen -W "$(mxcache doctor --list 2>/dev/null | awk '/^[a-z]/ { print $1 }')" -- "$current"
        ;;
    lookup:*) compgen -W 'A AAAA MX NS PTR SOA SRV TLSA TXT' -- "$current" ;;
    esac
}

_mxcache() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} subcommand=
    if [ "$COMP_CWORD" -gt 1 ]; then
        subcommand=${COMP_WORDS[1]}
    fi
    mapfile -t COMPREPLY < <(_mxcache_words "$subcommand" "$previous" "$current")
    # A setting's name is followed by its value, not by a blank.
    if [[ ${COMPREPLY[*]} == *= ]]; then
        compopt -o nospace 2>/dev/null || true
    fi
}

complete -o filenames -F _mxcache mxcache
