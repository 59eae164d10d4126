#include "common/process/options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "common/base/text.hpp"

namespace eole::process {

namespace {

constexpr double kSecondsMax = 1e9;

Expected<double> parse_seconds(const std::string& written) {
  char* end = nullptr;
  const double value = std::strtod(written.c_str(), &end);
  if (written.empty() || *end != '\0' || !(value >= 0) || value > kSecondsMax)
    return Error{eole::text(written, " is no number of seconds from 0 to ",
                            static_cast<std::uint64_t>(kSecondsMax))};
  return value;
}

std::string environment_name(std::string_view flag) {
  std::string name = "EOLE_";
  for (const char letter : flag.substr(2))
    name +=
        letter == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return name;
}

}  // namespace

std::uint32_t restarts() {
  const char* told = std::getenv(kRestarts);
  return told == nullptr ? 0 : static_cast<std::uint32_t>(std::strtoul(told, nullptr, 10));
}

Expected<std::uint64_t> parse_number(std::string_view written, std::uint64_t least,
                                     std::uint64_t most) {
  std::uint64_t number = 0;
  const auto* end = written.data() + written.size();
  const auto [at, error] = std::from_chars(written.data(), end, number);
  if (error == std::errc{} && at == end && number >= least && number <= most) return number;
  return Error{eole::text(written, " is no whole number from ", least, " to ", most)};
}

Expected<std::uint64_t> parse_size(std::string_view written, std::uint64_t least) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  constexpr Unit kUnits[] = {{"", 1},
                             {"B", 1},
                             {"kB", 1'000},
                             {"MB", 1'000'000},
                             {"GB", 1'000'000'000},
                             {"TB", 1'000'000'000'000},
                             {"KiB", 1ULL << 10},
                             {"MiB", 1ULL << 20},
                             {"GiB", 1ULL << 30},
                             {"TiB", 1ULL << 40}};
  std::uint64_t number = 0;
  const auto* end = written.data() + written.size();
  const auto [at, error] = std::from_chars(written.data(), end, number);
  const std::string_view name(at, static_cast<std::size_t>(end - at));
  for (const auto& unit : kUnits)
    if (error == std::errc{} && unit.name == name && number <= UINT64_MAX / unit.bytes &&
        number * unit.bytes >= least)
      return number * unit.bytes;
  return Error{eole::text(written, " is no size from ", least, " bytes on (500000, 64MiB, 10GB)")};
}

Options::Options(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {}

void Options::text(std::string flag, std::string& value, std::string placeholder,
                   std::string help) {
  flags_.push_back({std::move(flag), std::move(placeholder), std::move(help), value,
                    [&value](const std::string& given) {
                      value = given;
                      return Expected<void>();
                    }});
}

void Options::list(std::string flag, std::string& value, std::string placeholder,
                   std::string help) {
  flags_.push_back({std::move(flag), std::move(placeholder), std::move(help), value,
                    [&value](const std::string& given) {
                      value += (value.empty() ? "" : ",") + given;
                      return Expected<void>();
                    }});
}

void Options::texts(std::string flag, std::vector<std::string>& values, std::string placeholder,
                    std::string help) {
  flags_.push_back({std::move(flag), std::move(placeholder), std::move(help), "",
                    [&values](const std::string& given) {
                      values.push_back(given);
                      return Expected<void>();
                    }});
}

void Options::duration(std::string flag, Duration& value, std::string placeholder,
                       std::string help) {
  char preset[32];
  std::snprintf(preset, sizeof preset, "%g", std::chrono::duration<double>(value).count());
  flags_.push_back({std::move(flag), std::move(placeholder), std::move(help), preset,
                    [&value](const std::string& given) -> Expected<void> {
                      const auto seconds = parse_seconds(given);
                      if (!seconds) return seconds.error();
                      value = std::chrono::duration_cast<Duration>(
                          std::chrono::duration<double>(*seconds));
                      return {};
                    }});
}

void Options::add_number(std::string flag, std::string placeholder, std::string help,
                         std::string preset,
                         std::function<Expected<std::uint64_t>(const std::string&)> parse,
                         std::function<void(std::uint64_t)> set) {
  flags_.push_back({std::move(flag), std::move(placeholder), std::move(help), std::move(preset),
                    [parse = std::move(parse),
                     set = std::move(set)](const std::string& given) -> Expected<void> {
                      const auto number = parse(given);
                      if (!number) return number.error();
                      set(*number);
                      return {};
                    }});
}

void Options::size(std::string flag, std::uint64_t& value, std::string placeholder,
                   std::string help, std::uint64_t least) {
  add_number(
      std::move(flag), std::move(placeholder), std::move(help), std::to_string(value),
      [least](const std::string& given) { return parse_size(given, least); },
      [&value](std::uint64_t bytes) { value = bytes; });
}

void Options::toggle(std::string flag, bool& value, std::string help) {
  flags_.push_back({std::move(flag), "", std::move(help), "", [&value](const std::string& given) {
                      value = given != "0" && given != "false";
                      return Expected<void>();
                    }});
}

void Options::print_help() const {
  std::printf("%s - %s\n\nOptions (each also from the environment, --x-y as EOLE_X_Y):\n",
              program_.c_str(), purpose_.c_str());
  for (const auto& flag : flags_) {
    const auto left = flag.name + (flag.placeholder.empty() ? "" : " " + flag.placeholder);
    std::printf("  %-28s %s", left.c_str(), flag.help.c_str());
    if (!flag.preset.empty()) std::printf(" [%s]", flag.preset.c_str());
    std::printf("\n");
  }
  std::printf("  %-28s %s\n  %-28s %s\n", "--help", "this text", "--version", "the version");
  std::printf(
      "\nExit codes: 0 stopped as asked, 2 cannot start until something is mended (flags, files,\n"
      "damage), 3 the disk or an address failed, or superseded.\n");
}

std::optional<int> Options::parse(int argc, char** argv) {
  const auto fail = [&](const std::string& problem) {
    std::fprintf(stderr, "%s: %s (--help lists the options)\n", program_.c_str(), problem.c_str());
    return 2;
  };
  for (auto& flag : flags_) {
    const auto name = environment_name(flag.name);
    const char* given = std::getenv(name.c_str());
    if (given == nullptr || *given == '\0') continue;
    if (const auto set = flag.set(given); !set) return fail(name + ": " + set.error().message);
  }
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    if (name == "--help" || name == "-h") return print_help(), 0;
    if (name == "--version") return std::printf("%s %s\n", program_.c_str(), kRelease), 0;
    std::optional<std::string> value;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    const auto flag = std::find_if(flags_.begin(), flags_.end(),
                                   [&](const Flag& known) { return known.name == name; });
    if (flag == flags_.end()) return fail("unknown option " + name);
    if (flag->placeholder.empty()) {
      (void)flag->set(value.value_or("1"));
      continue;
    }
    if (!value) {
      if (++i >= argc) return fail(name + " needs a value");
      value = argv[i];
    }
    if (const auto set = flag->set(*value); !set) return fail(name + ": " + set.error().message);
  }
  return std::nullopt;
}

}  // namespace eole::process
