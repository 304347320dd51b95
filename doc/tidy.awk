# SPDX-License-Identifier: BSD-2-Clause
# Takes out of what scdoc writes the paragraphs in which nothing stands: mandoc -Tlint complains of
# them. A .P is kept only when text comes next, and none opens a section; before an indented part
# the space is what is meant.
function flush_paragraph() {
    if (has_paragraph && !is_opening) {
        print ".P"
    }
    has_paragraph = 0
}

/^\.P$/ { has_paragraph = 1; next }
/^\.(SH|SS)( |$)/ { has_paragraph = 0; print; is_opening = 1; next }
/^\.RS( |$)/ && has_paragraph && !is_opening { print ".sp" }
/^\.(RS|RE|TP|IP)( |$)/ { has_paragraph = 0; print; is_opening = 0; next }
/^\.TH / { print; is_opening = 1; next }
{ flush_paragraph(); print; is_opening = 0 }
