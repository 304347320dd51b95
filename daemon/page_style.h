/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * How the page for people looks (daemon/page.h): the text of its <style>. Colours are named once
 * for light screens and once for dark ones; each has a contrast of at least 4.5 to its paper.
 */
extern const char page_style[];
