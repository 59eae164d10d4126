#include <sys/poll.h>

#include <catch2/catch.hpp>
#include <deque>
#include <filesystem>

#include "common/protocol/codec.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"
#include "common/storage/real_disk.hpp"
#include "sink/io/history_thread.hpp"
#include "sink/io/node.hpp"
#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::sink;
using protocol::Value;

namespace {

constexpr Origin kOrigin = 5;

/// What a socket of the node was given, and what it sent.
struct Line {
  std::deque<net::Received> in;
  std::vector<std::pair<std::string, protocol::Message>> out;  // To whom, or as what.
  bool is_due = true;
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& [to, message] : out)
      found.emplace_back(protocol::HeadReader::parse(message.head)->name());
    return found;
  }
};

class FakeSocket final : public net::Socket::Carrier {
 public:
  explicit FakeSocket(Line& line) : line_(line) {}
  std::string bind(const std::string& endpoint, const std::string&) override { return endpoint; }
  void connect(const std::string&, bool) override {}
  void subscribe(std::string_view) override {}
  void limit_queue(int) override {}
  void limit_unread(int) override {}
  bool send(protocol::Message&&) override { return false; }
  bool send(std::string_view address, protocol::Message&& message) override {
    line_.out.emplace_back(address, std::move(message));
    return true;
  }
  bool send(const Bytes&, std::shared_ptr<const Bytes>) override { return false; }
  bool has_room(std::size_t) override { return true; }
  std::optional<net::Subscription> next_subscription() override {
    return line_.is_due = false, std::nullopt;
  }
  std::optional<net::Received> receive() override {
    if (line_.in.empty()) return line_.is_due = false, std::nullopt;
    auto first = std::move(line_.in.front());
    line_.in.pop_front();
    return first;
  }
  bool wait(int) override { return false; }
  int fd() const override { return 0; }
  bool& due() override { return line_.is_due; }
  std::unique_ptr<net::Monitor::Carrier> watch() override { return nullptr; }

 private:
  Line& line_;
};

class FakeTransport final : public net::Transport {
 public:
  net::Socket open(net::SocketType type) override {
    return net::Socket(std::make_unique<FakeSocket>(lines[type]));
  }
  void watch(int, bool&) override {}
  void unwatch(int) override {}
  TimePoint now() const override { return time; }
  std::int64_t unix_ms() const override { return 1000; }
  std::uint64_t random() override { return 4; }
  void look() override {
    if (comes_meanwhile) lines[net::SocketType::kPull].is_due = true;
  }
  void pause(Duration) override {}
  TimePoint time{};
  bool comes_meanwhile = false;  // Results, while others are written.
  std::map<net::SocketType, Line> lines;
};

/// A sink whose history answers when it is told to.
struct Sink {
  explicit Sink(const Retention& retention = {}) {
    NodeOptions options;
    options.store = {.segment_bytes = kSegmentBytes, .entropy = 1};
    options.retention = retention;
    node.emplace(std::move(options), transport, authority, *directory, shelf, desk);
    say(net::SocketType::kRouter,
        protocol::Introduce{1, kOrigin, 1, 9, 100'000, 0, 1, protocol::encode_settlement({})});
    node->turn();
    asked().out.clear();
  }
  template <class T>
  void say(net::SocketType to, T message, const std::string& peer = "peer") {
    auto& line = transport.lines[to];
    line.in.push_back({peer, {}, {}, protocol::encode(std::move(message))});
    line.is_due = true;
  }
  void ask(const std::string& what, Seq seq, const std::string& peer = "peer") {
    say(net::SocketType::kRouter, protocol::Query{++requests, what, kOrigin, seq, {}}, peer);
  }
  void settle(Seq seq, protocol::TaskState state = protocol::TaskState::kDone) {
    protocol::Results results{7, ++numbers, 0, 1, "w1", kOrigin, {}};
    protocol::ResultRecord result;
    result.id = {kOrigin, seq};
    result.is_final = true;
    result.state = state;
    const std::string body(200, 'x');
    result.body = body;
    put_result(results.payload, result);
    say(net::SocketType::kPull, std::move(results));
  }
  void turn() {
    transport.time += 10ms;
    node->turn();
  }
  Line& asked() { return transport.lines[net::SocketType::kRouter]; }
  Line& published() { return transport.lines[net::SocketType::kPub]; }
  Value answer(std::size_t i) { return *Value::from_msgpack(asked().out.at(i).second.payload); }
  static constexpr std::uint64_t kSegmentBytes = 16384;
  simulation::SimDisk disk{1};
  std::unique_ptr<storage::Directory> directory = disk.open();
  simulation::SimDisk shelf_disk{2};
  std::unique_ptr<storage::Directory> shelf_directory = shelf_disk.open();
  ArtifactShelf shelf{*shelf_directory, 0};
  FakeTransport transport;
  net::Authority authority;
  HistoryDesk desk;
  std::optional<Node> node;
  std::uint64_t numbers = 0;
  std::uint64_t requests = 100;
};

std::vector<std::string> count(const std::vector<std::string>& names, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& one : names)
    if (one == name) found.push_back(one);
  return found;
}

}  // namespace

TEST_CASE("how a task ended is told at once if nothing comes behind it, acknowledged later",
          "[history]") {
  Sink sink;
  const auto told = [&](const std::string& name) {
    return count(sink.published().names(), name).size();
  };
  sink.settle(1);
  sink.node->turn();
  REQUIRE((told("settled") == 1 && told("ack") == 0));
  sink.transport.comes_meanwhile = true;
  sink.settle(2);
  sink.node->turn();
  sink.node->turn();
  REQUIRE((told("settled") == 1 && told("ack") == 0));
  sink.turn();  // In time they are told with all that came, once.
  REQUIRE((told("settled") == 2 && told("ack") == 1));
  sink.turn();
  REQUIRE((told("settled") == 2 && told("ack") == 1));
}

TEST_CASE("results settle and are acknowledged while a question is under way", "[history]") {
  Sink sink;
  sink.ask("dead", 0);
  sink.turn();  // The history has the question, and reads for as long as it likes.
  sink.settle(1);
  sink.settle(2);
  sink.turn();
  sink.turn();
  REQUIRE(sink.node->log().core().head() == 2);
  const auto names = sink.published().names();
  REQUIRE(count(names, "ack").size() == 1);
  REQUIRE(count(names, "notification").size() == 2);
  REQUIRE(sink.asked().out.empty());
  History history(*sink.directory);
  REQUIRE(sink.desk.serve(history));
  sink.turn();
  REQUIRE(sink.asked().names() == std::vector<std::string>{"answer"});
}

TEST_CASE("a message that names too many artifacts is not taken, what comes behind it is",
          "[history]") {
  Sink sink;
  protocol::Results greedy{8, 1, 0, 512, "w2", kOrigin, {}};
  const std::string artifacts(255 * 32, 'a');
  for (Seq seq = 1; seq <= greedy.count; ++seq) {
    protocol::ResultRecord result;
    result.id = {kOrigin, seq};
    result.artifacts = artifacts;
    put_result(greedy.payload, result);
  }
  sink.say(net::SocketType::kPull, std::move(greedy));
  sink.settle(1);
  sink.turn();
  REQUIRE(sink.node->log().core().head() == 1);
  REQUIRE(sink.node->log().core().counts()[1] == 1);  // Done, and not for want of an artifact.
}

TEST_CASE("what the settler counts is told while the history is busy", "[history]") {
  Sink sink;
  sink.settle(1);
  sink.ask("dead", 0, "one");
  sink.ask("status", 0, "another");
  sink.turn();
  REQUIRE(sink.asked().out.size() == 1);
  REQUIRE(sink.asked().out[0].first == "another");
  REQUIRE(sink.answer(0)["done"].int_or(0) == 1);
}

TEST_CASE("whoever asks, a turn has one commit", "[history]") {
  Sink sink;
  sink.settle(1, protocol::TaskState::kDead);
  sink.turn();
  const auto before = sink.node->log().syncs();
  const auto router = net::SocketType::kRouter;
  SeqRanges letters;
  letters.add(1, 1);
  for (const auto* group : {"one", "two", "three"}) {
    const auto wish = Value(Value::Map{{"group", group}, {"from", "latest"}});
    sink.say(router, protocol::Control{++sink.requests, "group_create", wish.to_msgpack()});
    sink.ask("status", 0);
    sink.ask("dead", 0);
    sink.say(router, protocol::Discard{++sink.requests, kOrigin, letters.encode()});
    sink.say(router, protocol::Read{++sink.requests, 0, 0, 0, 1});
    sink.say(router, protocol::Follow{++sink.requests, 0, kOrigin, 9, 0});
  }
  sink.turn();
  REQUIRE(sink.node->log().syncs() == before + 1);
  REQUIRE(count(sink.asked().names(), "answer").size() == 9);  // The history has the others.
}

TEST_CASE("a letter is discarded once, though two ask for it in a turn", "[history]") {
  Sink sink;
  sink.settle(1, protocol::TaskState::kDead);
  sink.turn();
  SeqRanges letters;
  letters.add(1, 2);
  for (int i = 0; i < 2; ++i)
    sink.say(net::SocketType::kRouter,
             protocol::Discard{++sink.requests, kOrigin, letters.encode()});
  sink.turn();
  REQUIRE(sink.answer(0)["discarded"] == Value(1));
  REQUIRE(sink.answer(1)["discarded"] == Value(0));
}

TEST_CASE("a question that cannot be answered is refused by name", "[history]") {
  Sink sink;
  const auto log = sink.node->log().core().log();
  sink.say(net::SocketType::kRouter, protocol::Follow{7, log, kOrigin, 8, 0});
  sink.turn();
  REQUIRE(sink.asked().names() == std::vector<std::string>{"refused"});
}

TEST_CASE("a question is about all that was settled when it was asked", "[history]") {
  Sink sink;
  History history(*sink.directory);
  for (Seq seq = 1; seq <= 100; ++seq) {
    sink.settle(seq);
    sink.ask("result", seq);
    sink.turn();
    REQUIRE(sink.desk.serve(history));
    sink.turn();
    const auto answer = sink.answer(seq - 1);
    REQUIRE(answer["id"].text_or("") == to_text(TaskId{kOrigin, seq}));
    REQUIRE(answer["is_kept"].is_null());
  }
}

TEST_CASE("a segment is dropped once the history has let go of it", "[history]") {
  Sink sink({30, 3 * Sink::kSegmentBytes});
  History history(*sink.directory);
  sink.settle(1, protocol::TaskState::kDead);
  for (Seq seq = 2; seq <= 400; ++seq) {
    sink.settle(seq);
    sink.turn();
  }
  // All that was announced is settled up to here, and its ventilator has read it.
  sink.say(net::SocketType::kPull, protocol::Announce{kOrigin, 9, 100'000, 400});
  sink.ask("result", 1);
  sink.turn();
  sink.turn();
  const auto& log = sink.node->log();
  REQUIRE(log.kept_from() == 0);  // Somebody may read there.
  REQUIRE(log.core().letters().has({kOrigin, 1}));
  REQUIRE(sink.disk.size_of("00000001.seg") > 0);
  while (sink.desk.serve(history)) sink.turn();
  REQUIRE(sink.answer(0)["state"].text_or("") == "dead");  // It was asked for before that.
  REQUIRE(log.kept_from() > 0);
  REQUIRE(log.kept_from() == history.kept_from());
  REQUIRE(log.log_bytes() <= 3 * Sink::kSegmentBytes);
  REQUIRE_FALSE(log.core().letters().has({kOrigin, 1}));
  sink.ask("result", 1);
  sink.turn();
  sink.desk.serve(history);
  sink.turn();
  REQUIRE(sink.asked().names().back() == "answer");
  REQUIRE_FALSE(sink.answer(sink.asked().out.size() - 1)["is_kept"].as<bool>() == nullptr);
}

TEST_CASE("letters of a segment that is asked for again are told all the same", "[history]") {
  HistoryDesk desk;
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  ResultLog log(*directory, {.entropy = 1}, 0);
  Actions actions;
  log.core().on_event(IntroduceReceived{"v", {1, kOrigin, 1, 9, 100, 0, 1, {}}, {}}, actions);
  protocol::Results results{7, 1, 0, 1, "w1", kOrigin, {}};
  protocol::ResultRecord letter;
  letter.id = {kOrigin, 1};
  letter.is_final = true;
  letter.state = protocol::TaskState::kDead;
  put_result(results.payload, letter);
  log.core().on_event(ResultsReceived{results, {}, {}}, actions);
  log.write(actions, 0);
  desk.tell(log.take_news());
  History history(*directory);
  for (int turn = 0; turn < 2; ++turn) {  // The node takes nothing meanwhile.
    desk.release(1);
    desk.serve(history);
  }
  const auto released = desk.take().released;
  REQUIRE(released);
  REQUIRE(released->segment == 1);
  REQUIRE(released->letters.contains(kOrigin));
  REQUIRE(released->letters.at(kOrigin).contains(1));
  desk.release(1);
  REQUIRE_FALSE(desk.serve(history));
}

TEST_CASE("who asks without end keeps nobody else waiting, and costs no more than its share",
          "[history]") {
  HistoryDesk desk;
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  History history(*directory);
  const Bytes options(60'000, '\xc0');
  std::uint64_t taken = 0;
  for (std::uint64_t request = 1; request <= 1000; ++request)
    taken += desk.ask({"greedy", protocol::Query{request, "dead", 0, 0, options}, {}}) ? 1 : 0;
  REQUIRE(taken == kAskedOfOneBytesMax / 60'000);
  REQUIRE(desk.ask({"greedy", protocol::Read{1, 0, 0, 0, 1}, {}}));
  for (int again = 0; again < 10; ++again)  // Who hears nothing asks again: that is one question.
    REQUIRE(desk.ask({"modest", protocol::Read{7, 0, 0, 0, 1}, {}}));
  std::vector<Peer> answered;
  while (desk.serve(history))
    for (const auto& answer : desk.take().answers) answered.push_back(answer.peer);
  REQUIRE(answered.size() == taken + 2);
  REQUIRE(answered[1] == "modest");
  REQUIRE(std::count(answered.begin(), answered.end(), "modest") == 1);
}

TEST_CASE("the node is woken by an answer, and the history waits for room", "[history]") {
  HistoryDesk desk;
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  ResultLog log(*directory, {.entropy = 1}, 0);
  Actions actions;
  log.core().on_event(IntroduceReceived{"v", {1, kOrigin, 1, 9, 100, 0, 1, {}}, {}}, actions);
  for (std::uint64_t number = 1; number <= 6; ++number) {
    protocol::Results results{7, number, 0, 1, "w1", kOrigin, {}};
    protocol::ResultRecord result;
    result.id = {kOrigin, number};
    result.is_final = true;
    const std::string body(1 << 20, 'x');
    result.body = body;
    put_result(results.payload, result);
    log.core().on_event(ResultsReceived{results, {}, {}}, actions);
  }
  log.write(actions, 0);
  desk.tell(log.take_news());
  History history(*directory);
  for (std::uint64_t request = 1; request <= 20; ++request)
    desk.ask({"peer", protocol::Read{request, 0, 0, 0, UINT32_MAX}, {}});
  const auto is_readable = [&] {
    pollfd watched{desk.fd(), POLLIN, 0};
    return ::poll(&watched, 1, 0) == 1;
  };
  REQUIRE_FALSE(is_readable());
  while (desk.serve(history)) {
  }
  REQUIRE(is_readable());
  desk.due() = true;
  const auto first = desk.take().answers.size();
  REQUIRE(first >= kAnsweredBytesMax / (4 << 20));
  REQUIRE(first <= kAnsweredBytesMax / (3 << 20) + 1);
  REQUIRE_FALSE(is_readable());
  REQUIRE(desk.serve(history));
}

TEST_CASE("the thread reads what was settled while more is written", "[history]") {
  auto path = (std::filesystem::temp_directory_path() / "eole-history-XXXXXX").string();
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  constexpr Seq kTasks = 500;
  std::vector<std::string> found;
  {
    const auto directory = storage::open_directory(path + "/log");
    HistoryDesk desk;
    ResultLog log(*directory, {.segment_bytes = 65536, .entropy = 1, .syncs = false}, 0);
    const HistoryThread thread(desk, *directory, {path + "/index", path + "/lines", {}});
    Actions actions;
    log.core().on_event(IntroduceReceived{"v", {1, kOrigin, 1, 9, kTasks, 0, 1, {}}, {}}, actions);
    const auto take = [&] {
      for (const auto& answer : desk.take().answers)
        found.push_back(Value::from_msgpack(answer.message.payload)->operator[]("id").text_or("?"));
    };
    for (Seq seq = 1; seq <= kTasks; ++seq) {
      protocol::Results results{7, seq, 0, 1, "w1", kOrigin, {}};
      protocol::ResultRecord result;
      result.id = {kOrigin, seq};
      result.is_final = true;
      const std::string body(500, 'x');
      result.body = body;
      put_result(results.payload, result);
      log.core().on_event(ResultsReceived{results, {}, {}}, actions);
      log.write(actions, 0);
      actions.clear();
      desk.tell(log.take_news());
      desk.ask({"peer", protocol::Query{seq, "result", kOrigin, seq, {}}, {{true, true, {}}, {}}});
      take();
    }
    while (found.size() < kTasks) {
      pollfd watched{desk.fd(), POLLIN, 0};
      REQUIRE(::poll(&watched, 1, 60'000) == 1);
      desk.due() = true;
      take();
    }
  }
  std::filesystem::remove_all(path);
  for (Seq seq = 1; seq <= kTasks; ++seq) REQUIRE(found[seq - 1] == to_text(TaskId{kOrigin, seq}));
}
