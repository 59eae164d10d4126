#include "gateway/core/http/multipart.hpp"

#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/allocation_limit.hpp"

namespace {

using namespace eole::gateway::http;

/// All that a form comes to, and whether it is refused or whole.
std::string read(FormReader reader, std::string_view form, std::size_t piece) {
  std::string out;
  for (std::size_t at = 0; at < form.size(); at += piece) {
    std::vector<FormEvent> events;
    const auto fed = reader.feed(form.substr(at, piece), events);
    for (const auto& event : events) {
      if (const auto* began = std::get_if<PartBegan>(&event))
        out += "<" + began->head.name + "|" + began->head.file_name.value_or("") + ">";
      if (const auto* came = std::get_if<PartPiece>(&event)) {
        if (came->bytes.empty()) std::abort();
        out += came->bytes;
      }
      if (std::holds_alternative<PartEnded>(event)) out += ".";
    }
    if (!fed) return out + "!" + fed.error().message;
  }
  return out + (reader.is_whole() ? "whole" : "");
}

}  // namespace

// A Content-Type up to the first zero byte, or that of boundary b; then the form, which must come
// to the same wherever it is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const eole::fuzz::AllocationLimit limit(size);
  const auto zero = data[0] % 4 == 0 ? bytes.find('\0') : std::string_view::npos;
  const auto type =
      zero == std::string_view::npos ? "multipart/form-data; boundary=b" : bytes.substr(0, zero);
  const auto form = zero == std::string_view::npos ? bytes : bytes.substr(zero + 1);
  const auto reader = FormReader::of(type);
  if (!reader) return 0;
  const auto whole = read(*reader, form, form.size() + 1);
  if (read(*reader, form, 1 + data[0] / 4) != whole) std::abort();
  return 0;
}
