// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/end.hpp"

#include <algorithm>

namespace estab::sim {

std::byte octet_of(std::uint64_t stream, std::uint64_t offset) {
  auto z = stream + offset / 8 * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return std::byte(z >> (offset % 8 * 8));
}

Duration End::pause(Duration most) {
  return most == Duration{} ? most : Duration(random_.below(std::uint64_t(most.count())));
}

void End::fail(Error error) {
  if (outcome_ != Outcome::none) return;
  outcome_ = Outcome::failed;
  error_ = error;
  if (stack_ == nullptr) return;
  (void)stack_->close(id_, progress_);  // Lets go of the handle; the connection is gone already.
}

Instant End::run(Instant now) {
  write_blocked_ = read_blocked_ = false;  // Somebody called us: worth trying again.
  while (open_ && outcome_ == Outcome::none) {
    if (plan_.ending == Ending::abort && written_ + read_ >= plan_.abort_after) {
      (void)stack_->abort(id_, now);
      outcome_ = Outcome::left;
      break;
    }
    const bool can_write = wants_to_write() && !write_blocked_ && next_write_ <= now;
    const bool can_read = !saw_end_ && !read_blocked_ && next_read_ <= now;
    if (can_write) write(now);
    if (can_read && outcome_ == Outcome::none) read(now);
    if (outcome_ == Outcome::none) leave(now);
    if (!can_write && !can_read) break;
  }
  if (!open_ || outcome_ != Outcome::none) return never;
  Instant next = never;
  if (wants_to_write() && !write_blocked_) next = std::min(next, next_write_);
  if (!saw_end_ && !read_blocked_) next = std::min(next, next_read_);
  return next;
}

void End::write(Instant now) {
  std::vector<std::byte> text(
      std::min<std::uint64_t>(1 + random_.below(plan_.longest_write), plan_.octets - written_));
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = octet_of(plan_.stream, written_ + i);
  const SendFlags flags{.push = random_.chance(0.5),
                        .urgent = random_.chance(plan_.urgent),
                        .more = random_.chance(0.1)};
  const auto taken = stack_->send(id_, text, flags, now);
  progress_ = now;
  if (taken) {
    written_ += *taken;
    next_write_ = now + pause(plan_.write_pause);
  } else if (taken.error() == Error::would_block) {
    write_blocked_ = true;
  } else {
    fail(taken.error());
  }
}

void End::read(Instant now) {
  std::vector<std::byte> text(1 + random_.below(plan_.longest_read));
  const auto got = stack_->receive(id_, text, now);
  if (!got) {
    if (got.error() == Error::would_block) read_blocked_ = true;
    else fail(got.error());
    return;
  }
  progress_ = now;
  next_read_ = now + pause(plan_.read_pause);
  saw_end_ = *got == 0;
  for (std::size_t i = 0; i < *got; ++i)
    if (text[i] != octet_of(peers_stream_, read_ + i)) {
      violation_ = "octet " + std::to_string(read_ + i) + " was read with another value";
      return;
    }
  read_ += *got;
}

void End::leave(Instant now) {
  if (wants_to_write()) return;
  if (plan_.ending == Ending::hasty) {
    (void)stack_->close(id_, now);
    outcome_ = Outcome::left;
    return;
  }
  if (!closed_sending_ && (plan_.ending != Ending::last || saw_end_)) {
    closed_sending_ = true;
    progress_ = now;
    if (const auto done = stack_->shutdown(id_, now); !done) return fail(done.error());
  }
  if (!closed_sending_ || !saw_end_) return;
  (void)stack_->close(id_, now);
  outcome_ = Outcome::complete;
}

}  // namespace estab::sim
