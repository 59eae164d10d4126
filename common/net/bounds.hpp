#pragma once
#include <cstddef>

/// What waits in a socket, at most. Memory first: messages are counted only where they are small.
namespace eole::net {

/// Frames up to this are copied and counted; larger ones are shared, and their bytes are counted.
constexpr std::size_t kCopiedBytesMax = 1024;
/// Messages to one peer that it has not read.
constexpr int kUnsentMessagesMax = 16'384;
/// Bytes of large frames to one peer that has not read them; an answer over it is dropped, and who
/// reads again asks again. A server's socket holds kUnsentTotalBytesMax for all peers together.
constexpr std::size_t kUnsentBytesMax = 32 << 20;
constexpr std::size_t kUnsentTotalBytesMax = 256 << 20;
/// Bytes of large frames that a socket which connects (or a pipe) holds for a peer that is away.
constexpr std::size_t kOutboundBytesMax = 64 << 20;
/// Bytes of large notifications that some subscriber has not read. One over it is not published:
/// subscribers are told where the log ends, and read it there.
constexpr std::size_t kPublishedBytesMax = 32 << 20;
/// Messages of one peer that were not handled yet; then its connection is read no further.
constexpr int kUnreadMessagesMax = 1024;
/// What a subscriber may send in one frame: a topic, or a part of its handshake.
constexpr std::size_t kSubscriptionBytesMax = 1024;

}  // namespace eole::net
