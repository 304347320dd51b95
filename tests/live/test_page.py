# SPDX-License-Identifier: BSD-2-Clause
"""The page for people, as a browser shows it: on a desk and on a phone, by day and by night.

With --show as last argument, it prints each picture in base64, one a line."""

import base64
import collections
import json
import pathlib
import sys
import urllib.error
import urllib.request

import browser
import dnswire
import live
from live import expect, expect_equal

DEBS = pathlib.Path(sys.argv[4])
SERVER = ("127.0.0.1", 53)
URL = "http://127.0.0.1:9153/"
HOSTILE = "<img/src=x>.example"  # What a stranger may call a list.
ZONE = f"""example.org. 3600 SOA ns.example.org. host.example.org. 1 3600 900 604800 300
example.org. 3600 MX 10 mail.example.org.
example.org. 3600 TXT "v=spf1 mx -all"
mail.example.org. 3600 A 192.0.2.7
mail.example.org. 3600 AAAA 2001:db8::7
_25._tcp.mail.example.org. 3600 TLSA 3 1 1 00
example. 3600 SOA ns.example. host.example. 1 3600 900 604800 300
2.0.0.127.bl.example. 3600 A 127.0.0.2
""" + "".join(f"{number}.3.2.1.{HOSTILE}. 3600 A 127.0.0.2\n" for number in range(40))
CONFIG = f"""listen = 127.0.0.1
upstreams = 127.0.0.2@53
control_socket = {live.SOCKET}
metrics_listen = 127.0.0.1@9153 192.0.2.25@9153
list_tests = no
ahead = no
[upstream office]
servers = 127.0.0.9@53
[zone corp.example]
upstream = office
[list bl.example]
kind = ip
"""
# What each text has behind it, the nearest paper below it: the least contrast of all of them
# (WCAG 2.1, 1.4.3).
CONTRAST = """(() => {
    const light = c => {
        const p = c.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
        return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2];
    };
    const paper = e => {
        for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (!/, 0[)]$/.test(c)) return c;
        }
        return 'rgb(255, 255, 255)';
    };
    let least = [99, ''];
    for (const e of document.body.querySelectorAll('*')) {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        if (!own || e.tagName === 'title') continue;
        const style = getComputedStyle(e);
        const ink = e.closest('svg') ? style.fill : style.color;
        const a = light(ink), b = light(paper(e));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < least[0]) least = [ratio, e.tagName + '.' + e.className + ' ' + e.textContent];
    }
    return least;
})()"""
# Texts that are cut off or run into each other: what is wider than its own box.
WIDE = """[...document.querySelectorAll('body *:not(svg *)')]
    .filter(e => !e.closest('.scroll') && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
    .map(e => e.tagName + '.' + e.className)"""


def ask(name, kind, times=1):
    for _ in range(times):
        dnswire.ask_udp(SERVER, name, kind, timeout=10)


def a_house_with_a_past():
    live.Upstream("upstream", ZONE, "127.0.0.2@53")
    daemon = live.Daemon("mxcache", CONFIG).wait_ready()
    ask("example.org", "MX", 40)
    ask("example.org", "TXT", 5)
    ask("mail.example.org", "A", 25)
    ask("mail.example.org", "AAAA", 3)
    ask("2.0.0.127.bl.example", "A", 12)
    ask("host.corp.example", "A")  # Nobody is there: SERVFAIL.
    for number in range(40):
        ask(f"{number}.3.2.1.{HOSTILE}", "A")
    stats = daemon.stats()
    expect(stats["health"], "there is a health")
    browser.install(sorted(DEBS.glob("*.deb")))
    folder = live.LOGS / "browser"
    folder.mkdir()
    WINDOW.append(browser.Browser(folder))


WINDOW = []
SHOTS = {}


def cells(window):
    """The text of each table by its heading: rows of cells, narrow spaces taken out."""
    return json.loads(
        window.value(
            """JSON.stringify(Object.fromEntries([...document.querySelectorAll('section')]
            .filter(s => s.querySelector('table')).map(s => [s.querySelector('h2').textContent,
            [...s.querySelectorAll('tbody tr')].map(r => [...r.cells].map(
            c => c.textContent.replace(/\\u202f/g, '')))])))"""
        )
    )


def the_numbers_are_those_that_were_asked():
    window = WINDOW[0]
    window.show(URL, 1200, 900, "light")
    tables = cells(window)
    kinds = {row[0]: row for row in tables["Questions by kind"]}
    expect_equal(kinds["mx"][1:3], ["40", "97.5%"], "the MX questions")
    expect_equal(kinds["txt"][1:3], ["5", "80.0%"], "the TXT questions")
    expect_equal(kinds["aaaa"][1], "3", "the AAAA questions")
    lists = {row[0]: row for row in tables["DNS lists"]}
    expect_equal(lists["bl.example"][1:5], ["well", "12", "91.6%", "12"], "the list")
    servers = {row[0]: row for row in tables["Upstream servers"]}
    expect_equal(servers["127.0.0.2@53"][1:3], ["default", "well"], "the server that answers")
    expect("127.0.0.9@53" in servers, "the silent server is shown")
    wrong = window.value("document.querySelector('ul').textContent")
    expect("SERVFAIL" in wrong, f"the failure is told: {wrong}")
    heading = window.value("document.querySelector('h1').textContent")
    expect(heading.startswith("mxcache is "), f"the heading is {heading!r}")
    expect_equal(window.value("document.querySelectorAll('svg.waits').length"), len(kinds), "pictures")


def names_stay_text():
    window = WINDOW[0]
    expect(HOSTILE in window.value("document.body.textContent"), "the list of a stranger is shown")
    tags = window.value("document.querySelectorAll('script,img,iframe,object').length")
    expect_equal(tags, 0, "tags that are not ours")
    with urllib.request.urlopen(URL, timeout=10) as page:
        expect(b"<img" not in page.read(), "no name became a tag")


def it_can_be_read():
    """Headings in order, tables with heads, pictures with words, frames one can move by key."""
    window = WINDOW[0]
    headings = window.value("[...document.querySelectorAll('h1,h2,h3')].map(h => h.tagName).join()")
    expect(headings.startswith("H1,H2"), f"the headings are {headings}")
    for selector, what in (
        ("svg[role=img]:not(:has(> title))", "pictures without words"),
        ("svg:not([role=img]):not([aria-hidden])", "pictures without a role"),
        ("table:not(:has(thead th[scope=col]))", "tables without heads"),
        ("tbody tr:not(:has(th[scope=row]))", "rows without heads"),
        (".scroll:not([tabindex][aria-label])", "frames that no key can move"),
        ("html:not([lang])", "no language"),
    ):
        expect_equal(window.value(f"document.querySelectorAll('{selector}').length"), 0, what)


def look(name, width, scheme):
    window = WINDOW[0]
    window.show(URL, width, 900, scheme)
    expect_equal(window.value("innerWidth"), width, "the width of the screen")
    over = window.value("document.documentElement.scrollWidth - innerWidth")
    expect(over <= 0, f"{name}: the page is {over} pixels too wide")
    expect_equal(window.value(WIDE), [], f"{name}: what is wider than its box")
    ratio, where = window.value(CONTRAST)
    expect(ratio >= 4.5, f"{name}: a contrast of {ratio:.2f} at {where[:80]!r}")
    png = window.screenshot()
    if "--show" in sys.argv:
        print(f"{name}.png", base64.b64encode(png).decode())
    picture_width, height, lines = browser.read_png(png)
    expect_equal(picture_width, width, f"{name}: the width of the picture")
    expect(height >= 900, f"{name}: the page is only {height} pixels high")
    colours = collections.Counter()
    for line in lines[:: max(1, height // 400)]:
        colours.update(bytes(line[at : at + 3]) for at in range(0, len(line), 3))
    expect(len(colours) > 50, f"{name}: the picture has only {len(colours)} colours")
    paper = sum(colours.most_common(1)[0][0]) // 3
    SHOTS[name] = paper
    common = colours.most_common(1)[0][1] / sum(colours.values())
    expect(common < 0.97, f"{name}: {common:.0%} of the picture has one colour")


def by_day_and_by_night_on_desk_and_phone():
    for scheme in ("light", "dark"):
        for device, width in (("desk", 1200), ("phone", 390), ("watch", 320)):
            look(f"{device}-{scheme}", width, scheme)
    expect(SHOTS["desk-light"] > 200 > 60 > SHOTS["desk-dark"], f"paper is light and dark: {SHOTS}")


def status_of(address, host):
    request = urllib.request.Request(f"http://{address}:9153/metrics", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as page:
            return page.status
    except urllib.error.HTTPError as error:
        return error.code


def a_page_elsewhere_reads_nothing():
    """DNS rebinding: a web page whose name leads to this host is the same origin as ours."""
    window = WINDOW[0]
    known = len(window.complaints)
    window.show(f"http://{browser.REBOUND}:9153/metrics", 1200, 900, "light")
    text = window.value("document.body.textContent")
    expect("421 Misdirected Request" in text and "localhost" in text, f"it is told: {text[:300]!r}")
    expect("mxcache_" not in text and "bl.example" not in text, f"it reads: {text[:300]!r}")
    del window.complaints[known:]  # Of the status.
    for address, host, status in (
        ("127.0.0.1", browser.REBOUND, 421),
        ("127.0.0.1", "mail.example.com:9153", 421),
        ("127.0.0.1", "localhost:9153", 200),
        ("127.0.0.1", "[::1]:9153", 200),
        ("192.0.2.25", "mail.example.com:9153", 200),
    ):
        expect_equal(status_of(address, host), status, f"the status for {host} at {address}")


def nothing_is_complained_of():
    window = WINDOW[0]
    expect_equal(window.complaints, [], "what the browser complained of")
    expect_equal(
        window.value("performance.getEntriesByType('resource').map(e => e.name)"), [], "what else was loaded"
    )
    window.close()


live.run(
    a_house_with_a_past,
    the_numbers_are_those_that_were_asked,
    names_stay_text,
    it_can_be_read,
    by_day_and_by_night_on_desk_and_phone,
    a_page_elsewhere_reads_nothing,
    nothing_is_complained_of,
)
