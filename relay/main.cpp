#include "common/process/private.hpp"
#include "common/role/loop.hpp"
#include "common/role/program.hpp"
#include "relay/io/relay.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  role::Program program("relay", "Acts on what was declared: chains of queues, and alerts.");
  return program.run(argc, argv, [&]() -> int {
    process::keep_private();
    const auto cluster = program.cluster();
    role::Loop loop(cluster, role::Loop::Kind::kConnects);
    relay::Relay relay(loop.context(), cluster);
    while (loop.take_stops() == 0) {
      relay.turn();
      loop.sleep(process::now() + 1s, [] {});
    }
    return 0;
  });
}
