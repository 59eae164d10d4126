#include <algorithm>
#include <cstdint>
#include <string_view>

#include "gateway/core/wamp/router.hpp"

namespace {

using namespace eole::gateway::wamp;

constexpr Peer kClients = 3;

// A router that has three clients.
Router welcomed() {
  Router router({"eole.submit"});
  Actions actions;
  for (Peer peer = 1; peer <= kClients; ++peer) {
    router.open(peer, peer);
    router.on_text(peer, R"([1,"eole",{"roles":{}}])", actions);
  }
  return router;
}

}  // namespace

// What three clients say, a line each in turn: whatever it is, each hears JSON, and one that leaves
// is heard of no more.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Router kWelcomed = welcomed();
  auto router = kWelcomed;
  Actions actions;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (Peer turn = 0; !rest.empty(); ++turn) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto peer = turn % kClients + 1;
    line == "leave" ? router.close(peer, actions) : router.on_text(peer, line, actions);
    for (const auto& action : actions) {
      const auto* send = std::get_if<Send>(&action);
      if (send != nullptr && !eole::protocol::Value::from_json(*send->text)) __builtin_trap();
    }
    actions.clear();
  }
  for (Peer peer = 1; peer <= kClients; ++peer) router.close(peer, actions);
  actions.clear();
  router.publish("a", "eole.a.b.c", {}, actions);
  if (!actions.empty() || router.has_subscribers()) __builtin_trap();
  return 0;
}
