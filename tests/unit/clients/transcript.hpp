#pragma once
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/value.hpp"

namespace eole {

/// What comes to a client, over the wire and by calls, and what it answers: a line of JSON a step.
/// The core's own is compared with tests/golden/transcripts/NAME.jsonl (EOLE_BLESS=1 writes it,
/// on purpose only), which the clients in Python and in Node are played, too: all must agree.
class Transcript {
 public:
  using Value = protocol::Value;
  static constexpr TimePoint kStart = TimePoint(1000s);

  TimePoint now = kStart;

  /// Something happens.
  void begin(std::string name, Value value) {
    steps_.emplace_back(
        Value::Map{{"at", std::int64_t{(now - kStart) / 1ms}}, {std::move(name), std::move(value)}});
  }
  /// What is seen of it.
  void note(std::string name, Value value) {
    steps_.back().set(std::move(name), std::move(value));
  }
  /// A message: its head's fields, and its payload in hexadecimal.
  template <class T>
  static Value wire(const T& message) {
    const auto encoded = protocol::encode(message);
    return Value::Array{*Value::from_msgpack(encoded.head), hex(std::string_view(encoded.payload))};
  }

  void check(const std::string& name) const {
    const auto path = text(EOLE_GOLDEN_DIR, "/transcripts/", name, ".jsonl");
    std::string lines;
    for (const auto& step : steps_) lines += text(step.to_json(), "\n");
    if (std::getenv("EOLE_BLESS") != nullptr) std::ofstream(path) << lines;
    std::ifstream file(path);
    const std::string golden(std::istreambuf_iterator<char>(file), {});
    INFO(path);
    REQUIRE(golden == lines);
  }

 private:
  std::vector<Value> steps_;
};

/// A batch of the log: results of so many tasks, whose numbers are their offset and one. Those at
/// odd offsets are of a `project`.
inline Bytes batch_of(std::uint64_t first, std::uint32_t count, const std::string& project = {}) {
  Bytes runs;
  for (auto offset = first; offset < first + count; ++offset) {
    protocol::ResultRecord result;
    result.id.seq = offset + 1;
    result.kind = "echo";
    if (offset % 2 == 1) result.project = project;
    result.body = "\x80";
    protocol::put_result(runs, result);
  }
  return protocol::encode_batch({first, 0, 0, count, "w1", runs});
}

/// Batches as an answer has them, each after its size.
inline Bytes pieces_of(const std::vector<Bytes>& batches) {
  Bytes out;
  for (const auto& batch : batches) {
    put<std::uint32_t>(out, static_cast<std::uint32_t>(batch.size()));
    out += batch;
  }
  return out;
}

}  // namespace eole
