#include "common/protocol/needs.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "common/base/text.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::protocol {

namespace {

constexpr std::string_view kUnits = "KMGT";

// Each "name=value" between commas goes to `take`, which says what is wrong with it.
template <class Take>
Expected<void> each_pair(std::string_view written, Take&& take) {
  std::size_t count = 0;
  if (written.size() > kNeedsBytesMax)
    return Error{text(written.size(), " bytes, limit ", kNeedsBytesMax)};
  while (!written.empty()) {
    const auto end = std::min(written.find(','), written.size());
    const auto pair = written.substr(0, end);
    written.remove_prefix(std::min(end + 1, written.size()));
    const auto equal = pair.find('=');
    if (equal == std::string_view::npos || equal == 0 || equal + 1 == pair.size())
      return Error{text(pair, ": is NAME=VALUE")};
    const auto name = pair.substr(0, equal);
    const auto value = pair.substr(equal + 1);
    if (const auto size = std::max(name.size(), value.size()); size > kNeedBytesMax)
      return Error{text("a name or value of ", size, " bytes, limit ", kNeedBytesMax)};
    if (++count > kNeedsMax) return Error{text("more than ", kNeedsMax)};
    if (auto taken = take(std::string(name), value); !taken) return taken;
  }
  return {};
}

Error said_twice(const std::string& name) { return Error{text(name, ": said twice")}; }

Error no_amount(const std::string& name, std::string_view value) {
  return Error{text(name, "=", value, ": is a number above 0, with K, M, G or T behind it")};
}

// What every worker has of itself is no label: it would be waited for in vain.
bool is_always_resource(std::string_view name) { return name == "cpus" || name == "mem"; }

}  // namespace

std::optional<std::uint64_t> parse_amount(std::string_view written) {
  double scale = 1000;
  if (!written.empty()) {
    const auto unit = kUnits.find(written.back());
    if (unit != std::string_view::npos) {
      for (std::size_t i = 0; i <= unit; ++i) scale *= 1024;
      written.remove_suffix(1);
    }
  }
  double number = 0;
  const auto* end = written.data() + written.size();
  const auto read = std::from_chars(written.data(), end, number, std::chars_format::fixed);
  if (read.ec != std::errc() || read.ptr != end || written.empty()) return std::nullopt;
  const double thousandths = number * scale;
  if (!(thousandths >= 1) || thousandths > static_cast<double>(kAmountMax)) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(thousandths));
}

std::string amount_text(std::uint64_t thousandths) {
  double number = static_cast<double>(thousandths) / 1000;
  std::string unit;
  for (const char next : kUnits) {
    if (number < 1024) break;
    number /= 1024;
    unit = next;
  }
  char shown[32];
  std::snprintf(shown, sizeof shown, "%.4g", number);
  return shown + unit;
}

Expected<std::vector<Need>> parse_needs(std::string_view written) {
  std::vector<Need> needs;
  const auto parsed =
      each_pair(written, [&](std::string name, std::string_view value) -> Expected<void> {
        for (const auto& known : needs)
          if (known.name == name) return said_twice(name);
        const auto amount = parse_amount(value);
        if (!amount && is_always_resource(name)) return no_amount(name, value);
        needs.push_back({std::move(name), std::string(value), amount});
        return {};
      });
  if (!parsed) return parsed.error();
  return needs;
}

Expected<Offers> parse_offers(std::string_view labels, std::string_view resources) {
  Offers offers;
  const auto label = [&](std::string name, std::string_view value) -> Expected<void> {
    if (is_always_resource(name)) return Error{text(name, ": is a resource")};
    if (offers.labels.contains(name)) return said_twice(name);
    offers.labels.emplace(std::move(name), value);
    return {};
  };
  const auto resource = [&](std::string name, std::string_view value) -> Expected<void> {
    if (offers.labels.contains(name) || offers.resources.contains(name)) return said_twice(name);
    const auto amount = parse_amount(value);
    if (!amount) return no_amount(name, value);
    offers.resources.emplace(std::move(name), *amount);
    return {};
  };
  if (const auto parsed = each_pair(labels, label); !parsed)
    return Error{text("label: ", parsed.error().message)};
  if (const auto parsed = each_pair(resources, resource); !parsed)
    return Error{text("resource: ", parsed.error().message)};
  return offers;
}

Expected<Place> parse_place(std::string_view written) {
  using Is = Place::Is;
  if (written.empty()) return Place{};
  if (written == "spread") return Place{Is::kSpread};
  for (const auto& [prefix, is] :
       {std::pair<std::string_view, Is>{"pin=", Is::kPin}, {"prefer=", Is::kPrefer}}) {
    if (!written.starts_with(prefix)) continue;
    const auto worker = written.substr(prefix.size());
    if (worker.empty() || worker.size() > kNameBytesMax)
      return Error{
          text("a worker's name of ", worker.size(), " bytes, limits 1 and ", kNameBytesMax)};
    return Place{is, std::string(worker)};
  }
  return Error{text(written, ": is pin=WORKER, prefer=WORKER or spread")};
}

}  // namespace eole::protocol
