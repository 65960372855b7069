#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# embed.sh WAY SOURCE BUILD CMAKE COMPILER FLAGS: takes the README's example out of it, builds it
# WAY's way (find_package, add_subdirectory or pkg-config) in an empty folder, runs it, and compares
# what it prints with what the README says.
set -euo pipefail
way=$1 source=$2 build=$3 cmake=$4 compiler=$5 flags=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The fenced block that follows the comment <!-- $1 -->.
block() {
  awk -v mark="<!-- $1 -->" '
    $0 == mark { wanted = 1; next }
    /^```/ { if (inside) exit; inside = wanted; next }
    inside' "$source/README.md"
}

install_estab() {
  "$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" ||
    { cat "$work/install.log" >&2; return 1; }
}

build_with_cmake() {
  block "example: $way/CMakeLists.txt" >CMakeLists.txt
  "$cmake" -S . -B build -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" "$@"
  "$cmake" --build build --target hello
  cp build/hello hello
}

mkdir "$work/hello"
cd "$work/hello"
block "example: hello.cpp" >hello.cpp
case $way in
  find_package)
    install_estab
    build_with_cmake -DCMAKE_PREFIX_PATH="$work/prefix" ;;
  add_subdirectory)
    ln -s "$source" estab
    flags=  # All is built here: nothing need match, and plain is quick.
    build_with_cmake ;;
  pkg-config)
    install_estab
    block "example: $way/build.sh" >build.sh
    # The compiler and the flags that the libraries were built with, under the README's name.
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$compiler" "$flags" >c++
    chmod +x c++
    pc=$(find "$work/prefix" -name pkgconfig)
    PATH=$PWD:$PATH PKG_CONFIG_PATH=$pc bash -eux build.sh ;;
esac
./hello >printed
block "output: hello" | diff - printed
