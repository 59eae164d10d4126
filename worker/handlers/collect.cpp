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
    hash_.add(bytes);
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
  std::uint64_t bytes() const { return bytes_; }
  Outcome finish(Value value, std::string name, const std::string& wanted_sha256) {
    file_.close();
    if (file_.fail()) return Outcome::failed(text("collect: cannot write ", path_));
    const auto sha256 = hex(hash_.digest());
    if (!wanted_sha256.empty() && sha256 != wanted_sha256)
      return Outcome::failed(text("collect: sha256 is ", sha256, ", wanted ", wanted_sha256));
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
  process::Sha256 hash_;
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

/// What downloads with `parts` came to: each other's neighbours, of one version, and all of it.
class Stretches {
 public:
  /// `at`: bytes that are there before this one.
  Expected<void> add(const Value& stretch, std::uint64_t at) {
    if (stretch.is_null()) {
      if (!first_.is_null()) return Error{"is no part of a file, and others are"};
      is_other_ = true;
      return {};
    }
    if (is_other_) return Error{"is a part of a file, and others are not"};
    if (first_.is_null()) first_ = stretch;
    for (const auto* name : {"version", "total", "of"})
      if (stretch[name] != first_[name])
        return Error{text("is of another file or version: its ", name, " is ",
                          shown(stretch[name].to_json()), ", of the first part ",
                          shown(first_[name].to_json()))};
    if (stretch["from"] != Value(at))
      return Error{text("begins at ", shown(stretch["from"].to_json()),
                        ", the parts before it end at ", at)};
    return {};
  }
  Expected<void> end(std::uint64_t bytes) const {
    if (first_.is_null() || first_["total"] == Value(bytes)) return {};
    return Error{
        text("the parts have ", bytes, " bytes, the file ", shown(first_["total"].to_json()))};
  }

 private:
  Value first_;
  bool is_other_ = false;
};

Expected<void> concat(const Value& part, TaskContext& context, Output& out, Stretches& stretches) {
  if (auto next = stretches.add(part["value"]["part"], out.bytes()); !next) return next;
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
    if (!args["sha256"].is_null())
      return Outcome::failed("collect: sha256 is an artifact's, a sum is none");
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
  Stretches stretches;
  const auto put = [&](const Value& part) -> Expected<void> {
    if (how == "concat") return concat(part, context, out, stretches);
    if (how == "manifest") return list_checked(part, context, out);
    return out.add_item(part["value"]) ? Expected<void>() : out.failure();
  };
  if (auto all = each(parts, context, put); !all) return fail(all.error());
  if (auto all = stretches.end(out.bytes()); !all) return fail(all.error());
  const bool is_list = how != "concat";
  if (is_list && !out.end_list()) return fail(out.failure());
  const auto ending = how == "json" ? ".json" : how == "manifest" ? ".manifest.json" : "";
  return out.finish(std::move(value), name_of(args, project, ending), args["sha256"].text_or(""));
}

}  // namespace eole::worker
