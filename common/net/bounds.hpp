#pragma once
#include <cstddef>

/// What waits in a socket, at most. Memory first: messages are counted only where they are small.
namespace eole::net {

/// Frames up to this are copied and counted; larger ones are shared, and their bytes are counted.
constexpr std::size_t kCopiedBytesMax = 256;
/// Messages to one peer that it has not read.
constexpr int kUnsentMessagesMax = 16'384;
/// Bytes of large frames to one peer that has not read them; an answer over it is dropped, and who
/// reads again asks again. A server's socket holds kUnsentTotalBytesMax for all peers together.
constexpr std::size_t kUnsentBytesMax = 32 << 20;
constexpr std::size_t kUnsentTotalBytesMax = 256 << 20;
/// The same of tasks on their way to one worker, in its pipe, and to all workers of a ventilator.
constexpr std::size_t kPipeBytesMax = 32 << 20;
constexpr std::size_t kPipesTotalBytesMax = 256 << 20;
/// Bytes of large frames that a process holds for those to whom it connects while they are away.
constexpr std::size_t kOutboundBytesMax = 64 << 20;
/// Bytes of large notifications that some subscriber has not read. One over it is not published:
/// subscribers are told where the log ends, and read it there.
constexpr std::size_t kPublishedBytesMax = 32 << 20;
/// Messages of one peer that were not handled yet; then its connection is read no further. Few: each
/// may have kFrameBytesMax.
constexpr int kUnreadMessagesMax = 64;
/// The same of a ventilator, where as many small ones share a sync: with 64, a client that submits
/// one task a message had a third of its tasks a second.
constexpr int kUnreadSubmitsMax = 1024;
/// What a subscriber may send in one frame: a topic, or a part of its handshake.
constexpr std::size_t kSubscriptionBytesMax = 1024;
/// Bytes of topics that were subscribed to since the publisher was bound, whoever asked; each costs
/// some 50 bytes of memory. Beyond it all are cut off, and come back within moments.
constexpr std::size_t kTopicBytesMax = 1 << 20;

/// Whether one of many may take `bytes` more: up to an eighth of what all the others leave, so that
/// many who never read still leave some to the next one.
constexpr bool has_share(std::size_t bytes, std::size_t own, std::size_t own_max, std::size_t all,
                         std::size_t all_max) {
  constexpr std::size_t kShares = 8;
  const auto left = (all_max > all ? all_max - all : 0) / kShares;
  return own + bytes <= (own_max < left ? own_max : left);
}

}  // namespace eole::net
