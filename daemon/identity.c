/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/trouble.h"

bool identity_find(const char *user, struct identity *identity_out, struct trouble *trouble)
{
    *identity_out = (struct identity){.uid = geteuid(), .gid = getegid()};
    if (user[0] == '\0' || geteuid() != 0) {
        return true;
    }
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (entry == NULL && (errno == ENOMEM || errno == EMFILE || errno == ENFILE)) {
        trouble_set(trouble, EX_OSERR, "cannot find the user `%s`: %s.", user, strerror(errno));
        return false;
    }
    if (entry == NULL) {
        trouble_set(trouble, EX_CONFIG,
            "there is no user `%s` to become. Create it (useradd --system --no-create-home %s), "
            "set "
            "`user` to one that exists, or leave `user` empty to stay root.",
            user, user);
        return false;
    }
    identity_out->is_changing = entry->pw_uid != 0;
    identity_out->uid = entry->pw_uid;
    identity_out->gid = entry->pw_gid;
    return true;
}

bool identity_take(const struct identity *identity, struct trouble *trouble)
{
    if (identity->is_changing) {
        bool is_taken = setgroups(1, &identity->gid) == 0 &&
                        setresgid(identity->gid, identity->gid, identity->gid) == 0 &&
                        setresuid(identity->uid, identity->uid, identity->uid) == 0;
        if (!is_taken || setuid(0) == 0) {
            trouble_set(trouble, EX_NOPERM,
                "cannot become user %lu: %s. Give the program CAP_SETUID and CAP_SETGID, start it "
                "as that user, or leave `user` empty.",
                (unsigned long)identity->uid, strerror(errno));
            return false;
        }
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        trouble_set(trouble, EX_OSERR, "cannot give up new privileges: %s.", strerror(errno));
        return false;
    }
    /* The memory tells whom this host exchanges mail with, and holds the keys of paid lists. A
     * limit of the core's size does not hold where cores go into a pipe (core(5)). */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        trouble_set(trouble, EX_OSERR, "cannot give up core dumps: %s.", strerror(errno));
        return false;
    }
    return true;
}
