# SPDX-License-Identifier: BSD-2-Clause
# Warnings, hardening and sanitizers for every target of the tree.
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wcast-qual -Wformat=2 -Wundef -Wpointer-arith -fno-common)
if(MXCACHE_WERROR)
    add_compile_options(-Werror)
endif()

if(MXCACHE_SANITIZE)
    add_compile_options(-fsanitize=${MXCACHE_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${MXCACHE_SANITIZE})
endif()
if(MXCACHE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
        -fstack-clash-protection -fcf-protection -g)
    add_link_options(-pie -Wl,-z,relro,-z,now)
    # Floors are libraries, and a hit goes through all of them: calls between files are worth inlining.
    include(CheckIPOSupported)
    check_ipo_supported(RESULT has_ipo LANGUAGES C)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${has_ipo})
endif()
# Assertions (base/must.h) stay on in every build; NDEBUG only silences libc's assert.
add_compile_definitions(_GNU_SOURCE)
