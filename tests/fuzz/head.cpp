#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/http/origin.hpp"
#include "gateway/core/http/problem.hpp"
#include "gateway/core/http/reader.hpp"
#include "tests/fuzz/allocation_limit.hpp"

namespace {

using namespace eole::gateway::http;

void need(bool holds) {
  if (!holds) std::abort();
}

// What a connection's bytes come to: each request with its body, and the status of what ends it.
// A request that is refused is the last one, whatever follows.
std::string read(std::string_view bytes, std::size_t piece) {
  static const Place place{true, false, {"*.example.org"}, "https://example.org"};
  RequestReader reader;
  std::string out;
  std::string input;
  try {
    while (true) {
      const auto taken = reader.feed(input);
      input.erase(0, taken);
      if (reader.has_head()) {
        const auto request = reader.take_head();
        need(request.target == "*" || request.target.starts_with('/'));
        need(request.fields.size() <= kRequestFieldsMax);
        for (const auto& segment : request.segments) need(segment != ".." && segment != ".");
        out += request.method + " " + request.target + (request.keeps_alive ? "+" : "-");
        try {
          if (check_origin(request, place)) out += "shared";
          check_site(request);
          if (is_preflight(request)) out += std::to_string(allow(request).status);
        } catch (const Problem& problem) {
          out += std::to_string(problem.status);
        }
        continue;
      }
      out += reader.take_body();
      if (reader.is_done()) {
        out += "|";
        reader.next_request();
        continue;
      }
      if (taken > 0 && !input.empty()) continue;
      if (bytes.empty()) return out + (reader.is_begun() ? "..." : "");
      input += bytes.substr(0, piece);
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
  } catch (const Problem& problem) {
    need(problem.status >= 400 && problem.status <= 505);
    return out + reader.take_body() + "!" + std::to_string(problem.status);
  }
}

}  // namespace

// What comes over one connection, which must come to the same wherever it is cut. It ends a head: of
// one without an end the parser may see what is wrong sooner or later.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  bytes += "\r\n\r\n";
  const eole::fuzz::AllocationLimit limit(size);
  const auto whole = read(bytes, bytes.size() + 1);
  need(read(bytes, 1 + data[0] % 16) == whole);
  return 0;
}
