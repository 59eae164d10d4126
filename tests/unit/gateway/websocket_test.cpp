#include "gateway/core/http/websocket.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace eole::gateway::http;
using Event = FrameReader::Event;

namespace {

// As a client sends it; `first` and `size_byte` may be wrong on purpose.
std::string frame(unsigned first, std::string_view payload, std::string_view mask = "\1\2\3\4") {
  std::string bytes(1, static_cast<char>(first));
  const auto size = payload.size();
  if (size < 126) {
    bytes += static_cast<char>(0x80 | size);
  } else if (size <= 0xFFFF) {
    bytes += {'\xFE', static_cast<char>(size >> 8), static_cast<char>(size)};
  } else {
    bytes += '\xFF';
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  }
  bytes += mask;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(payload[i] ^ mask[i % 4]);
  return bytes;
}

std::vector<Event> read(std::string_view bytes, std::size_t piece = SIZE_MAX,
                        std::size_t most = 1 << 20) {
  FrameReader reader(most);
  std::vector<Event> events;
  while (!bytes.empty()) {
    const auto now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    reader.add(now);
    while (auto event = reader.next()) events.push_back(*event);
  }
  return events;
}

Event text_of(std::string bytes) { return {Opcode::kText, std::move(bytes)}; }

CloseCode broken_by(std::string_view bytes, std::size_t most = 1 << 20) {
  const auto events = read(bytes, SIZE_MAX, most);
  return !events.empty() && events.back().is_broken ? events.back().code : CloseCode::kNone;
}

}  // namespace

TEST_CASE("a client's messages are read, in whatever pieces they come", "[websocket]") {
  const std::string large(70000, 'x');
  const auto bytes = frame(0x81, "hello") + frame(0x82, std::string(300, '\0')) +
                     frame(0x81, large) + frame(0x81, "");
  for (const std::size_t piece : {1, 3, 7, 4096, 1 << 20}) {
    const auto events = read(bytes, piece);
    CHECK(events == std::vector<Event>{text_of("hello"),
                                       {Opcode::kBinary, std::string(300, '\0')},
                                       text_of(large),
                                       text_of("")});
  }
}

TEST_CASE("fragments become one message, and pings come between them", "[websocket]") {
  const auto bytes = frame(0x01, "gr\xC3") + frame(0x89, "are you there") +
                     frame(0x00, "\xBC\xC3") +
                     frame(0x80,
                           "\x9F"
                           "e");
  CHECK(read(bytes) == std::vector<Event>{{Opcode::kPing, "are you there"},
                                          text_of("gr\xC3\xBC\xC3\x9F"
                                                  "e")});
}

TEST_CASE("what no client may send ends the connection with the code that says why",
          "[websocket]") {
  const auto [name, bytes, code] = GENERATE(table<std::string, std::string, CloseCode>({
      {"not masked", std::string("\x81\x01x", 3), CloseCode::kProtocolError},
      {"a reserved bit", frame(0xC1, "x"), CloseCode::kProtocolError},
      {"a kind that is none", frame(0x83, "x"), CloseCode::kProtocolError},
      {"a control kind that is none", frame(0x8B, "x"), CloseCode::kProtocolError},
      {"a ping in pieces", frame(0x09, "x"), CloseCode::kProtocolError},
      {"a ping of 126 bytes", frame(0x89, std::string(126, 'x')), CloseCode::kProtocolError},
      {"a continuation of nothing", frame(0x80, "x"), CloseCode::kProtocolError},
      {"a message inside a message", frame(0x01, "x") + frame(0x81, "y"),
       CloseCode::kProtocolError},
      {"5 bytes whose size is written in 2", std::string("\x81\xFE\0\5\1\2\3\4xxxxx", 13),
       CloseCode::kProtocolError},
      {"5 bytes whose size is written in 8", std::string("\x81\xFF\0\0\0\0\0\0\0\5\1\2\3\4x", 15),
       CloseCode::kProtocolError},
      {"a size with its highest bit", std::string("\x82\xFF\xFF\0\0\0\0\0\0\0\1\2\3\4", 14),
       CloseCode::kTooLarge},
      {"no text", frame(0x81, "\xFF"), CloseCode::kNotText},
      {"a surrogate", frame(0x81, "\xED\xA0\x80"), CloseCode::kNotText},
      {"half a character", frame(0x81, "\xC3"), CloseCode::kNotText},
      {"no text in the first of many pieces", frame(0x01, "\xFF"), CloseCode::kNotText},
      {"a close of one byte", frame(0x88, "x"), CloseCode::kProtocolError},
      {"a close with a code that is never sent", frame(0x88, std::string("\x03\xED", 2)),
       CloseCode::kProtocolError},
      {"a close with a code that nobody knows", frame(0x88, std::string("\x07\xD0", 2)),
       CloseCode::kProtocolError},
      {"a close whose reason is no text", frame(0x88, std::string("\x03\xE8\xFF", 3)),
       CloseCode::kNotText},
  }));
  INFO(name);
  CHECK(broken_by(bytes) == code);
  CHECK(broken_by(frame(0x81, "well") + bytes) == code);
}

TEST_CASE("a message over the limit is refused before it has come", "[websocket]") {
  CHECK(broken_by(frame(0x81, std::string(101, 'x')).substr(0, 8), 100) == CloseCode::kTooLarge);
  CHECK(read(frame(0x81, std::string(100, 'x')), SIZE_MAX, 100).size() == 1);
  const auto pieces = frame(0x01, std::string(60, 'x')) + frame(0x80, std::string(41, 'x'));
  CHECK(broken_by(pieces, 100) == CloseCode::kTooLarge);
}

TEST_CASE("behind a close nothing is read", "[websocket]") {
  const auto bytes = frame(0x88, std::string("\x03\xE8"
                                             "bye",
                                             5)) +
                     frame(0x81, "x");
  CHECK(read(bytes) == std::vector<Event>{{Opcode::kClose, "bye", CloseCode::kNormal}});
  CHECK(read(frame(0x88, "")) == std::vector<Event>{{Opcode::kClose, "", CloseCode::kNone}});
}

TEST_CASE("a server's frames are as short as they can be", "[websocket]") {
  CHECK(encode_frame(Opcode::kText, "hi") == "\x81\x02hi");
  CHECK(encode_frame(Opcode::kBinary, std::string(126, 'x')).substr(0, 4) ==
        std::string("\x82\x7E\0\x7E", 4));
  CHECK(encode_frame(Opcode::kText, std::string(65536, 'x')).substr(0, 10) ==
        std::string("\x81\x7F\0\0\0\0\0\1\0\0", 10));
  CHECK(encode_close(CloseCode::kGoingAway, "over") == std::string("\x88\x06\x03\xE9over", 8));
  CHECK(encode_close(CloseCode::kNone) == std::string("\x88\0", 2));
  CHECK(encode_close(CloseCode::kPolicy, std::string(500, 'x')).size() == 2 + 125);
}

TEST_CASE("the handshake's key proves that WebSocket is spoken", "[websocket]") {
  CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
  for (const auto* bad : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZR==",
                          "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZQ==="})
    CHECK_FALSE(is_key(bad));
}
