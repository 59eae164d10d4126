#include "worker/core/inbox.hpp"

#include <algorithm>

#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

struct InboxRig {
  TimePoint now = kStart;
  Inbox inbox;
  Outbox outbox;
  Actions out;

  explicit InboxRig(const Config& config = Rig::config())
      : inbox(config), outbox(config, kRun, kOrigin) {}
  Inbox::Received receive(const std::vector<Seq>& seqs, const std::string& kind = "work",
                          std::uint64_t lease_factor = 10, std::size_t cut = 0) {
    Bytes payload;
    for (const auto seq : seqs) put_task(payload, {seq, seq * lease_factor, 1, 1, {}, {}}, kind);
    payload = payload.substr(0, payload.size() - cut);
    return inbox.receive(
        {1, kRun, 1, kOrigin, 1, static_cast<std::uint32_t>(seqs.size()), std::move(payload)},
        outbox, now, out);
  }
  Actions obey(OrderKind kind, Seq seq) {
    inbox.obey({kind, {kOrigin, seq}, {1, seq * 10}}, out);
    return std::exchange(out, {});
  }
  Actions start(std::uint64_t together = 1) {
    inbox.start(now, true, together, out);
    return std::exchange(out, {});
  }
  std::vector<protocol::Held> held() const {
    std::vector<protocol::Held> held;
    inbox.append_held(held);
    std::sort(held.begin(), held.end(), [](auto& a, auto& b) { return a.id < b.id; });
    return held;
  }
};

StartTask started(Seq seq, bool is_cancelled = false) {
  return {{kOrigin, seq}, {1, seq * 10}, 1, is_cancelled, {"work", "", 0, 0}, "\x80"};
}
protocol::Held held(Seq seq, HeldState state, std::uint64_t lease_factor = 10) {
  return {{kOrigin, seq}, {1, seq * lease_factor}, state};
}
using Helds = std::vector<protocol::Held>;

}  // namespace

TEST_CASE("an inbox starts what waits in its order while there are slots", "[worker]") {
  InboxRig rig(Rig::config(2));
  REQUIRE(rig.receive({4, 2, 3}).count == 3);
  REQUIRE(rig.out.empty());
  REQUIRE(rig.start() == Actions{started(4), started(2)});
  REQUIRE(rig.start().empty());
  rig.now += 3s;
  const auto ended = rig.inbox.end({kOrigin, 2}, rig.now);
  REQUIRE(ended->took == Duration(3s));
  REQUIRE(ended->is_wanted);
  REQUIRE(ended->task_class == protocol::TaskClass{"work", "", 0, 0});
  REQUIRE_FALSE(rig.inbox.end({kOrigin, 2}, rig.now));
  REQUIRE(rig.start() == Actions{started(3)});
  REQUIRE(rig.held() == Helds{held(3, HeldState::kStarted), held(4, HeldState::kStarted)});
}

TEST_CASE("an inbox receives what is good of a message that is cut", "[worker]") {
  InboxRig rig;
  const auto received = rig.receive({1, 2}, "work", 10, 1);
  REQUIRE(received.count == 1);
  REQUIRE_FALSE(received.is_whole);
  REQUIRE(rig.inbox.unfinished() == 1);
}

TEST_CASE("an inbox holds a task once, under its later lease", "[worker]") {
  InboxRig rig;
  rig.receive({1});
  rig.start();
  REQUIRE(rig.receive({1}, "work", 11).count == 1);
  REQUIRE(rig.receive({1}, "work", 9).count == 1);
  REQUIRE(rig.start().empty());
  REQUIRE(rig.held() == Helds{held(1, HeldState::kStarted, 11)});
  REQUIRE(rig.inbox.unfinished() == 1);
}

TEST_CASE("an inbox knows of the later lease of a task why those before were lost", "[worker]") {
  InboxRig rig;
  const auto empty = rig.inbox.bytes();
  const auto receive = [&](std::uint64_t lease, std::string_view lost) {
    Bytes payload;
    put_task(payload, {1, lease, 1, 1, {}, {}, 1234, lost}, "work");
    rig.inbox.receive({1, kRun, 1, kOrigin, 1, 1, std::move(payload)}, rig.outbox, rig.now,
                      rig.out);
  };
  receive(10, "");
  receive(12, "\x91\xa3why");
  receive(11, "");
  const auto started = rig.start();
  REQUIRE(std::get<StartTask>(started.at(0)).lost == "\x91\xa3why");
  rig.inbox.end({kOrigin, 1}, rig.now);
  REQUIRE(rig.inbox.bytes() == empty);
}

TEST_CASE("an inbox leaves to the outbox what has ended there", "[worker]") {
  InboxRig rig;
  rig.receive({1});
  rig.start();
  rig.inbox.end({kOrigin, 1}, rig.now);
  const protocol::TaskClass task_class{"work", "", 0, 0};
  rig.outbox.add({{kOrigin, 1}, {1, 10}, 1, &task_class, {}}, {}, rig.now);
  rig.receive({1}, "work", 11);
  REQUIRE(rig.inbox.is_empty());
  REQUIRE(rig.inbox.unfinished() == 0);
}

TEST_CASE("an inbox gives back what it does not run, and forgets it once that was heard",
          "[worker]") {
  InboxRig rig;
  rig.receive({1}, "unknown");
  REQUIRE(rig.inbox.has_news());
  REQUIRE(rig.start().empty());
  REQUIRE(rig.held() == Helds{held(1, HeldState::kReturned)});
  REQUIRE(rig.obey(OrderKind::kReleased, 1).empty());
  REQUIRE(rig.inbox.is_empty());
}

TEST_CASE("an inbox starts a cancelled task only to report it, without a slot", "[worker]") {
  InboxRig rig;
  REQUIRE(rig.obey(OrderKind::kCancel, 2).empty());  // Overtakes its task.
  rig.receive({1, 2, 3});
  REQUIRE(rig.obey(OrderKind::kCancel, 3).empty());
  REQUIRE(rig.start() == Actions{started(1), started(2, true), started(3, true)});
  REQUIRE(rig.obey(OrderKind::kCancel, 1) == Actions{KillTask{{kOrigin, 1}}});
  REQUIRE(rig.obey(OrderKind::kCancel, 1).empty());
  REQUIRE(rig.inbox.end({kOrigin, 1}, rig.now)->is_cancelled);
  REQUIRE_FALSE(rig.inbox.end({kOrigin, 2}, rig.now)->took);
}

TEST_CASE("an inbox forgets early cancels with the pipe that owes their tasks", "[worker]") {
  InboxRig rig;
  rig.obey(OrderKind::kCancel, 1);
  rig.inbox.forget_early_cancels();
  rig.receive({1});
  REQUIRE(rig.start() == Actions{started(1)});
}

TEST_CASE("an inbox that drains gives back what waits and what comes", "[worker]") {
  InboxRig rig;
  rig.receive({1, 2});
  rig.start();
  rig.inbox.drain();
  rig.receive({3});
  rig.receive({4}, "quick");
  REQUIRE(rig.out.empty());
  REQUIRE(rig.held() == Helds{held(1, HeldState::kStarted), held(2, HeldState::kReturned),
                              held(3, HeldState::kReturned), held(4, HeldState::kReturned)});
  REQUIRE(rig.inbox.unfinished() == 1);
}

TEST_CASE("an inbox knows the bytes of what it holds", "[worker]") {
  InboxRig rig;
  const auto one = std::string_view("\x80work").size();
  rig.receive({1, 2, 3, 4});
  REQUIRE(rig.inbox.bytes() == 4 * one);
  rig.start();
  rig.inbox.end({kOrigin, 1}, rig.now);
  rig.obey(OrderKind::kDrop, 2);
  rig.obey(OrderKind::kRecall, 3);
  REQUIRE(rig.inbox.bytes() == 2 * one);
  rig.obey(OrderKind::kReleased, 3);
  REQUIRE(rig.inbox.bytes() == one);
  const auto received = rig.receive({5, 6}, "quick");
  REQUIRE(rig.inbox.bytes() == one + received.bytes);
  rig.inbox.end(std::get<StartBatch>(rig.out.at(0)).batch, rig.now);
  REQUIRE(rig.inbox.bytes() == one);
}

namespace {

struct SharedRig : InboxRig {
  explicit SharedRig(std::uint32_t slots) : InboxRig(config(slots)) {}
  static Config config(std::uint32_t slots) {
    auto config = Rig::config(slots);
    config.kinds.insert("other");
    config.ahead = {{"work", 4}};
    return config;
  }
  // Each slot's tasks.
  std::vector<std::vector<Seq>> slots(std::uint64_t together) {
    std::vector<std::vector<Seq>> slots;
    std::uint32_t more = 0;
    for (const auto& action : start(together)) {
      const auto& task = std::get<StartTask>(action);
      if (more == 0) slots.emplace_back();
      slots.back().push_back(task.id.seq);
      REQUIRE((slots.back().size() == 1 || task.more == more - 1));
      more = task.more;
    }
    REQUIRE(more == 0);
    return slots;
  }
};
using Shares = std::vector<std::vector<Seq>>;

}  // namespace

TEST_CASE("short tasks of a kind whose runner takes several share a slot", "[worker]") {
  SharedRig rig(1);
  rig.receive({1, 2, 3, 4, 5, 6});
  REQUIRE(rig.slots(100) == Shares{{1, 2, 3, 4}});  // As many as the runner takes.
  REQUIRE(rig.slots(100).empty());
  for (const Seq seq : {1, 2, 3}) {
    REQUIRE(rig.inbox.end({kOrigin, seq}, rig.now)->shared_slot);
    REQUIRE(rig.slots(100).empty());  // The slot is not free before the last of them has ended.
  }
  rig.inbox.end({kOrigin, 4}, rig.now);
  REQUIRE(rig.slots(100) == Shares{{5, 6}});
}

TEST_CASE("tasks share a slot only if they are short, and no other slot could run them",
          "[worker]") {
  SharedRig rig(2);
  rig.receive({1, 2, 3, 4, 5, 6});
  REQUIRE(rig.slots(100) == Shares{{1, 2, 3}, {4, 5, 6}});
  SharedRig slow(1);
  slow.receive({1, 2, 3});
  REQUIRE(slow.slots(1) == Shares{{1}});
  REQUIRE_FALSE(slow.inbox.end({kOrigin, 1}, slow.now)->shared_slot);
  REQUIRE(slow.slots(2) == Shares{{2, 3}});
}

TEST_CASE("tasks share a slot with neighbours of their kind alone", "[worker]") {
  SharedRig rig(1);
  rig.receive({1, 2});
  rig.receive({3, 4}, "other");
  REQUIRE(rig.slots(100) == Shares{{1, 2}});
  rig.inbox.end({kOrigin, 1}, rig.now);
  rig.inbox.end({kOrigin, 2}, rig.now);
  REQUIRE(rig.slots(100) == Shares{{3}});  // Its runner takes one.
}

TEST_CASE("a task that nobody took waits again, and leaves the slot to those it shared it with",
          "[worker]") {
  SharedRig rig(1);
  rig.receive({1, 2});
  rig.slots(100);
  REQUIRE(rig.inbox.wait_again({kOrigin, 2}) == Inbox::Again::kHere);
  REQUIRE(rig.slots(100).empty());
  rig.inbox.end({kOrigin, 1}, rig.now);
  REQUIRE(rig.slots(100) == Shares{{2}});
}

TEST_CASE("tasks that nobody took wait again in their order, behind those of other kinds",
          "[worker]") {
  SharedRig rig(1);
  rig.receive({1, 2, 3});
  rig.receive({4}, "other");
  REQUIRE(rig.slots(100) == Shares{{1, 2, 3}});
  for (const Seq seq : {1, 2, 3})
    REQUIRE(rig.inbox.wait_again({kOrigin, seq}) == Inbox::Again::kHere);
  REQUIRE(rig.slots(100) == Shares{{4}});
  rig.inbox.end({kOrigin, 4}, rig.now);
  REQUIRE(rig.slots(100) == Shares{{1, 2, 3}});
}
