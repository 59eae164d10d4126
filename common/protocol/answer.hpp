#pragma once
#include "common/protocol/codec.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"

namespace eole::protocol {

/// What a socket takes in one frame; a larger one would cost its reader the connection.
constexpr std::size_t kFrameBytesMax = kPayloadBytesMax + (2 << 20);

/// encode(), for an answer: one that no message can carry becomes a refusal that says so.
template <class T>
Message encode_answer(T message) {
  if (message.payload.size() <= kFrameBytesMax) return encode(std::move(message));
  return encode(Refused{message.request, text(T::kName, ": ", message.payload.size(),
                                              " bytes, limit ", kFrameBytesMax)});
}

}  // namespace eole::protocol
