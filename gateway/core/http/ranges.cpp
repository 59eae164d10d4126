#include "gateway/core/http/ranges.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "gateway/core/http/letters.hpp"

namespace eole::gateway::http {

namespace {

constexpr auto kEndless = std::numeric_limits<std::uint64_t>::max();

// A number too large for 64 bits lies behind every file.
std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto* end = digits.data() + digits.size();
  if (!digits.empty() && (digits.front() < '0' || digits.front() > '9')) return {};
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (stop != end || digits.empty()) return {};
  return error == std::errc::result_out_of_range ? kEndless : value;
}

// "0-99", "100-" or "-5", as it is written: before it is cut to what is there.
struct Spec {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
};
std::optional<Spec> spec_of(std::string_view written) {
  const auto dash = written.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first = number(written.substr(0, dash));
  const auto last = number(written.substr(dash + 1));
  const bool is_suffix = dash == 0 && last;
  const bool is_open = dash + 1 == written.size() && first;
  if (!is_suffix && !is_open && !(first && last && *first <= *last)) return {};
  return Spec{first, last};
}

// Nothing: none of it is there.
std::optional<ByteRange> within(const Spec& spec, std::uint64_t size) {
  if (!spec.first) {
    if (*spec.last == 0 || size == 0) return {};
    return ByteRange{size - std::min(size, *spec.last), size - 1};
  }
  if (*spec.first >= size) return {};
  return ByteRange{*spec.first, std::min(spec.last.value_or(kEndless), size - 1)};
}

// What stands between commas, blanks around it taken away; empty ones are none.
std::vector<std::string_view> listed(std::string_view list) {
  std::vector<std::string_view> out;
  while (true) {
    const auto comma = list.find(',');
    if (const auto one = trimmed(list.substr(0, comma)); !one.empty()) out.push_back(one);
    if (comma == std::string_view::npos) return out;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<std::vector<ByteRange>> wanted_ranges(std::string_view range, std::uint64_t size) {
  const auto equals = range.find('=');
  if (equals == std::string_view::npos) return {};
  if (lower(trimmed(range.substr(0, equals))) != "bytes") return {};
  const auto written = listed(range.substr(equals + 1));
  if (written.empty() || (written.size() > kByteRangesMax && !planted("ranges-without-limit")))
    return {};
  std::vector<ByteRange> out;
  std::uint64_t sum = 0;
  for (const auto one : written) {
    const auto spec = spec_of(one);
    if (!spec) return {};
    const auto found = within(*spec, size);
    if (!found) continue;
    if (found->size() > size - sum) return {};
    sum += found->size();
    out.push_back(*found);
  }
  return out;
}

bool if_range_holds(std::string_view if_range, std::string_view etag) {
  return if_range.empty() || trimmed(if_range) == etag;
}

bool names_etag(std::string_view list, std::string_view etag) {
  const auto all = listed(list);
  return std::any_of(all.begin(), all.end(), [&](std::string_view one) {
    if (one.starts_with("W/")) one.remove_prefix(2);
    return one == "*" || one == etag;
  });
}

std::string content_range(const std::optional<ByteRange>& range, std::uint64_t size) {
  if (!range) return text("bytes */", size);
  return text("bytes ", range->first, "-", range->last, "/", size);
}

std::string RangeFrames::head(const ByteRange& range) const {
  return text("\r\n--", boundary, "\r\nContent-Type: ", content_type,
              "\r\nContent-Range: ", content_range(range, size), "\r\n\r\n");
}

std::string RangeFrames::end() const { return text("\r\n--", boundary, "--\r\n"); }

std::uint64_t RangeFrames::length(const std::vector<ByteRange>& ranges) const {
  std::uint64_t sum = end().size();
  for (const auto& range : ranges) sum += head(range).size() + range.size();
  return sum;
}

}  // namespace eole::gateway::http
