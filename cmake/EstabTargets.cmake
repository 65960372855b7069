# SPDX-License-Identifier: Apache-2.0
# How estab's targets are made: libraries, programs and tests, in C++23, under the project's
# warnings. What estab_library() makes is installed and exported without a further word
# (EstabInstall.cmake), and its headers are compiled one by one by a test (tests/tidy).

# What one folder finds, every folder may link to.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)

add_library(estab_options INTERFACE)
target_compile_features(estab_options INTERFACE cxx_std_23)
target_compile_options(estab_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wno-missing-field-initializers  # A designated initializer names what is not the default.
  $<$<BOOL:${ESTAB_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # At -O3 it warns of `"text" + std::string` (GCC bug 105651), and of vectors and strings that grow
  # (GCC bugs 105329, 105651, 107852).
  target_compile_options(estab_options INTERFACE -Wno-restrict -Wno-stringop-overflow
                                                 -Wno-array-bounds)
endif()
if(CMAKE_CXX_FLAGS MATCHES fsanitize)
  # GCC 12 takes what the sanitizers add for uses of what is not set.
  target_compile_options(estab_options INTERFACE -Wno-maybe-uninitialized)
endif()

# estab_library(NAME SOURCES… [LINK targets…] [PRIVATE_LINK targets…] [FOLDERS folders…] [ASIO]
#               [INTERNAL]): a static library estab_NAME, alias estab::NAME.
# Its headers are those of FOLDERS under estab/, by default NAME. ASIO: it has sources that include
# Boost.Asio (see estab_use_asio). INTERNAL: for this tree alone, never installed.
function(estab_library name)
  cmake_parse_arguments(arg "ASIO;INTERNAL" "" "SOURCES;LINK;PRIVATE_LINK;FOLDERS" ${ARGN})
  set(target estab_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(estab::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON VERIFY_INTERFACE_HEADER_SETS ON
    INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)  # Not the tables: they are included with a macro.
  if(NOT arg_FOLDERS)
    set(arg_FOLDERS ${name})
  endif()
  set(headers ${arg_FOLDERS})
  list(TRANSFORM headers REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/estab/\\1/*.hpp")
  set(tables ${arg_FOLDERS})
  list(TRANSFORM tables REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/estab/\\1/*.inc")
  file(GLOB headers CONFIGURE_DEPENDS ${headers})
  file(GLOB tables CONFIGURE_DEPENDS ${tables})
  target_sources(${target} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers}
    FILE_SET tables TYPE HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${tables})
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_link_libraries(${target}
    PUBLIC ${arg_LINK} PRIVATE $<BUILD_INTERFACE:estab_options> ${arg_PRIVATE_LINK})
  if(arg_ASIO)
    estab_use_asio(${target})
    list(APPEND arg_LINK Boost::headers Threads::Threads)
  endif()
  if(NOT arg_INTERNAL)
    set_property(GLOBAL APPEND PROPERTY ESTAB_LIBRARIES ${name})
    set_property(GLOBAL APPEND PROPERTY ESTAB_DEPENDENCIES ${arg_LINK} ${arg_PRIVATE_LINK})
  endif()
endfunction()

# estab_program(NAME SOURCES… [LINK targets…] [ASIO]): an executable that lands at the top of the
# build folder, such as build/release/estab.
function(estab_program name)
  cmake_parse_arguments(arg "ASIO" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  target_link_libraries(${name} PRIVATE estab_options ${arg_LINK})
  if(arg_ASIO)
    estab_use_asio(${name})
  endif()
endfunction()

# estab_test(NAME SOURCES… LINK targets… [TIMEOUT seconds] [LABELS…] [ASIO]): a GoogleTest program,
# one CTest entry.
function(estab_test name)
  cmake_parse_arguments(arg "ASIO" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE estab_options ${arg_LINK} GTest::gtest_main)
  if(arg_ASIO)
    estab_use_asio(${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  if(arg_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
  if(arg_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
  endif()
endfunction()

# estab_use_asio(TARGET): compiles TARGET with the one precompiled header of Boost.Asio that all
# share, cmake/asio_pch.hpp; sources include what they use all the same. A precompiled header asks
# for the same code model everywhere, hence -fPIC, for programs as well.
function(estab_use_asio target)
  find_package(Boost 1.81 REQUIRED)
  find_package(Threads REQUIRED)
  if(NOT TARGET estab_asio_pch)
    add_library(estab_asio_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/asio_pch.cpp)
    target_precompile_headers(estab_asio_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/asio_pch.hpp)
    target_link_libraries(estab_asio_pch PRIVATE estab_options Boost::headers Threads::Threads)
    set_target_properties(estab_asio_pch PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # Lets ccache see through the precompiled header (with the sloppiness that ./run sets).
    target_compile_options(estab_asio_pch PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endif()
  target_precompile_headers(${target} REUSE_FROM estab_asio_pch)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  target_link_libraries(${target} PUBLIC Boost::headers Threads::Threads)
endfunction()
