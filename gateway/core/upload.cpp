#include "gateway/core/upload.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/kinds/image.hpp"
#include "common/kinds/kinds.hpp"
#include "gateway/core/http/file_names.hpp"

namespace eole::gateway {

using http::Problem;
using protocol::Value;

namespace {

constexpr std::string_view kArtifact = "artifact";
constexpr std::string_view kName = "name";

const kinds::Argument* argument(const kinds::Kind& kind, std::string_view name) {
  const auto found = std::find_if(kind.arguments.begin(), kind.arguments.end(),
                                  [&](const auto& one) { return one.name == name; });
  return found == kind.arguments.end() ? nullptr : &*found;
}

// A kind that does not come with Eole may take anything.
bool takes(const kinds::Kind* kind, std::string_view name) {
  return kind == nullptr || kind->takes_anything || argument(*kind, name) != nullptr;
}

// Forms carry text. What is to be a number or a list is one if it reads as one.
Value value_of(const kinds::Kind* kind, const std::string& name, const std::string& written) {
  const auto* known = kind == nullptr ? nullptr : argument(*kind, name);
  const bool is_text = known == nullptr || known->type == kinds::Type::kText ||
                       known->type == kinds::Type::kWebUrl || known->type == kinds::Type::kSha256 ||
                       known->type == kinds::Type::kBytes;
  if (is_text) return written;
  auto value = Value::from_json(written);
  return value ? std::move(*value) : Value(written);
}

}  // namespace

UploadWish read_wish(const UploadFields& fields, std::string file_name, const Within& within,
                     client::TaskRequest preset) {
  UploadWish wish{.file_name = std::move(file_name), .preset = std::move(preset)};
  wish.project = within.prefix() + wish.project;
  for (const auto& [name, value] : fields) {
    if (name == "kind") wish.kind = value;
    if (name == "project") wish.project = value;
    if (name != "args") continue;
    auto args = Value::from_json(value);
    if (!args) throw Problem(400, text("args: ", args.error().message));
    if (args->as<Value::Map>() == nullptr) throw Problem(400, "args: wanted is a JSON object");
    wish.args = std::move(*args);
  }
  if (!within.has(wish.project))
    throw Problem(403, text("project ", wish.project, ": is not within ", within.prefix()));
  wish.preset.task_class.kind = wish.kind;
  const auto* kind = client::kind_of(wish.preset);
  // Its arguments decide what the fields are: the same upload is the same task, now and later.
  if (kind == nullptr && wish.preset.offered == nullptr) {
    Problem problem(503, text("kind ", wish.kind, ": the ventilator has not said yet who offers it"));
    problem.fields.push_back({"Retry-After", "1"});
    throw problem;
  }
  for (const auto& [name, value] : fields) {
    if (name == "kind" || name == "project" || name == "args") continue;
    if (!takes(kind, name))
      throw Problem(400, text("field ", name, ": kind ", wish.kind, " has no such argument"));
    wish.args.set(name, value_of(kind, name, value));
  }
  if (!takes(kind, kArtifact))
    throw Problem(400, text("kind ", wish.kind, " takes no file: it has no argument artifact"));
  return wish;
}

void check_type(const UploadWish& wish, std::string_view head) {
  if (wish.kind != kinds::kImage.name || planted("any-type-allowed")) return;
  const auto type = http::type_by_content(head);
  if (http::is_picture(type)) return;
  throw Problem(400, text("type not allowed: ", wish.file_name,
                          " is no JPEG, PNG, WebP, GIF, BMP or TIFF, by its first bytes",
                          type.ends_with("octet-stream") ? "" : ", but ",
                          type.ends_with("octet-stream") ? "" : type));
}

Batch task_of(const UploadWish& wish, const std::string& sha256) {
  const auto* kind = client::kind_of(wish.preset);
  auto args = wish.args;
  args.set(std::string(kArtifact), sha256);
  if (takes(kind, kName) && args[kName].is_null()) args.set(std::string(kName), wish.file_name);
  const Value task =
      Value::Map{{"kind", wish.kind}, {"project", wish.project}, {"args", std::move(args)}};
  return read_json_tasks(task.to_json(), wish.preset);
}

std::string told_name(const UploadWish& wish, const TaskId& id) {
  const auto parts = http::name_parts(wish.file_name);
  return text(parts.stem, "-", to_text(id), parts.ending);
}

std::optional<TaskId> task_in_name(std::string_view told) {
  const auto stem = http::name_parts(told).stem;
  const auto seq = stem.rfind('-');
  if (seq == std::string_view::npos || seq == 0) return {};
  const auto origin = stem.rfind('-', seq - 1);
  return parse_task_id(stem.substr(origin == std::string_view::npos ? 0 : origin + 1));
}

}  // namespace eole::gateway
