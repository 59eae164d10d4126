#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <sstream>
#include <thread>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/watchdog.hpp"

// ./dev sim: runs seeds until it finds violations or the bound is reached.
namespace {

using namespace eole;
using simulation::Finding;
using simulation::Settings;

constexpr std::uint64_t kFindingsMax = 10;

std::string to_text(const Settings& settings) {
  std::string out;
  for (const auto& [name, value] : settings) {
    char number[32];
    std::snprintf(number, sizeof number, "%g", value);
    out += text(out.empty() ? "" : ",", name, "=", number);
  }
  return out;
}

// "loss=0,workers=1"
Settings parse_settings(const std::string& list) {
  Settings settings;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto equal = part.find('=');
    if (equal == std::string::npos) continue;
    settings.emplace_back(part.substr(0, equal), std::stod(part.substr(equal + 1)));
  }
  return settings;
}

std::string again(std::uint64_t seed, const Settings& settings) {
  return text("./dev sim --seed ", seed, settings.empty() ? "" : " --set " + to_text(settings));
}

int replay(std::uint64_t seed, const Settings& settings, std::uint64_t lines) {
  std::vector<std::string> trace;
  simulation::Watchdog watchdog;
  watchdog.begin(seed, 1, again(seed, settings));
  const auto finding = simulation::run_seed(seed, settings, &trace);
  watchdog.end(seed);
  const auto skip = trace.size() > lines ? trace.size() - lines : 0;
  for (auto at = skip; at < trace.size(); ++at) std::puts(trace[at].c_str());
  std::puts(text("seed ", seed, ": ", finding.violation.empty() ? "good" : finding.violation,
                 ", trace ", hex(finding.trace_hash), ", ", finding.faults, " faults")
                .c_str());
  if (finding.violation.empty()) return 0;
  const auto smaller = simulation::shrink(seed, settings);
  if (smaller != settings)
    std::puts(text("smaller: ", again(seed, smaller), "\n  ",
                   simulation::run_seed(seed, smaller, nullptr).violation)
                  .c_str());
  return 1;
}

struct Search {
  std::uint64_t from = 0;
  std::uint64_t seeds = 2000;
  Duration at_most = 0s;
  bool stops_at_first = false;
  Settings settings;
};

int search(const Search& wanted) {
  const auto started = process::now();
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> bad{0};
  std::atomic<bool> is_stopped{false};
  std::mutex mutex;
  simulation::Watchdog watchdog;
  Finding sum;
  std::uint64_t ran = 0;
  const auto run_some = [&] {
    while (!is_stopped && bad < (wanted.stops_at_first ? 1 : kFindingsMax)) {
      if (wanted.at_most > 0s && process::now() - started > wanted.at_most) return;
      const auto index = next++;
      if (index >= wanted.seeds) return;
      const auto seed = wanted.from + 1 + index;
      watchdog.begin(seed, index + 1, again(seed, wanted.settings));
      const auto finding = simulation::run_seed(seed, wanted.settings, nullptr);
      watchdog.end(seed);
      const std::lock_guard lock(mutex);
      ++ran;
      sum.trace_hash ^= finding.trace_hash * (2 * seed + 1);
      sum.steps += finding.steps;
      sum.faults += finding.faults;
      sum.tasks += finding.tasks;
      sum.virtual_seconds += finding.virtual_seconds;
      if (finding.violation.empty()) continue;
      ++bad;
      std::puts(text("seed ", seed, " (number ", index + 1, "): ", finding.violation,
                     "\n  again: ", again(seed, wanted.settings))
                    .c_str());
    }
  };
  // Ctrl-C ends the search with what it found so far.
  process::StopSignal stop;
  std::atomic<bool> is_over{false};
  std::thread watcher([&] {
    const bool is_shown = ::isatty(STDERR_FILENO) != 0;
    while (!is_over) {
      pollfd watch{stop.fd(), POLLIN, 0};
      ::poll(&watch, 1, 200);
      if (stop.take() > 0) is_stopped = true;
      const std::lock_guard lock(mutex);
      if (is_shown)
        std::fprintf(stderr, "\r%llu seeds, %llu violations ", static_cast<unsigned long long>(ran),
                     static_cast<unsigned long long>(bad));
    }
    if (is_shown) std::fputs("\r\033[K", stderr);
  });
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
    threads.emplace_back(run_some);
  for (auto& thread : threads) thread.join();
  is_over = true;
  watcher.join();
  const auto seconds = std::chrono::duration<double>(process::now() - started).count();
  std::printf(
      "sim: %llu seeds from %llu, %llu violations; %llu tasks, %llu faults, %llu events, "
      "trace %s, %.0f virtual seconds in %.1f s (%.0f times real time)\n",
      static_cast<unsigned long long>(ran), static_cast<unsigned long long>(wanted.from + 1),
      static_cast<unsigned long long>(bad), static_cast<unsigned long long>(sum.tasks),
      static_cast<unsigned long long>(sum.faults), static_cast<unsigned long long>(sum.steps),
      hex(sum.trace_hash).c_str(), sum.virtual_seconds, seconds,
      sum.virtual_seconds / std::max(0.001, seconds));
  return bad == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Search wanted;
  std::uint64_t one = 0;
  std::uint64_t lines = 80;
  std::uint64_t minutes = 0;
  bool is_fresh = false;
  std::string settings;
  process::Options parser("eole-sim", "The fabric under virtual time, with faults, from one seed.");
  parser.number("--seeds", wanted.seeds, "N", "how many seeds");
  parser.number("--from", wanted.from, "N", "the seed before the first");
  parser.toggle("--fresh", is_fresh, "start from a random seed");
  parser.number("--minutes", minutes, "M", "as many seeds as fit into this time");
  parser.toggle("--first", wanted.stops_at_first, "stop at the first violation");
  parser.number("--seed", one, "S", "run this one alone, show its trace, and shrink it");
  parser.text("--set", settings, "LIST", "of the weather: loss=0,workers=1");
  parser.number("--lines", lines, "N", "trace lines to show");
  if (const auto code = parser.parse(argc, argv)) return *code;
  process::mute_log();
  wanted.settings = parse_settings(settings);
  if (one != 0) return replay(one, wanted.settings, lines);
  if (is_fresh) wanted.from = process::random_u64() >> 16;
  if (minutes > 0) {
    wanted.seeds = UINT64_MAX;
    wanted.at_most = std::chrono::minutes(minutes);
  }
  return search(wanted);
}
