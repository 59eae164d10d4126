#include "common/kinds/collect.hpp"

#include <algorithm>
#include <fstream>
#include <optional>

#include "common/base/planted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/kinds/part_output.hpp"
#include "common/process/hash.hpp"
#include "worker/handlers/kept_output.hpp"
#include "worker/handlers/kinds.hpp"
#include "worker/handlers/parts.hpp"

namespace eole::worker {

namespace {

using OnBytes = TaskContext::OnBytes;

/// The file that it comes to; what is short of it is told as a list, too.
class Output {
 public:
  explicit Output(std::string path)
      : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {}
  bool add(std::string_view bytes) {
    bytes_ += bytes.size();
    return !file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).fail();
  }
  bool add_item(const Value& item) {
    const bool is_good = add(count_++ == 0 ? "[" : ",\n") && add(item.to_json());
    if (bytes_ <= KeptOutput::kInlineMax) {
      list_.push_back(item);
    } else {
      list_ = {};
    }
    return is_good;
  }
  bool end_list() { return add(count_ == 0 ? "[]\n" : "]\n"); }
  Outcome finish(Value value, std::string name) {
    file_.close();
    if (file_.fail()) return Outcome::failed(text("collect: cannot write ", path_));
    value.set("bytes", bytes_);
    if (list_.size() == count_ && count_ > 0) {
      auto told = value;
      told.set("list", std::move(list_));
      // In a result it may be nested too deep.
      if (protocol::is_msgpack(Value(Value::Map{{"value", told}}).to_msgpack())) value = told;
    }
    auto outcome = Outcome::done(std::move(value));
    outcome.files.push_back({path_, std::move(name)});
    return outcome;
  }
  Error failure() const { return Error{text("cannot write ", path_)}; }

 private:
  std::string path_;
  std::ofstream file_;
  std::uint64_t bytes_ = 0;
  std::uint64_t count_ = 0;
  Value::Array list_;
};

template <class Take>  // Expected<void>(part)
Expected<void> each(Parts& parts, TaskContext& context, Take&& take) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (context.is_cancelled()) return Error{"cancelled"};
    const auto part = parts.at(i);
    if (!part) return part.error();
    if (auto taken = take(*part); !taken)
      return Error{text("part ", (*part)["id"].text_or(""), ": ", taken.error().message)};
    context.progress(i + 1, parts.size(), "putting together");
  }
  return {};
}

// ---- The ways to put them together.

Expected<void> concat(const Value& part, TaskContext& context, Output& out) {
  const auto files = kinds::files_of(part);
  if (auto whole = kinds::check_whole(part); !whole) return whole;
  const auto take = [&](std::string_view bytes) { return out.add(bytes); };
  if (files.empty() && !take(kinds::own_bytes_of(part))) return out.failure();
  for (const auto& file : files)
    if (auto got = context.read(file["sha256"].text_or(""), take); !got) return got;
  return {};
}

// An artifact is read through: reading compares its digest.
Expected<void> list_checked(const Value& part, TaskContext& context, Output& out) {
  const auto files = kinds::files_of(part);
  if (auto whole = kinds::check_whole(part); !whole) return whole;
  Value entry = Value::Map{{"id", part["id"]}};
  if (files.empty()) {
    const auto bytes = kinds::own_bytes_of(part);
    entry.set("bytes", static_cast<std::uint64_t>(bytes.size()));
    entry.set("sha256", hex(process::sha256(bytes)));
    return out.add_item(entry) ? Expected<void>() : out.failure();
  }
  for (const auto& file : files) {
    std::int64_t bytes = 0;
    const auto count = [&](std::string_view piece) {
      bytes += static_cast<std::int64_t>(piece.size());
      return true;
    };
    const auto sha256 = file["sha256"].text_or("");
    if (!planted("manifest-not-checked"))
      if (auto got = context.read(sha256, count); !got) return got;
    if (bytes != file["bytes"].int_or(-1))
      return Error{text("artifact ", sha256, ": has ", bytes, " bytes, its result says ",
                        file["bytes"].int_or(-1))};
    entry.set("name", file["name"]);
    entry.set("bytes", bytes);
    entry.set("sha256", sha256);
    if (!out.add_item(entry)) return out.failure();
  }
  return {};
}

std::optional<double> number_of(const Value& value) {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* real = value.as<double>()) return *real;
  return std::nullopt;
}

// Of maps it is that of their members; one that a part does not have counts as nothing.
Expected<Value> sum_of(const Value& sum, const Value& more, const std::string& where) {
  if (const auto* members = more.as<Value::Map>()) {
    if (!sum.is_null() && sum.as<Value::Map>() == nullptr)
      return Error{text(where, " is a map, and a number elsewhere")};
    Value added = sum.is_null() ? Value(Value::Map{}) : sum;
    for (const auto& [name, value] : *members) {
      auto one = sum_of(sum[name], value, text(where, ".", shown(name)));
      if (!one) return one;
      added.set(name, std::move(*one));
    }
    return added;
  }
  const auto real = number_of(more);
  if (!real) return Error{text(where, " is no number")};
  if (sum.is_null()) return more;
  const auto real_sum = number_of(sum);
  if (!real_sum) return Error{text(where, " is a number, and a map elsewhere")};
  const auto* whole = sum.as<std::int64_t>();
  const auto* other = more.as<std::int64_t>();
  if (whole == nullptr || other == nullptr) return Value(*real_sum + *real);
  std::int64_t total = 0;
  if (__builtin_add_overflow(*whole, *other, &total))
    return Error{text(where, ": the sum is beyond 64 bits")};
  return Value(total);
}

// Given, or that of which this is the last task.
std::string project_of(const Value& args, const TaskContext& context) {
  auto project = args["project"].text_or("");
  return project.empty() ? last_task_of(context) : project;
}

std::string name_of(const Value& args, std::string project, std::string_view ending) {
  if (auto name = args["name"].text_or(""); !name.empty()) return name;
  std::replace(project.begin(), project.end(), '/', '_');
  return project + std::string(ending);
}

}  // namespace

Outcome run_collect(const Value& args, TaskContext& context) {
  const auto project = project_of(args, context);
  if (project.empty())
    return Outcome::failed("collect: project is missing, and this is no project's last task");
  const auto fail = [&](const Error& error) {
    return Outcome::failed(context.is_cancelled()
                               ? "cancelled"
                               : text("collect: project ", shown(project), ": ", error.message));
  };
  Parts parts(context.scratch_path("parts"));
  if (auto gathered = gather(parts, project, context); !gathered) return fail(gathered.error());
  Value value = Value::Map{{"parts", static_cast<std::uint64_t>(parts.size())}};
  const auto how = args["how"].text_or("");
  if (how == "sum") {
    Value sum;
    const auto add = [&](const Value& part) -> Expected<void> {
      auto added = sum_of(sum, part["value"], "value");
      if (!added) return added.error();
      sum = std::move(*added);
      return {};
    };
    if (auto all = each(parts, context, add); !all) return fail(all.error());
    value.set("sum", std::move(sum));
    return Outcome::done(std::move(value));
  }
  Output out(context.scratch_path("output"));
  const auto put = [&](const Value& part) -> Expected<void> {
    if (how == "concat") return concat(part, context, out);
    if (how == "manifest") return list_checked(part, context, out);
    return out.add_item(part["value"]) ? Expected<void>() : out.failure();
  };
  if (auto all = each(parts, context, put); !all) return fail(all.error());
  const bool is_list = how != "concat";
  if (is_list && !out.end_list()) return fail(out.failure());
  const auto ending = how == "json" ? ".json" : how == "manifest" ? ".manifest.json" : "";
  return out.finish(std::move(value), name_of(args, project, ending));
}

}  // namespace eole::worker
