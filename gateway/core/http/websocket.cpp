#include "gateway/core/http/websocket.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"

namespace eole::gateway::http {

namespace {

constexpr std::size_t kMaskBytes = 4;

bool is_control_frame(Opcode opcode) { return opcode >= Opcode::kClose; }

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

// What may stand in a close frame: what RFC 6455 and IANA name, and what is left to applications.
bool may_be_sent(std::uint64_t code) {
  if (code == 1004 || code == 1005 || code == 1006) return false;
  return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

std::string encode_frame(Opcode opcode, std::string_view payload) {
  constexpr char kLast = '\x80';
  std::string frame(1, static_cast<char>(kLast | static_cast<char>(opcode)));
  const auto put = [&](std::uint64_t number, int bytes) {
    while (bytes-- > 0) frame += static_cast<char>(number >> (8 * bytes));
  };
  if (payload.size() < 126) {
    put(payload.size(), 1);
  } else if (payload.size() <= 0xFFFF) {
    put(126, 1);
    put(payload.size(), 2);
  } else {
    put(127, 1);
    put(payload.size(), 8);
  }
  frame += payload;
  return frame;
}

std::string encode_close(CloseCode code, std::string_view reason) {
  if (code == CloseCode::kNone) return encode_frame(Opcode::kClose, {});
  const auto number = static_cast<std::uint16_t>(code);
  std::string payload{static_cast<char>(number >> 8), static_cast<char>(number)};
  payload += cut_text(reason, kCloseReasonBytesMax);
  return encode_frame(Opcode::kClose, payload);
}

void FrameReader::add(std::string_view bytes) {
  if (is_over_) return;
  input_.erase(0, std::exchange(at_, 0));
  input_ += bytes;
}

std::optional<FrameReader::Event> FrameReader::next() {
  while (!is_over_) {
    if (!header_) {
      if (auto refused = read_header()) return refused;
      if (!header_) return std::nullopt;
    }
    if (rest().size() < header_->bytes + header_->size) return std::nullopt;
    if (auto event = take_payload()) return event;
  }
  return std::nullopt;
}

// Refuses by the header alone: what is too large is not waited for.
std::optional<FrameReader::Event> FrameReader::read_header() {
  const auto input = rest();
  if (input.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(input[0]);
  const auto second = static_cast<unsigned char>(input[1]);
  if ((first & 0x70) != 0)
    return broken(CloseCode::kProtocolError, "a reserved bit is set: no extension is spoken");
  if ((second & 0x80) == 0)
    return broken(CloseCode::kProtocolError, "a client's frame must be masked");
  const std::size_t size = second & 0x7F;
  const std::size_t size_bytes = size < 126 ? 0 : size == 126 ? 2 : 8;
  Header header;
  header.opcode = static_cast<Opcode>(first & 0x0F);
  header.is_last = (first & 0x80) != 0;
  header.bytes = 2 + size_bytes + kMaskBytes;
  if (is_control_frame(header.opcode) && size > kControlBytesMax)
    return broken(CloseCode::kProtocolError,
                  text("a control frame has more than ", kControlBytesMax, " bytes"));
  if (input.size() < 2 + size_bytes) return std::nullopt;
  header.size = size_bytes == 0 ? size : big_endian(input.substr(2, size_bytes));
  if ((size_bytes == 2 && header.size < 126) || (size_bytes == 8 && header.size <= 0xFFFF))
    return broken(CloseCode::kProtocolError, "a frame's size is written longer than it must be");
  header_ = header;
  if (auto refused = refuse_header()) return broken(refused->code, std::move(refused->bytes));
  return std::nullopt;
}

// Why the frame may not come here and now.
std::optional<FrameReader::Event> FrameReader::refuse_header() const {
  const auto refused = [](CloseCode code, std::string reason) {
    return Event{Opcode::kClose, std::move(reason), code, true};
  };
  const auto& header = *header_;
  switch (header.opcode) {
    case Opcode::kMore:
      if (begun_ == Opcode::kMore)
        return refused(CloseCode::kProtocolError, "a continuation of no message");
      break;
    case Opcode::kText:
    case Opcode::kBinary:
      if (begun_ != Opcode::kMore)
        return refused(CloseCode::kProtocolError, "a message begins inside another");
      break;
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong:
      if (!header.is_last)
        return refused(CloseCode::kProtocolError, "a control frame comes in pieces");
      return std::nullopt;
    default:
      return refused(CloseCode::kProtocolError,
                     text("no such kind of frame: ", static_cast<int>(header.opcode)));
  }
  if (header.size > most_ - message_.size())
    return refused(CloseCode::kTooLarge, text("a message of more than ", most_, " bytes"));
  return std::nullopt;
}

// The frame is whole. Nothing: it is a piece of a message of which more must come.
std::optional<FrameReader::Event> FrameReader::take_payload() {
  const auto header = *header_;
  const auto mask = rest().substr(header.bytes - kMaskBytes, kMaskBytes);
  std::string payload(rest().substr(header.bytes, header.size));
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ mask[i % kMaskBytes]);
  at_ += header.bytes + header.size;
  header_.reset();
  if (header.opcode == Opcode::kClose) return end_by_close(std::move(payload));
  if (is_control_frame(header.opcode)) return Event{header.opcode, std::move(payload)};
  if (header.opcode != Opcode::kMore) begun_ = header.opcode;
  message_ += payload;
  if (begun_ == Opcode::kText && !is_text_so_far(header.is_last))
    return broken(CloseCode::kNotText, "text that is not UTF-8");
  if (!header.is_last) return std::nullopt;
  checked_ = 0;
  return Event{std::exchange(begun_, Opcode::kMore), std::exchange(message_, {})};
}

// Each byte is looked at once, in however many frames it comes. A character may be cut between two
// of them, and be complete in the next one.
bool FrameReader::is_text_so_far(bool is_all) {
  const auto rest = std::string_view(message_).substr(checked_);
  const auto whole = rest.substr(0, rest.size() - (is_all ? 0 : unfinished_at_end(rest)));
  checked_ += whole.size();
  return is_utf8(whole);
}

FrameReader::Event FrameReader::end_by_close(std::string payload) {
  if (payload.empty()) {
    is_over_ = true;
    return {Opcode::kClose, {}, CloseCode::kNone};
  }
  if (payload.size() == 1) return broken(CloseCode::kProtocolError, "a close code of one byte");
  const auto code = big_endian(std::string_view(payload).substr(0, 2));
  if (!may_be_sent(code))
    return broken(CloseCode::kProtocolError, text("no such close code: ", code));
  if (!is_utf8(std::string_view(payload).substr(2)))
    return broken(CloseCode::kNotText, "a reason that is not UTF-8");
  is_over_ = true;
  return {Opcode::kClose, payload.substr(2), static_cast<CloseCode>(code)};
}

FrameReader::Event FrameReader::broken(CloseCode code, std::string reason) {
  is_over_ = true;
  input_.clear();
  at_ = 0;
  message_.clear();
  return {Opcode::kClose, std::move(reason), code, true};
}

}  // namespace eole::gateway::http
