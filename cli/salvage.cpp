#include "common/storage/salvage.hpp"

#include <unistd.h>

#include <filesystem>

#include "cli/common.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/storage/real_disk.hpp"

namespace eole::cli {

namespace {

// Whoever names the directory above is told where the stores are. A look changes nothing.
void must_be_store(const std::string& path) {
  const auto has_segments = [](const std::filesystem::path& directory) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
      if (entry.path().extension() == ".seg") return true;
    return false;
  };
  if (has_segments(path)) return;
  std::string stores;
  for (const auto* below : {"ventilator", "sink/log", "log"}) {
    const auto store = std::filesystem::path(path) / below;
    if (has_segments(store)) stores += text(stores.empty() ? "" : " and ", shown(store.string()));
  }
  throw Failure{kBadUse, text("salvage: ", shown(path), ": no .seg files here",
                              stores.empty()
                                  ? " (the journal is in data/ventilator, the log in data/sink/log)"
                                  : text("; they are in ", stores))};
}

void must_be_new(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path)) return;
  if (std::filesystem::is_directory(path) && std::filesystem::is_empty(path, ignored)) return;
  throw Failure{kBadUse,
                text("salvage: --to ", shown(path), ": is there already; name a new directory")};
}

// Reads all of it and changes nothing.
int check(const std::string& path, bool json) {
  const auto directory = storage::open_directory(path);
  std::uint64_t records = 0;
  const auto losses = storage::read_damaged(
      *directory, [&](storage::Position, std::uint32_t, std::string_view) { ++records; });
  Value::Array places;
  for (const auto& loss : losses) {
    if (json)
      places.push_back(
          Value::Map{{"segment", loss.segment}, {"offset", loss.offset}, {"bytes", loss.bytes}});
    else
      std::printf("segment %u: %llu bytes damaged at offset %llu\n", loss.segment,
                  static_cast<unsigned long long>(loss.bytes),
                  static_cast<unsigned long long>(loss.offset));
  }
  if (json)
    print_json(Value::Map{{"records", records}, {"damaged", std::move(places)}});
  else
    std::printf("%s: %llu whole records, %zu damaged places\n", path.c_str(),
                static_cast<unsigned long long>(records), losses.size());
  return losses.empty() ? kDone : kNotDone;
}

// The role that wrote the store knows what its records mean.
void write_anew(const std::string& from, const std::string& to, bool json) {
  must_be_new(to);
  const auto kind = storage::kind_of(*storage::open_directory(from));
  const auto role = kind == storage::StoreKind::kLog ? "sink" : "ventilator";
  const auto program =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / role).string();
  ::execl(program.c_str(), role, "--data", from.c_str(), "--salvage", to.c_str(),
          json ? "--json" : nullptr, nullptr);
  throw Failure{kBadUse, "salvage: cannot run " + program};
}

}  // namespace

void add_salvage(Command& app, Globals& globals) {
  auto* command = app.add_subcommand(
      "salvage", "Check a stopped ventilator's journal or sink's log; save what is whole");
  auto from = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  command
      ->add_option("directory", *from,
                   "where the .seg files are: data/ventilator or data/sink/log of the cluster")
      ->required()
      ->existing_directory();
  command->add_option("--to", *to, "write every whole record to this new directory");
  command->add_flag("--json", globals.json, "one JSON object");
  command->footer(
      "Without --to nothing is written.\n"
      "Then put the new directory in the old one's place and start the role again. Tasks whose\n"
      "records were lost end as dead letters; a salvaged log is a new log: readers start over.\n"
      "Exit codes: 0 whole, or salvaged; 1 there is damage; 2 no store here, it is in use, or NEW\n"
      "is there already.");
  command->callback([=, &globals] {
    must_be_store(*from);
    try {
      if (to->empty())
        globals.exit_code = check(*from, globals.json);
      else
        write_anew(*from, *to, globals.json);
    } catch (const storage::StorageFailure& failure) {
      throw Failure{kBadUse, text("salvage: ", *from, ": ", failure.what())};
    }
  });
}

}  // namespace eole::cli
