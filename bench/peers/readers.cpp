// Many readers of one stream, each with a cursor of its own that the server keeps, as
// eole-bench-groups does with Eole. The server is up on the port PEER_PORT (bench/readers.py).
//   eole-bench-readers redis|nats fill RECORDS           puts so many of 100 bytes
//   eole-bench-readers redis|nats read GROUPS RECORDS    reads as many by each of so many groups
// Prints one JSON object: records and seconds of all groups together.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/peers/hiredis.hpp"
#include "bench/peers/nats_client.hpp"

namespace eole::peers {

namespace {

constexpr std::size_t kBodyBytes = 100;
constexpr int kAtOnce = 4096;       // Records that are asked for at a time.
constexpr int kUnconfirmed = 4096;  // While it fills.
const char* const kStream = "events";

class Peer {
 public:
  virtual ~Peer() = default;
  virtual void fill(std::uint64_t records) = 0;
  virtual void make(const std::string& group) = 0;
  /// Reads so many as the only member, and returns once all are acknowledged.
  virtual void read(std::uint64_t records) = 0;
};

/// A stream and consumer groups. What was read is acknowledged together with the next request.
class Redis final : public Peer {
 public:
  void fill(std::uint64_t records) override {
    const std::string body(kBodyBytes, 'x');
    for (std::uint64_t sent = 0, taken = 0; taken < records;) {
      for (; sent < records && sent < taken + kUnconfirmed; ++sent)
        redis_.send({"XADD", kStream, "*", "body", body});
      for (; taken < sent; ++taken) redis_.take();
    }
  }
  void make(const std::string& group) override {
    group_ = group;
    redis_.send({"XGROUP", "CREATE", kStream, group_, "0"});
    redis_.take();
  }
  void read(std::uint64_t records) override {
    const auto most = std::to_string(kAtOnce);
    std::uint64_t got = 0;
    for (bool is_first = true; got < records; is_first = false) {
      redis_.send({"XREADGROUP", "GROUP", group_, "one", "COUNT", most, "STREAMS", kStream, ">"});
      if (!is_first) redis_.take();  // What was acknowledged.
      const auto reply = redis_.take();
      if (reply->type != REDIS_REPLY_ARRAY) fail("redis: the stream is too short");
      const auto* entries = reply->element[0]->element[1];
      Words done{"XACK", kStream, group_};
      for (std::size_t i = 0; i < entries->elements; ++i) {
        const auto* id = entries->element[i]->element[0];
        done.emplace_back(id->str, id->len);
      }
      got += entries->elements;
      redis_.send(done);
    }
    redis_.take();
  }

 private:
  Connection redis_;
  std::string group_;
};

/// A stream in files and durable pull consumers; one acknowledgement is for all before it.
class Nats final : public Peer {
 public:
  Nats() : connection_(connect(true)) {
    jsOptions of_stream;
    ::jsOptions_Init(&of_stream);
    of_stream.PublishAsync.MaxPending = kUnconfirmed;
    check(::natsConnection_JetStream(&stream_, connection_, &of_stream), "JetStream");
  }
  void fill(std::uint64_t records) override {
    jsStreamConfig config;
    ::jsStreamConfig_Init(&config);
    const char* subjects[] = {kStream};
    config.Name = kStream;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    check(::js_AddStream(nullptr, stream_, &config, nullptr, nullptr), "stream");
    const std::string body(kBodyBytes, 'x');
    for (; records > 0; --records)
      check(::js_PublishAsync(stream_, kStream, body.data(), kBodyBytes, nullptr), "publish");
    check(::js_PublishAsyncComplete(stream_, nullptr), "confirm");
  }
  void make(const std::string& group) override {
    jsSubOptions options;
    ::jsSubOptions_Init(&options);
    options.Config.AckPolicy = js_AckAll;
    options.Config.MaxAckPending = 20000;
    check(::js_PullSubscribe(&group_, stream_, kStream, group.c_str(), nullptr, &options, nullptr),
          "consumer");
  }
  void read(std::uint64_t records) override {
    for (std::uint64_t got = 0; got < records;) {
      natsMsgList list{};
      const auto most = static_cast<int>(std::min<std::uint64_t>(kAtOnce, records - got));
      check(::natsSubscription_Fetch(&list, group_, most, 10'000, nullptr), "fetch");
      got += static_cast<std::uint64_t>(list.Count);
      auto* last = list.Msgs[list.Count - 1];
      check(got < records ? ::natsMsg_Ack(last, nullptr)
                          : ::natsMsg_AckSync(last, nullptr, nullptr),
            "acknowledge");
      ::natsMsgList_Destroy(&list);
    }
  }

 private:
  natsConnection* connection_;
  jsCtx* stream_ = nullptr;
  natsSubscription* group_ = nullptr;
};

std::unique_ptr<Peer> open(std::string_view name) {
  if (name == "redis") return std::make_unique<Redis>();
  return std::make_unique<Nats>();
}

}  // namespace

}  // namespace eole::peers

int main(int argc, char** argv) {
  using namespace eole::peers;
  const std::string_view name = argc > 1 ? argv[1] : "";
  const std::string_view what = argc > 2 ? argv[2] : "";
  const bool is_fill = what == "fill" && argc == 4;
  if ((name != "redis" && name != "nats") || !(is_fill || (what == "read" && argc == 5)))
    return std::fputs("eole-bench-readers redis|nats fill RECORDS | read GROUPS RECORDS\n", stderr), 2;
  const auto number = [&](int at) { return std::strtoull(argv[at], nullptr, 10); };
  const auto groups = is_fill ? 1 : number(3);
  const auto records = number(is_fill ? 3 : 4);
  std::vector<std::unique_ptr<Peer>> peers;
  for (std::uint64_t i = 0; i < groups; ++i) {
    peers.push_back(open(name));
    if (!is_fill) peers.back()->make("bench-" + std::to_string(groups) + "-" + std::to_string(i));
  }
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (auto& peer : peers)
    threads.emplace_back([&, at = peer.get()] { is_fill ? at->fill(records) : at->read(records); });
  for (auto& thread : threads) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf("{\"groups\":%llu,\"records\":%llu,\"seconds\":%.3f}\n",
              static_cast<unsigned long long>(groups),
              static_cast<unsigned long long>(groups * records), took.count());
  return 0;
}
