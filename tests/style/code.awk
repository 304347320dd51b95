# SPDX-License-Identifier: BSD-2-Clause
#
# What the style tests share: reading C line by line, and complaining. Each script prepends this
# file to its own program. POSIX awk; no intervals in patterns, because mawk has none.

BEGIN {
    failed = 0
}

# A finding, in the form that editors and terminals turn into a link.
function complain_at(file, line, sentence) {
    printf "%s:%d: %s\n", file, line, sentence
    failed = 1
}

function complain(sentence) {
    complain_at(FILENAME, FNR, sentence)
}

# The line without comments and with empty literals. To be called once for every line of a file,
# since a block comment is remembered from one line to the next.
function code(line,    out, token, rest) {
    if (FNR == 1) {
        in_comment = 0
    }
    out = ""
    while (line != "") {
        if (in_comment) {
            if (!match(line, /\*\//)) {
                return out
            }
            in_comment = 0
            out = out " "
            line = substr(line, RSTART + 2)
            continue
        }
        if (!match(line, /\/\*|\/\/|"|\047/)) {
            return out line
        }
        token = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        rest = substr(line, RSTART)
        if (token == "/*") {
            in_comment = 1
            line = substr(rest, 3)
        } else if (token != "//" && match(rest, /^("([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047)/)) {
            out = out token token
            line = substr(rest, RLENGTH + 1)
        } else {
            return out
        }
    }
    return out
}

# The file that an #include line names: <x.h> or "x.h" with its delimiters, or "" for other lines.
function included(line,    name) {
    if (line !~ /^[ \t]*#[ \t]*include[ \t]/ || !match(line, /<[^>]*>|"[^"]*"/)) {
        return ""
    }
    name = substr(line, RSTART, RLENGTH)
    return name
}

function unquoted(name) {
    return substr(name, 2, length(name) - 2)
}

# The first folder of a path: the floor, or "tests".
function floor_of(path,    parts) {
    return split(path, parts, "/") > 1 ? parts[1] : ""
}
