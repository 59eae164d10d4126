#include <cstdint>

#include "common/protocol/codec.hpp"
#include "common/protocol/hand_messages.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "tests/fuzz/allocation_limit.hpp"

// A message as it comes from a socket: one byte with the head's size, the head, the payload.
namespace {

using namespace eole;
using namespace eole::protocol;

template <class T>
void take(const HeadReader& head, std::string_view payload) {
  if (head.name() != T::kName) return;
  const auto message = decode<T>(head, Bytes(payload));
  if (!message) return;
  if (encode(*message).payload != payload) __builtin_trap();  // Nothing is made up.
}

template <class... T>
void take_any(const HeadReader& head, std::string_view payload) {
  (take<T>(head, payload), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto head_bytes = all.substr(0, data[0]);
  const auto payload = all.substr(head_bytes.size());
  const fuzz::AllocationLimit limit(size);
  const auto head = HeadReader::parse(head_bytes);
  if (!head) return 0;
  take_any<Submit, Accepted, Refused, Cancel, Control, Discard, Query, Answer, Hello, Welcome,
           HelloAgain, Tasks, Beat, Credit, Orders, Goodbye, Results, Ack, Verdicts, Progress,
           Introduce, Introduced, Follow, Settled, Read, Records, Gone, Notification, LogHead, Put,
           PutAt, Hand, Handed, Get, Chunk>(*head, payload);
  return 0;
}
