#include "common/base/text.hpp"
#include "common/net/socket.hpp"
#include "tests/unit/worker/process_rig.hpp"
#include "worker/handlers/web.hpp"
#include "worker/runners/attempt.hpp"
#include "worker/runners/foreign.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

/// Two slots, each with one runner of the same command.
struct Slots : process_rig::ForeignRig {
  ProcessRunner runner = foreign("");
  RunnersChanged all{{{"odd", ""}}};
  ProcessRunners first, second;

  Expected<void> offer(ProcessRunners& slot, const std::vector<std::string>& kinds,
                       std::uint64_t ahead = 1) {
    ProcessRunner::Offer offer{{}, ahead};
    for (const auto& kind : kinds) offer.kinds.push_back({kind});
    return take_offer(runner, offer, 0, slot, all);
  }
};

}  // namespace

TEST_CASE("a runner offers in each slot what it offered in the first", "[worker]") {
  Slots slots;
  REQUIRE(slots.offer(slots.first, {"a", "b"}, 4));
  const auto fewer = slots.offer(slots.second, {"a"});
  REQUIRE_FALSE(fewer);
  CHECK(fewer.error().message == "offers the kind b, in one slot only");
  const auto more = slots.offer(slots.second, {"a", "b", "c"});
  REQUIRE_FALSE(more);
  CHECK(more.error().message == "offers the kind c, in one slot only");
  CHECK(slots.second.by_kind.empty());
  CHECK(slots.all.runners[0].kinds.size() == 2);
  REQUIRE(slots.offer(slots.second, {"b", "a"}, 8));
  CHECK(slots.second.by_kind.size() == 2);
  CHECK(slots.all.ahead["a"] == 4);  // As the first said.
}

TEST_CASE("a task in a slot whose runner never started is not begun: no attempt", "[worker]") {
  const Slots slots;
  net::ClusterFile cluster;
  cluster.artifacts = text("ipc://", slots.directory, "/nobody");
  net::Context context(cluster);
  client::ArtifactClient artifacts(context, cluster);
  Web web{WebOptions{}};
  const Secrets secrets;
  const Signers signers(std::vector<std::string>{});
  const ProcessRunners none;
  SpareDirectory spare(text(slots.directory, "/spare"));
  Surroundings around{slots.directory,
                      spare,
                      artifacts,
                      [&]() -> client::Requests& { throw std::logic_error("nobody asks it"); },
                      none,
                      web,
                      secrets,
                      signers,
                      [](const protocol::Progress&) {},
                      [] { return false; }};
  StartTask task{.id = {1, 1}, .lease = {1, 10}, .task_class = {}, .args = slots.args};
  task.task_class.kind = "odd";
  Cancel cancel;
  CHECK(Attempt(task, cancel, around).run().is_unbegun);
  std::deque<Attempt> attempts;
  for (int i = 0; i < 2; ++i) attempts.emplace_back(task, cancel, around);
  int unbegun = 0;
  run_together(attempts,
               [&](const TaskFinished& finished) { unbegun += finished.is_unbegun ? 1 : 0; });
  CHECK(unbegun == 2);
}
