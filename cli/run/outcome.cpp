#include "cli/run/outcome.hpp"

#include <cmath>

#include "cli/lookup.hpp"

namespace eole::cli {

namespace {

constexpr int kNotStarted = 127;  // As a shell says of a program that cannot be started.
constexpr int kUnknown = -1;

std::string bytes_of(const Value& value) {
  const auto* blob = value.as<protocol::Blob>();
  return blob != nullptr ? blob->bytes : value.text_or("");
}

std::string file_of(const Value& view, const std::string& name) {
  if (view["artifact"]["name"].text_or("") == name) return view["artifact"]["sha256"].text_or("");
  if (const auto* list = view["artifacts"].as<Value::Array>())
    for (const auto& each : *list)
      if (each["name"].text_or("") == name) return each["sha256"].text_or("");
  return {};
}

JobOutcome::Stream stream_of(const Value& view, const std::string& name) {
  JobOutcome::Stream stream{bytes_of(view["value"][name]), {}, 0};
  const auto& size = view["value"][name + "_bytes"];
  stream.size =
      static_cast<std::uint64_t>(size.int_or(static_cast<std::int64_t>(stream.bytes.size())));
  if (!size.is_null()) stream.sha256 = file_of(view, name);
  return stream;
}

}  // namespace

JobOutcome outcome_of(const Value& view) {
  JobOutcome out;
  out.state = view["state"].text_or("");
  out.worker = view["worker"].text_or("");
  if (const auto* seconds = view["run_seconds"].as<double>())
    out.run_ms = std::llround(*seconds * 1000);
  if (const auto at = parse_when(view["finished"].text_or(""), 0)) out.finished_unix_ms = *at;
  out.output = stream_of(view, "stdout");
  out.errors = stream_of(view, "stderr");
  const auto& value = view["value"];
  const auto code = static_cast<int>(value["exit_code"].int_or(kUnknown));
  out.signal = static_cast<int>(value["signal"].int_or(0));
  const bool has_begun = code >= 0;
  out.exit_value = out.signal != 0 ? 0 : code;
  if (!has_begun) out.exit_value = out.state == "failed" ? kNotStarted : kUnknown;
  if (out.is_done()) return out;
  const auto said = view["error"].text_or("");
  if (said != "exit code " + std::to_string(code)) out.error = said;
  return out;
}

}  // namespace eole::cli
