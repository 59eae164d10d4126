#include "worker/io/offers.hpp"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "common/protocol/needs.hpp"

namespace eole::worker {

namespace {

protocol::Offers parsed(const Config& config) {
  auto offers = protocol::parse_offers(config.labels, config.resources);
  if (!offers) throw std::runtime_error(offers.error().message);
  return std::move(*offers);
}

}  // namespace

void complete(Config& config) {
  config.host = process::host_name();
  config.version = process::kRelease;
  config.restarts = process::restarts();
  const auto said = parsed(config);
  const auto add = [&](const std::string& name, const std::string& amount) {
    if (said.resources.contains(name)) return;
    config.resources += text(config.resources.empty() ? "" : ",", name, "=", amount);
  };
  const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page_bytes = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGE_SIZE)));
  add("cpus", text(std::max(1U, std::thread::hardware_concurrency())));
  add("mem", text(std::max<std::uint64_t>(1, pages * page_bytes >> 20), "M"));
  parsed(config);
}

}  // namespace eole::worker
