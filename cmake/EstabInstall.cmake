# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the libraries with their headers, find_package(estab) and pkg-config, all made
# from what estab_library() wrote down; a new layer needs no word here.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The foreign targets that our libraries link to, told as: `find`, lines of CMake that find them
# again for a user's project; `requires` and `libs`, the same for pkg-config.
function(estab_describe_dependencies find requires libs)
  get_property(targets GLOBAL PROPERTY ESTAB_DEPENDENCIES)
  list(REMOVE_DUPLICATES targets)
  list(FILTER targets EXCLUDE REGEX "^estab::")
  set(find_lines "")
  set(modules "")
  set(flags "")
  foreach(target IN LISTS targets)
    if(target MATCHES "^PkgConfig::(.+)$")
      set(prefix ${CMAKE_MATCH_1})
      list(APPEND find_lines "find_dependency(PkgConfig)"
        "pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${${prefix}_MODULE_NAME})")
      list(APPEND modules ${${prefix}_MODULE_NAME})
    elseif(target STREQUAL "Threads::Threads")
      list(APPEND find_lines "find_dependency(Threads)")
      list(APPEND flags -pthread)
    elseif(target STREQUAL "Boost::headers")
      list(APPEND find_lines "find_dependency(Boost 1.81)")
    elseif(target MATCHES "^Boost::(.+)$")
      list(APPEND find_lines "find_dependency(Boost 1.81 COMPONENTS ${CMAKE_MATCH_1})")
      list(APPEND flags -lboost_${CMAKE_MATCH_1})
    elseif(target MATCHES "^fmt::fmt")
      list(APPEND find_lines "find_dependency(fmt)")
      list(APPEND modules fmt)
    else()
      message(FATAL_ERROR "EstabInstall.cmake does not know how a user finds ${target}")
    endif()
  endforeach()
  foreach(list find_lines modules flags)
    list(REMOVE_DUPLICATES ${list})
  endforeach()
  string(REPLACE ";" "\n  " find_lines "${find_lines}")
  string(REPLACE ";" " " modules "${modules}")
  string(REPLACE ";" " " flags "${flags}")
  set(${find} "${find_lines}" PARENT_SCOPE)
  set(${requires} "${modules}" PARENT_SCOPE)
  set(${libs} "${flags}" PARENT_SCOPE)
endfunction()

function(estab_install_libraries libraries)
  foreach(library IN LISTS libraries)
    install(TARGETS estab_${library} EXPORT estab
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
      FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      FILE_SET tables DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endforeach()
endfunction()

# find_package(estab [COMPONENTS core net …]): targets estab::core, estab::net, …
function(estab_install_cmake_package libraries)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/estab)
  set(build ${PROJECT_BINARY_DIR}/package)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/estab-config.cmake.in
    ${build}/estab-config.cmake INSTALL_DESTINATION ${folder})
  write_basic_package_version_file(${build}/estab-config-version.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${build}/estab-config.cmake ${build}/estab-config-version.cmake
    DESTINATION ${folder})
  install(EXPORT estab NAMESPACE estab:: FILE estab-targets.cmake DESTINATION ${folder})
endfunction()

# estab-core.pc: the core alone, which needs nothing; estab.pc: every layer.
function(estab_install_pkg_config libraries)
  set(layers ${libraries})
  list(REMOVE_ITEM layers core)
  list(REVERSE layers)  # A static library stands before what it needs.
  list(TRANSFORM layers PREPEND -lestab_)
  string(REPLACE ";" " " layers "${layers}")
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up ${up})
  foreach(package estab-core estab)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/${package}.pc.in
      ${PROJECT_BINARY_DIR}/package/${package}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/package/${package}.pc
      DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  endforeach()
endfunction()

function(estab_install)
  get_property(libraries GLOBAL PROPERTY ESTAB_LIBRARIES)
  estab_describe_dependencies(ESTAB_FIND ESTAB_REQUIRES ESTAB_LIBS)
  estab_install_libraries("${libraries}")
  estab_install_cmake_package("${libraries}")
  estab_install_pkg_config("${libraries}")
  if(TARGET estab)
    install(TARGETS estab RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()
