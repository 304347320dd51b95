# SPDX-License-Identifier: BSD-2-Clause
# Foreign libraries, each as one imported target. Their headers are SYSTEM: our warnings are ours.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns)
add_library(Ldns::Ldns ALIAS PkgConfig::LDNS)

# Debian ships no libev.pc; other systems keep ev.h in a folder of its own.
find_path(LIBEV_INCLUDE_DIR ev.h PATH_SUFFIXES libev REQUIRED)
find_library(LIBEV_LIBRARY ev REQUIRED)
add_library(LibEv::LibEv UNKNOWN IMPORTED)
set_target_properties(LibEv::LibEv PROPERTIES
    IMPORTED_LOCATION ${LIBEV_LIBRARY}
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${LIBEV_INCLUDE_DIR})

# For dnstap; without it the setting is refused.
option(MXCACHE_DNSTAP "dnstap, where libfstrm is installed" ON)
set(has_dnstap 0)
if(MXCACHE_DNSTAP)
    find_path(FSTRM_INCLUDE_DIR fstrm.h)
    find_library(FSTRM_LIBRARY fstrm)
endif()
if(MXCACHE_DNSTAP AND FSTRM_LIBRARY AND FSTRM_INCLUDE_DIR)
    set(has_dnstap 1)
    add_library(Fstrm::Fstrm UNKNOWN IMPORTED)
    set_target_properties(Fstrm::Fstrm PROPERTIES
        IMPORTED_LOCATION ${FSTRM_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${FSTRM_INCLUDE_DIR})
endif()

# Optional: `mxcache doctor --capture` reads packet captures with it.
if(MXCACHE_PCAP)
    find_path(LIBPCAP_INCLUDE_DIR pcap.h)
    find_library(LIBPCAP_LIBRARY pcap)
    if(LIBPCAP_INCLUDE_DIR AND LIBPCAP_LIBRARY)
        add_library(Pcap::Pcap UNKNOWN IMPORTED)
        set_target_properties(Pcap::Pcap PROPERTIES
            IMPORTED_LOCATION ${LIBPCAP_LIBRARY}
            INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${LIBPCAP_INCLUDE_DIR})
    endif()
endif()

if(MXCACHE_TESTS)
    find_path(CMOCKA_INCLUDE_DIR cmocka.h REQUIRED)
    find_library(CMOCKA_LIBRARY cmocka REQUIRED)
    add_library(Cmocka::Cmocka UNKNOWN IMPORTED)
    set_target_properties(Cmocka::Cmocka PROPERTIES
        IMPORTED_LOCATION ${CMOCKA_LIBRARY}
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${CMOCKA_INCLUDE_DIR})
endif()
