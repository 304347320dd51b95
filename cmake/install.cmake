# SPDX-License-Identifier: BSD-2-Clause
# What an admin gets: the program, its configuration, units, manual and completions. Everything that
# names the program's path is written for where it goes. AppArmor and resolvconf have their files
# only where a package asks for them.
include(GNUInstallDirs)
option(MXCACHE_INSTALL_APPARMOR "install the AppArmor profile below /etc/apparmor.d" OFF)
option(MXCACHE_INSTALL_RESOLVCONF "install the hook below /etc/resolvconf, not executable" OFF)
set(MXCACHE_UNIT_DIR ${CMAKE_INSTALL_PREFIX}/lib/systemd/system CACHE PATH "systemd's units")
set(MXCACHE_SYSUSERS_DIR ${CMAKE_INSTALL_PREFIX}/lib/sysusers.d CACHE PATH "systemd's users")
set(MXCACHE_TMPFILES_DIR ${CMAKE_INSTALL_PREFIX}/lib/tmpfiles.d CACHE PATH "systemd's folders")
set(MXCACHE_ZSH_DIR ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "zsh's completions")

install(TARGETS mxcache RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})

# The configuration of an admin is never overwritten. Its place is the one that the program knows.
install(CODE "
    set(file \"\$ENV{DESTDIR}/etc/mxcache/mxcache.conf\")
    if(EXISTS \"\${file}\")
        message(STATUS \"Kept: \${file}\")
    else()
        file(INSTALL \"${CMAKE_SOURCE_DIR}/conf/mxcache.conf\" DESTINATION /etc/mxcache
            FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    endif()")

# mxcache_install_placed(FILE FOLDER [NAME]): with the program's path as it will be.
function(mxcache_install_placed file folder)
    get_filename_component(name ${file} NAME)
    file(READ ${CMAKE_SOURCE_DIR}/${file} text)
    string(REPLACE "/usr/sbin/mxcache" "${CMAKE_INSTALL_FULL_SBINDIR}/mxcache" text "${text}")
    file(WRITE ${CMAKE_BINARY_DIR}/placed/${file} "${text}")
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        ${CMAKE_SOURCE_DIR}/${file})
    install(FILES ${CMAKE_BINARY_DIR}/placed/${file} DESTINATION ${folder})
endfunction()

foreach(unit mxcache.service mxcache.socket mxcache-chroot-sync.path mxcache-chroot-sync.service)
    mxcache_install_placed(systemd/${unit} ${MXCACHE_UNIT_DIR})
endforeach()
install(FILES systemd/mxcache.sysusers DESTINATION ${MXCACHE_SYSUSERS_DIR} RENAME mxcache.conf)
install(FILES systemd/mxcache.tmpfiles DESTINATION ${MXCACHE_TMPFILES_DIR} RENAME mxcache.conf)

install(FILES doc/completion/mxcache.bash RENAME mxcache
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES doc/completion/_mxcache DESTINATION ${MXCACHE_ZSH_DIR})

if(MXCACHE_INSTALL_APPARMOR)
    mxcache_install_placed(packaging/apparmor/mxcache /etc/apparmor.d)
endif()
if(MXCACHE_INSTALL_RESOLVCONF)
    install(FILES packaging/resolvconf/mxcache DESTINATION /etc/resolvconf/update.d)
endif()

# The manual, from doc/NAME.SECTION.scd.
find_program(SCDOC scdoc)
file(GLOB manual CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/doc/*.scd)
if(SCDOC)
    foreach(source ${manual})
        get_filename_component(page ${source} NAME_WLE)
        string(REGEX MATCH "[0-9]$" section ${page})
        add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/doc/${page} DEPENDS ${source}
            ${CMAKE_SOURCE_DIR}/doc/tidy.awk
            COMMAND sh -c "${SCDOC} <${source} | awk -f ${CMAKE_SOURCE_DIR}/doc/tidy.awk \
                >${CMAKE_BINARY_DIR}/doc/${page}" VERBATIM)
        list(APPEND pages ${CMAKE_BINARY_DIR}/doc/${page})
        install(FILES ${CMAKE_BINARY_DIR}/doc/${page}
            DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endforeach()
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/doc)
    add_custom_target(manual ALL DEPENDS ${pages})
else()
    message(STATUS "no scdoc: the manual is not built")
endif()
