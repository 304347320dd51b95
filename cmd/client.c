/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/client.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/trouble.h"
#include "cmd/configuration.h"

#define CLIENT_READ_SIZE    4096
#define CLIENT_COMMAND_SIZE 2048

/* One conversation. */
struct client {
    const char *path;
    int fd;
    int64_t ends_at;
    struct trouble *trouble;
};

bool client_take_option(struct client_place *place, int option, const char *argument)
{
    if (option == 's') {
        place->socket = argument;
    } else if (option == 'c') {
        place->file = argument;
    } else {
        return false;
    }
    return true;
}

/* The group that may talk to the daemon: the socket's, or its folder's when that is all we see. */
static bool client_group(const char *path, char *name_out, size_t size)
{
    char folder[SETTINGS_PATH_SIZE];
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder) {
        *slash = '\0';
    }
    struct stat status;
    if (stat(path, &status) != 0 && stat(folder, &status) != 0) {
        return false;
    }
    const struct group *group = status.st_gid != 0 ? getgrgid(status.st_gid) : NULL;
    if (group == NULL) {
        return false;
    }
    (void)snprintf(name_out, size, "%s", group->gr_name);
    return true;
}

static void client_explain_permission(struct client *client)
{
    char group[64];
    if (client_group(client->path, group, sizeof group)) {
        trouble_set(client->trouble, EX_NOPERM,
            "no permission to use the control socket %s: run this as root, or join the group `%s`"
            " (adduser USER %s) and log in again",
            client->path, group, group);
    } else {
        trouble_set(client->trouble, EX_NOPERM,
            "no permission to use the control socket %s: run this as root", client->path);
    }
}

/* connect(2) refuses what is no socket as it refuses a socket that nobody listens on. */
static bool client_is_no_socket(const struct client *client)
{
    struct stat status;
    return stat(client->path, &status) == 0 && !S_ISSOCK(status.st_mode);
}

static void client_explain(struct client *client, int error)
{
    if (error == EACCES || error == EPERM) {
        client_explain_permission(client);
    } else if (error == ECONNREFUSED && client_is_no_socket(client)) {
        trouble_set(client->trouble, EX_UNAVAILABLE,
            "%s is no socket: name the daemon's control socket with -s", client->path);
    } else if (error == ENOENT) {
        trouble_set(client->trouble, EX_UNAVAILABLE,
            "there is no control socket %s, so the daemon does not run. Start it (systemctl start"
            " mxcache), or name the socket with -s",
            client->path);
    } else if (error == ECONNREFUSED) {
        trouble_set(client->trouble, EX_UNAVAILABLE,
            "nobody listens on the control socket %s: the daemon has ended. Start it (systemctl"
            " start mxcache; journalctl -u mxcache tells why it ended)",
            client->path);
    } else if (error == ETIMEDOUT || error == EAGAIN) {
        trouble_set(client->trouble, EX_UNAVAILABLE,
            "the daemon behind %s gave no answer within %d s: it hangs, or is overloaded",
            client->path, CLIENT_LIMIT_S);
    } else {
        trouble_set(client->trouble, EX_UNAVAILABLE, "cannot use the control socket %s: %s",
            client->path, strerror(error));
    }
}

static bool client_connect(struct client *client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(client->path);
    if (len == 0 || len >= sizeof address.sun_path) {
        trouble_set(client->trouble, EX_USAGE,
            "`%.200s` cannot be a control socket: its path must have 1 to %zu bytes", client->path,
            sizeof address.sun_path - 1);
        return false;
    }
    memcpy(address.sun_path, client->path, len);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->fd < 0 ||
        connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        client_explain(client, errno);
        return false;
    }
    return true;
}

/* Waits until the socket is ready, or the time is up. */
static bool client_wait(struct client *client, short events)
{
    struct pollfd poller = {.fd = client->fd, .events = events};
    for (;;) {
        int64_t left_us = client->ends_at - clock_now();
        if (left_us <= 0) {
            client_explain(client, ETIMEDOUT);
            return false;
        }
        int ready = poll(&poller, 1, (int)(left_us / CLOCK_US_PER_MS) + 1);
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            client_explain(client, errno);
            return false;
        }
    }
}

static bool client_send(struct client *client, const char *command)
{
    char line[CLIENT_COMMAND_SIZE];
    int len = snprintf(line, sizeof line, "%s\n", command);
    if (len < 0 || (size_t)len >= sizeof line) {
        trouble_set(client->trouble, EX_USAGE, "the question is too long");
        return false;
    }
    size_t sent = 0;
    while (sent < (size_t)len) {
        if (!client_wait(client, POLLOUT)) {
            return false;
        }
        ssize_t count = send(client->fd, line + sent, (size_t)len - sent, MSG_NOSIGNAL);
        if (count >= 0) {
            sent += (size_t)count;
        } else if (errno != EAGAIN && errno != EINTR) {
            client_explain(client, errno);
            return false;
        }
    }
    return true;
}

static bool client_receive(struct client *client, struct reply *reply)
{
    while (!reply_is_whole(reply)) {
        char bytes[CLIENT_READ_SIZE];
        if (!client_wait(client, POLLIN)) {
            return false;
        }
        ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (count < 0) {
            client_explain(client, errno);
            return false;
        }
        if (count == 0) {
            trouble_set(client->trouble, EX_UNAVAILABLE,
                "the daemon behind %s hung up in the middle of its answer: it is busy with others,"
                " or ending; try again",
                client->path);
            return false;
        }
        if (!reply_add(reply, bytes, (size_t)count)) {
            trouble_set(client->trouble, EX_PROTOCOL,
                "the answer from %s is longer than any mxcache gives: is it another program's"
                " socket?",
                client->path);
            return false;
        }
    }
    return true;
}

bool client_ask(
    const char *path, const char *command, struct reply *reply_out, struct trouble *trouble_out)
{
    struct client client = {
        .path = path,
        .fd = -1,
        .ends_at = clock_now() + CLIENT_LIMIT_S * CLOCK_US_PER_S,
        .trouble = trouble_out,
    };
    *reply_out = (struct reply){.bytes = NULL};
    bool is_well = client_connect(&client) && client_send(&client, command) &&
                   client_receive(&client, reply_out);
    if (is_well && !reply_open(reply_out)) {
        trouble_set(trouble_out, EX_PROTOCOL,
            "what answers on %s does not speak as mxcache does: is it another program's socket?",
            path);
        is_well = false;
    }
    if (client.fd >= 0) {
        (void)close(client.fd);
    }
    if (!is_well) {
        reply_fini(reply_out);
    }
    return is_well;
}

/* The default file is only a hint: who may not read it can still talk to a daemon of defaults. */
static bool client_find_socket(const struct client_place *place, char path_out[SETTINGS_PATH_SIZE])
{
    struct settings_source source = {
        .file = place->file != NULL ? place->file : CONFIGURATION_FILE,
        .is_file_optional = place->file == NULL,
    };
    struct configuration *configuration = configuration_new(&source);
    if (!configuration->is_good && place->file == NULL) {
        (void)fprintf(stderr,
            "mxcache: %s cannot be used (mxcache check tells why); trying the default control"
            " socket.\n",
            source.file);
        configuration_free(&configuration);
        configuration = configuration_new(&(struct settings_source){.file = NULL});
    }
    bool is_good = configuration->is_good;
    if (is_good) {
        (void)snprintf(path_out, SETTINGS_PATH_SIZE, "%s", configuration->settings.control_socket);
    } else {
        configuration_print_findings(configuration, stderr);
        (void)fputs("mxcache: so the control socket is not known; name it with -s.\n", stderr);
    }
    configuration_free(&configuration);
    return is_good;
}

bool client_find(const struct client_place *place, char path_out[SETTINGS_PATH_SIZE])
{
    if (place->socket == NULL) {
        return client_find_socket(place, path_out);
    }
    (void)snprintf(path_out, SETTINGS_PATH_SIZE, "%s", place->socket);
    return true;
}

/* Some sentences end with a question, and need no full stop. */
static void client_print(const char *by, const char *sentence)
{
    size_t len = strlen(sentence);
    bool is_question = len > 0 && sentence[len - 1] == '?';
    (void)fprintf(stderr, "mxcache: %s%s%s\n", by, sentence, is_question ? "" : ".");
}

int client_run(const struct client_place *place, const char *command, struct reply *reply_out)
{
    static const char refused[] = "not permitted";
    char path[SETTINGS_PATH_SIZE];
    struct trouble trouble;
    *reply_out = (struct reply){.bytes = NULL};
    if (!client_find(place, path)) {
        return EX_CONFIG;
    }
    if (!client_ask(path, command, reply_out, &trouble)) {
        client_print("", trouble.sentence);
        return trouble.exit_code;
    }
    if (reply_out->is_refused) {
        client_print("the daemon says: ", reply_out->sentence);
        return strncmp(reply_out->sentence, refused, sizeof refused - 1) == 0 ? EX_NOPERM
                                                                              : EX_UNAVAILABLE;
    }
    return EX_OK;
}

int client_complain_reply(const char *subcommand)
{
    (void)fprintf(stderr,
        "mxcache %s: the daemon's answer cannot be read: it may be of another version. Restart it"
        " (systemctl restart mxcache).\n",
        subcommand);
    return EX_PROTOCOL;
}
