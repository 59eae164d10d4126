#pragma once
#include "common/protocol/codec.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::protocol {

/// What a socket takes in one frame; a larger one would cost its reader the connection.
constexpr std::size_t kFrameBytesMax = kPayloadBytesMax + (2 << 20);

/// encode(), for an answer: one that no message can carry becomes a refusal that says so.
template <class T>
Message encode_answer(T message) {
  if (message.payload.size() <= kFrameBytesMax) return encode(std::move(message));
  const auto bytes = message.payload.size();
  return encode(refused(message.request, {text(T::kName, ": ", bytes, " bytes, limit ", kFrameBytesMax),
                                          ErrorCode::kTooLarge}));
}

}  // namespace eole::protocol
