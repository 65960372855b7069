# SPDX-License-Identifier: Apache-2.0
# How estab's targets are compiled: C++23, the project's warnings, its include folder.

add_library(estab_options INTERFACE)
target_compile_features(estab_options INTERFACE cxx_std_23)
target_compile_options(estab_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${ESTAB_WERROR}>:-Werror>)

# estab_library(NAME SOURCES... [LINK targets...]): a static library estab_NAME, alias estab::NAME.
function(estab_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(estab_${name} STATIC ${arg_SOURCES})
  add_library(estab::${name} ALIAS estab_${name})
  set_target_properties(estab_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(estab_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_compile_features(estab_${name} PUBLIC cxx_std_23)
  target_link_libraries(estab_${name} PUBLIC ${arg_LINK} PRIVATE $<BUILD_INTERFACE:estab_options> ${arg_PRIVATE_LINK})
endfunction()

# estab_test(NAME SOURCES... LINK targets...): a GoogleTest program, one CTest entry.
function(estab_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE estab_options ${arg_LINK} GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(arg_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
  if(arg_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
  endif()
endfunction()
