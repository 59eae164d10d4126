#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>

#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "tests/simulation/fabric.hpp"

// ./dev sim: runs seeds until it finds a violation or the bound is reached.
int main(int argc, char** argv) {
  using namespace eole;
  std::uint64_t seeds = 2000;
  std::uint64_t from = 0;
  std::uint64_t one = 0;
  std::uint64_t lines = 80;
  Duration at_most = 0s;
  bool is_fresh = false;
  process::Options parser("eole-sim", "The fabric under virtual time, with faults, from one seed.");
  parser.number("--seeds", seeds, "N", "how many seeds");
  parser.number("--from", from, "N", "the first seed");
  parser.toggle("--fresh", is_fresh, "start from a random seed");
  parser.number("--seed", one, "S", "run this one alone, and show its trace");
  parser.number("--lines", lines, "N", "trace lines to show");
  parser.duration("--seconds", at_most, "S", "stop after this time; 0: after the seeds");
  if (const auto code = parser.parse(argc, argv)) return *code;
  if (is_fresh) from = process::random_u64() >> 16;

  if (one != 0) {
    std::vector<std::string> trace;
    const auto finding = simulation::run_seed(one, &trace);
    const auto skip = trace.size() > lines ? trace.size() - lines : 0;
    for (auto at = skip; at < trace.size(); ++at) std::printf("%s\n", trace[at].c_str());
    std::printf("seed %llu: %s, trace %016llx, %llu faults\n", static_cast<unsigned long long>(one),
                finding.violation.empty() ? "good" : finding.violation.c_str(),
                static_cast<unsigned long long>(finding.trace_hash),
                static_cast<unsigned long long>(finding.faults));
    return finding.violation.empty() ? 0 : 1;
  }

  const auto started = process::now();
  simulation::Finding sum;
  std::uint64_t ran = 0;
  std::uint64_t bad = 0;
  for (auto seed = from + 1; ran < seeds; ++seed, ++ran) {
    if (at_most > 0s && process::now() - started > at_most) break;
    const auto finding = simulation::run_seed(seed, nullptr);
    sum.steps += finding.steps;
    sum.faults += finding.faults;
    sum.tasks += finding.tasks;
    sum.virtual_seconds += finding.virtual_seconds;
    if (finding.violation.empty()) continue;
    std::printf("seed %llu: %s\n  again: ./dev sim --seed %llu\n",
                static_cast<unsigned long long>(seed), finding.violation.c_str(),
                static_cast<unsigned long long>(seed));
    if (++bad == 10) break;
  }
  const auto seconds = std::chrono::duration<double>(process::now() - started).count();
  std::printf(
      "sim: %llu seeds, %llu violations; %llu tasks, %llu faults, %llu events, "
      "%.0f virtual seconds in %.1f s (%.0f times real time)\n",
      static_cast<unsigned long long>(ran), static_cast<unsigned long long>(bad),
      static_cast<unsigned long long>(sum.tasks), static_cast<unsigned long long>(sum.faults),
      static_cast<unsigned long long>(sum.steps), sum.virtual_seconds, seconds,
      sum.virtual_seconds / std::max(0.001, seconds));
  return bad == 0 ? 0 : 1;
}
