#include "cli/worker_view.hpp"

#include <cmath>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/protocol/needs.hpp"

namespace eole::cli {

using protocol::Value;

namespace {

std::string amount(const Value& value) {
  const auto* number = value.as<double>();
  const auto whole = number != nullptr ? *number : static_cast<double>(value.int_or(0));
  return protocol::amount_text(static_cast<std::uint64_t>(std::llround(whole * 1000)));
}

}  // namespace

std::string offers_shown(const Value& worker) {
  std::string line;
  const auto add = [&](const std::string& what) { line += (line.empty() ? "" : " ") + what; };
  if (const auto* labels = worker["labels"].as<Value::Map>())
    for (const auto& [name, value] : *labels) add(text(name, "=", value.text_or("")));
  if (const auto* resources = worker["resources"].as<Value::Map>())
    for (const auto& [name, amounts] : *resources)
      add(text(name, " ", amount(amounts["free"]), "/", amount(amounts["all"])));
  return shown(line);
}

}  // namespace eole::cli
