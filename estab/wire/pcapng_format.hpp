// SPDX-License-Identifier: Apache-2.0
// The numbers of pcapng (draft-ietf-opsawg-pcapng §3, §4) that its writer and its reader share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace estab::wire::pcapng {

inline constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
inline constexpr std::uint32_t block_section = 0x0a0d0d0a, block_interface = 1,
                               block_statistics = 5, block_enhanced_packet = 6;

inline constexpr std::uint16_t option_comment = 1, option_shb_application = 4, option_if_name = 2,
                               option_if_tsresol = 9, option_if_tsoffset = 14, option_epb_flags = 2,
                               option_isb_received = 4;

// Type and length in front, the length again behind.
inline constexpr std::size_t smallest_block = 12;

constexpr std::size_t padded(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

}  // namespace estab::wire::pcapng
