#include "common/protocol/trace.hpp"

#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace eole::protocol {

namespace {

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kParentIdBytes = 8;
constexpr std::size_t kWrittenBytes = 55;  // Of version 00: 2 + 1 + 32 + 1 + 16 + 1 + 2.

int digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// False unless all of it is lower-case hexadecimal.
bool add_hex(std::string_view written, Bytes& out) {
  for (std::size_t at = 0; at < written.size(); at += 2) {
    const int high = digit(written[at]);
    const int low = digit(written[at + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

}  // namespace

std::optional<Bytes> parse_traceparent(std::string_view written) {
  if (written.size() < kWrittenBytes) return std::nullopt;
  for (const std::size_t dash : {2, 35, 52})
    if (written[dash] != '-') return std::nullopt;
  Bytes version;
  if (!add_hex(written.substr(0, 2), version) || version[0] == '\xff') return std::nullopt;
  const bool has_more = written.size() > kWrittenBytes;
  if (has_more && (version[0] == 0 || written[kWrittenBytes] != '-')) return std::nullopt;
  Bytes trace;
  const bool is_hex = add_hex(written.substr(3, 32), trace) &&
                      add_hex(written.substr(36, 16), trace) &&
                      add_hex(written.substr(53, 2), trace);
  if (!is_hex || !is_trace(trace)) return std::nullopt;
  return trace;
}

std::string traceparent_of(std::string_view trace) {
  if (trace.size() != kTraceBytes) return {};
  return text("00-", hex(trace.substr(0, kTraceIdBytes)), "-",
              hex(trace.substr(kTraceIdBytes, kParentIdBytes)), "-",
              hex(trace.substr(kTraceIdBytes + kParentIdBytes)));
}

bool is_trace(std::string_view trace) {
  const auto has_bits = [](std::string_view id) { return id.find_first_not_of('\0') != id.npos; };
  return trace.size() == kTraceBytes && has_bits(trace.substr(0, kTraceIdBytes)) &&
         has_bits(trace.substr(kTraceIdBytes, kParentIdBytes));
}

}  // namespace eole::protocol
