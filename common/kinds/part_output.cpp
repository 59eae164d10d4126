#include "common/kinds/part_output.hpp"

#include "common/base/text.hpp"

namespace eole::kinds {

using protocol::Blob;
using protocol::Value;

namespace {

bool is_command(const Value& value) { return !value["exit_code"].is_null(); }

std::string bytes_of(const Value& value) {
  if (value.is_null()) return {};
  if (const auto* blob = value.as<Blob>()) return blob->bytes;
  if (const auto* written = value.as<std::string>()) return *written;
  return value.to_json() + "\n";
}

}  // namespace

Value::Array files_of(const Value& part) {
  Value::Array files;
  if (const auto* several = part["artifacts"].as<Value::Array>()) {
    files = *several;
  } else if (!part["artifact"].is_null()) {
    files.push_back(part["artifact"]);
  }
  if (is_command(part["value"]))
    std::erase_if(files, [](const Value& file) { return file["name"].text_or("") != "stdout"; });
  return files;
}

std::string own_bytes_of(const Value& part) {
  const auto& value = part["value"];
  return bytes_of(is_command(value) ? value["stdout"] : value);
}

Expected<void> check_whole(const Value& part) {
  const auto& value = part["value"];
  const auto files = files_of(part);
  const auto printed = is_command(value) ? value["stdout_bytes"].int_or(0) : 0;
  const auto kept = files.empty() ? 0 : files.front()["bytes"].int_or(0);
  if (printed == 0 || printed == kept) return {};
  return Error{text("it printed ", printed, " bytes, of which ", kept, " are kept (output_max)")};
}

}  // namespace eole::kinds
