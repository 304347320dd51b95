/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/libraries.h"

#include <ev.h>

#include "base/text.h"
#include "daemon/dnstap.h"
#include "daemon/tls.h"

void libraries_add(struct text *text)
{
    text_addf(text, "libev %d.%d (compiled with %d.%d)\n", ev_version_major(), ev_version_minor(),
        EV_VERSION_MAJOR, EV_VERSION_MINOR);
    text_addf(text, "dnstap %s\n", dnstap_is_built_in() ? "built in" : "not built in");
    text_addf(text, "%s (compiled with %s)\n", tls_library(), tls_library_compiled());
}
