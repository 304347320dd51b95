/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/trouble.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/stats_cell.h"
#include "cmd/stats_read.h"
#include "cmd/top_view.h"

#define TOP_OUTPUT_SIZE   (256 << 10)
#define TOP_INTERVAL_MAX  60
#define TOP_COLUMNS_USUAL 80
#define TOP_ROWS_USUAL    24

/* The other screen of the terminal, without a cursor; and back. */
#define TOP_ENTER "\033[?1049h\033[?25l"
#define TOP_LEAVE "\033[?25h\033[?1049l"

static const char top_usage[] =
    "usage: mxcache top [-s SOCKET | -c FILE]\n"
    "\n"
    "A live screen: rates, how long each class of question waits and how that went lately,\n"
    "the slowest servers and lists. q leaves, space stops and goes on, + and - change the\n"
    "interval.\n"
    "\n" CLIENT_USAGE;

static const struct option top_options[] = {CLIENT_LONG_OPTIONS, {NULL, 0, NULL, 0}};

struct top {
    struct client_place place;
    char socket[SETTINGS_PATH_SIZE];
    struct top_view *view;
    struct stats_view *look;
    char *output;
    struct stats_style style;
    struct termios before;
    int signals; /* A signalfd: the end, a rest, and changes of the terminal's size. */
    int64_t looked_at;
};

static bool top_complain(const char *sentence)
{
    (void)fprintf(stderr, "mxcache top: %s\n", sentence);
    return false;
}

static struct top_size top_size_now(void)
{
    struct winsize window;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 ||
        window.ws_row == 0) {
        return (struct top_size){.columns = TOP_COLUMNS_USUAL, .rows = TOP_ROWS_USUAL};
    }
    return (struct top_size){.columns = window.ws_col, .rows = window.ws_row};
}

/* False: nobody reads any more. */
static bool top_draw(struct top *top)
{
    struct top_size size = top_size_now();
    struct text text;
    text_init(&text, top->output, TOP_OUTPUT_SIZE);
    text_add(&text, "\033[H");
    top_view_add(&text, &top->style, top->view, &size);
    return fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
}

/* A daemon that is being restarted is waited for. */
static void top_look(struct top *top)
{
    struct reply reply;
    struct trouble trouble;
    int64_t now = clock_now();
    bool is_read = client_ask(top->socket, "stats", &reply, &trouble) && !reply.is_refused &&
                   stats_read(&reply, top->look);
    reply_fini(&reply);
    if (is_read) {
        top_view_take(top->view, top->look, (uint64_t)(now - top->looked_at));
    } else {
        top_view_miss(top->view);
    }
    top->looked_at = now;
}

/* Keys as they are pressed, and nothing echoed. */
static bool top_take_terminal(struct top *top)
{
    if (tcgetattr(STDIN_FILENO, &top->before) != 0) {
        return false;
    }
    struct termios raw = top->before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0 && fputs(TOP_ENTER, stdout) >= 0;
}

static void top_give_terminal(const struct top *top)
{
    (void)fputs(TOP_LEAVE, stdout);
    (void)fflush(stdout);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &top->before);
}

/* False: the user wants to leave. */
static bool top_take_key(struct top *top, char key)
{
    struct top_view *view = top->view;
    switch (key) {
    case 'q':
    case 'Q':
    case '\003': /* Control-C, where the terminal does not make a signal of it. */
        return false;
    case ' ':
        view->is_paused = !view->is_paused;
        return true;
    case '+':
        view->interval_s += view->interval_s < TOP_INTERVAL_MAX ? 1 : 0;
        return true;
    case '-':
        view->interval_s -= view->interval_s > 1 ? 1 : 0;
        return true;
    }
    return true;
}

static bool top_read_keys(struct top *top)
{
    char keys[16];
    ssize_t got = read(STDIN_FILENO, keys, sizeof keys);
    if (got <= 0) {
        return got < 0 && (errno == EINTR || errno == EAGAIN);
    }
    for (ssize_t i = 0; i < got; i++) {
        if (!top_take_key(top, keys[i])) {
            return false;
        }
    }
    return true;
}

/* Control-Z: the shell gets its terminal as it was, and we take it again when we go on. False: it
 * is no longer there. */
static bool top_rest(struct top *top)
{
    top_give_terminal(top);
    (void)raise(SIGSTOP);
    return top_take_terminal(top);
}

/* True: only the size has changed, or we have rested. */
static bool top_read_signal(struct top *top)
{
    struct signalfd_siginfo info;
    if (read(top->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    return info.ssi_signo == SIGWINCH || (info.ssi_signo == SIGTSTP && top_rest(top));
}

/* Waits for a key, a signal or the next look. False: the end. */
static bool top_wait(struct top *top)
{
    struct pollfd wakes[2] = {
        {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = top->signals, .events = POLLIN}};
    int64_t due = top->looked_at + (int64_t)top->view->interval_s * CLOCK_US_PER_S;
    int64_t left_ms = (due - clock_now() + 999) / CLOCK_US_PER_MS;
    int timeout = top->view->is_paused ? -1 : left_ms < 0 ? 0 : (int)left_ms;
    int ready = poll(wakes, 2, timeout);
    if (ready < 0) {
        return errno == EINTR;
    }
    if (wakes[1].revents != 0 && !top_read_signal(top)) {
        return false;
    }
    if (wakes[0].revents != 0 && !top_read_keys(top)) {
        return false;
    }
    if (!top->view->is_paused && clock_now() >= due) {
        top_look(top);
    }
    return true;
}

static int top_open_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGWINCH);
    (void)sigaddset(&set, SIGTSTP);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGQUIT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int top_show(struct top *top)
{
    struct reply reply;
    /* Whoever reads a pipe may leave early, and our end would leave the terminal without an echo.
     */
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
        (void)top_complain("it needs a terminal; `mxcache stats --watch` does not.");
        return EX_USAGE;
    }
    int exit_code = client_run(&top->place, "ping", &reply);
    reply_fini(&reply);
    if (exit_code != EX_OK || !client_find(&top->place, top->socket)) {
        return exit_code;
    }
    top->signals = top_open_signals();
    if (top->signals < 0 || !top_take_terminal(top)) {
        (void)top_complain("the terminal cannot be used; `mxcache stats --watch` needs none.");
        return EX_OSERR;
    }
    top_look(top);
    bool goes_on = true;
    while (goes_on && top_draw(top)) {
        goes_on = top_wait(top);
    }
    top_give_terminal(top);
    return EX_OK;
}

static bool top_read_line(struct top *top, int argc, char **argv, bool *wants_help_out)
{
    int option;
    while ((option = getopt_long(argc, argv, CLIENT_SHORT_OPTIONS, top_options, NULL)) != -1) {
        if (option == 'h') {
            *wants_help_out = true;
        } else if (!client_take_option(&top->place, option, optarg)) {
            return false;
        }
    }
    return optind == argc || top_complain("too many words; see --help.");
}

int top_main(int argc, char **argv)
{
    struct top top = {.signals = -1};
    bool wants_help = false;
    if (!top_read_line(&top, argc, argv, &wants_help)) {
        return EX_USAGE;
    }
    if (wants_help) {
        (void)fputs(top_usage, stdout);
        return EX_OK;
    }
    const char *no_colour = getenv("NO_COLOR");
    top.style = (struct stats_style){
        .is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .has_colour = no_colour == NULL || no_colour[0] == '\0',
    };
    top.view = calloc(1, sizeof *top.view);
    top.look = calloc(1, sizeof *top.look);
    top.output = malloc(TOP_OUTPUT_SIZE);
    int exit_code = EX_OSERR;
    if (top.view == NULL || top.look == NULL || top.output == NULL) {
        (void)top_complain("out of memory.");
    } else {
        top.view->interval_s = 1;
        exit_code = top_show(&top);
    }
    free(top.view);
    free(top.look);
    free(top.output);
    return exit_code;
}
