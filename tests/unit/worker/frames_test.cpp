#include "worker/runners/frames/frames.hpp"

#include "common/protocol/flat.hpp"
#include "common/protocol/value.hpp"
#include "tests/unit/golden.hpp"

using namespace eole;
using namespace eole::frames;
using protocol::Value;

namespace {

Bytes encoded(const Value& value) { return value.to_msgpack(); }

Bytes framed(std::uint8_t type, const Bytes& payload) {
  Bytes bytes;
  put<std::uint8_t>(bytes, type);
  put<std::uint32_t>(bytes, static_cast<std::uint32_t>(payload.size()));
  return bytes + payload;
}

// What a reader makes of exactly these bytes.
Expected<std::optional<Frame>> read(std::string_view bytes) {
  FrameReader reader;
  reader.add(bytes);
  return reader.next();
}

const std::vector<std::pair<std::string, Frame>> kSamples{
    {"hello", Hello{2, 16, 2}},
    {"kind", Kind{"thumbnail",
                  "Scales a picture.",
                  {{"path", "text", true}, {"side", "integer", false, "128"}}}},
    {"run", Run{7, "abcdef-12", 2, "exec", encoded(Value::Map{{"shell", "date"}}), "/tmp/d",
                "photos", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}},
    {"cancel", Cancel{7, 3000}},
    {"output", Output{7, 2, "not found\n"}},
    {"done", Done{7, encoded(Value::Map{{"exit_code", 0}}), {"picture.jpg"}}},
    {"failed", Failed{7, "no such table", encoded(Value::Map{{"error_class", "KeyError"}}),
                      "KeyError", 60'000}},
    {"progress", Progress{7, 3, 10, "page 3"}},
    {"fetch", Fetch{7, std::string(64, 'a'), "in.png"}},
    {"fetched", Fetched{7, "in.png", "no such artifact"}},
    {"ping", Ping{1}},
    {"pong", Pong{1}},
};

}  // namespace

TEST_CASE("frames are the golden samples, and are read as they were written", "[frames]") {
  for (const auto& [name, frame] : kSamples) {
    check_golden(name + ".frame.hex", encode(frame));
    const auto got = read(encode(frame));
    REQUIRE(got);
    CHECK(*got == frame);
  }
}

TEST_CASE("frames come out whole however a socket cuts them", "[frames]") {
  Bytes all;
  for (const auto& [name, frame] : kSamples) all += encode(frame);
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    FrameReader reader;
    std::vector<Frame> got;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      reader.add(std::string_view(all).substr(at, piece));
      while (true) {
        auto next = reader.next();
        REQUIRE(next);
        if (!*next) break;
        got.push_back(std::move(**next));
      }
    }
    REQUIRE(got.size() == kSamples.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == kSamples[i].second);
  }
}

TEST_CASE("a frame that is announced too large is refused before it comes", "[frames]") {
  Bytes head;
  put<std::uint8_t>(head, Done::kType);
  put<std::uint32_t>(head, kFrameBytesMax);
  auto at_most = read(head);
  REQUIRE(at_most);
  CHECK_FALSE(*at_most);
  write_at<std::uint32_t>(head.data(), 1, kFrameBytesMax + 1);
  const auto refused = read(head);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "a frame of 4194305 bytes, limit 4194304");
}

TEST_CASE("fields of a later release are ignored", "[frames]") {
  for (const auto& [name, frame] : kSamples) {
    auto bytes = encode(frame);
    auto payload = bytes.substr(5);
    payload[0] = static_cast<char>(payload[0] + 3);  // An array of three more.
    payload += protocol::FlatWriter(3).number(9).text("later").bytes("\xff").take().substr(1);
    const auto got = read(framed(static_cast<std::uint8_t>(bytes[0]), payload));
    REQUIRE(got);
    CHECK(*got == frame);
  }
}

TEST_CASE("what is no frame is told, and never read past its end", "[frames]") {
  CHECK(read(framed(99, "\x91\x01")).error().message == "a frame of type 99, which is none");
  CHECK(read(framed(Cancel::kType, "\x91\x01")).error().message ==
        "a frame of type 3 without all of its fields");
  CHECK(read(framed(Done::kType, "garbage")).error().message ==
        "a frame of type 5: not one flat msgpack array of at most 256 numbers, texts and bytes");
  CHECK_FALSE(read(framed(Hello::kType, encoded(Value::Array{2, 1, Value::Array{}}))));
  CHECK_FALSE(read(framed(Hello::kType, "\xdd\xff\xff\xff\xff")));  // 2^32 fields.
  CHECK_FALSE(read(framed(Hello::kType, encoded(Value::Array{2, 1, -1}))));
  for (const auto& [name, frame] : kSamples) {
    const auto whole = encode(frame);
    const auto type = static_cast<std::uint8_t>(whole[0]);
    for (std::size_t size = 0; size + 5 < whole.size(); ++size)
      CHECK_FALSE(read(framed(type, whole.substr(5, size))));
    for (std::size_t at = 5; at < whole.size(); ++at)
      for (int byte = 0; byte < 256; ++byte) {
        auto damaged = whole;
        damaged[at] = static_cast<char>(byte);
        (void)read(damaged);  // Under a sanitizer.
      }
  }
}

TEST_CASE("a list is as long as it says, and no longer than what is there", "[frames]") {
  protocol::FlatWriter done(4);
  const auto names = done.number(1).bytes("").number(1ULL << 40).text("a").take();
  CHECK_FALSE(read(framed(Done::kType, names)));
}
