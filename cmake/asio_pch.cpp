// SPDX-License-Identifier: Apache-2.0
// The source behind the precompiled header; it is empty, since CMake wants one.
