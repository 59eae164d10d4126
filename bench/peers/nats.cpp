#include <atomic>

#include "bench/peers/nats_client.hpp"
#include "bench/peers/peer.hpp"

namespace eole::peers {

namespace {

/// Streams in files; workers pull, publish, wait for the store's answers, acknowledge.
class JetStream final : public Peer {
 public:
  JetStream() : connection_(connect(true)) {  // Else the client holds what it sends for 1 ms.
    jsOptions options;
    ::jsOptions_Init(&options);
    options.PublishAsync.MaxPending = kWindow;
    check(::natsConnection_JetStream(&stream_, connection_, &options), "JetStream");
    for (const auto* name : {"tasks", "results"}) {
      jsStreamConfig config;
      ::jsStreamConfig_Init(&config);
      config.Name = name;
      config.Subjects = &name;
      config.SubjectsLen = 1;
      config.Storage = js_FileStorage;
      config.Retention = js_WorkQueuePolicy;
      (void)::js_AddStream(nullptr, stream_, &config, nullptr, nullptr);  // It may be there.
    }
  }
  void submit(std::uint64_t count) override {
    const std::string body(kBodyBytes, 'x');
    for (; count > 0; --count) publish("tasks", body.data(), kBodyBytes);
    settle();
  }
  void work(std::uint32_t batch) override {
    auto* subscription = subscribe("tasks");
    while (true) {
      natsMsgList list{};
      if (::natsSubscription_Fetch(&list, subscription, static_cast<int>(batch), 1000, nullptr) !=
          NATS_OK)
        continue;
      for (int i = 0; i < list.Count; ++i)
        publish("results", ::natsMsg_GetData(list.Msgs[i]), ::natsMsg_GetDataLength(list.Msgs[i]));
      settle();
      for (int i = 0; i < list.Count; ++i) ::natsMsg_Ack(list.Msgs[i], nullptr);
      ::natsMsgList_Destroy(&list);
    }
  }
  void collect(std::uint64_t count) override {
    if (results_ == nullptr) results_ = subscribe("results");
    for (std::uint64_t got = 0; got < count;) {
      natsMsgList list{};
      if (::natsSubscription_Fetch(&list, results_, count == 1 ? 1 : 64, 1000, nullptr) != NATS_OK)
        continue;
      for (int i = 0; i < list.Count; ++i) ::natsMsg_Ack(list.Msgs[i], nullptr);
      got += static_cast<std::uint64_t>(list.Count);
      ::natsMsgList_Destroy(&list);
    }
  }

 private:
  void publish(const char* subject, const char* bytes, int size) {
    check(::js_PublishAsync(stream_, subject, bytes, size, nullptr), "publish");
  }
  void settle() { check(::js_PublishAsyncComplete(stream_, nullptr), "confirm"); }
  natsSubscription* subscribe(const char* subject) {
    natsSubscription* subscription = nullptr;
    check(::js_PullSubscribe(&subscription, stream_, subject, subject, nullptr, nullptr, nullptr),
          "subscribe");
    return subscription;
  }
  natsConnection* connection_;
  jsCtx* stream_ = nullptr;
  natsSubscription* results_ = nullptr;
};

/// Nothing is kept: at most once.
class Core final : public Peer {
 public:
  Core() : connection_(connect(true)) {}
  void submit(std::uint64_t count) override {
    const std::string body(kBodyBytes, 'x');
    for (; count > 0; --count)
      check(::natsConnection_Publish(connection_, "tasks", body.data(), kBodyBytes), "publish");
    ::natsConnection_Flush(connection_);
  }
  void work(std::uint32_t) override {
    natsSubscription* subscription = nullptr;
    check(::natsConnection_QueueSubscribeSync(&subscription, connection_, "tasks", "all"),
          "subscribe");
    ::natsSubscription_SetPendingLimits(subscription, -1, -1);
    while (true) {
      natsMsg* message = nullptr;
      if (::natsSubscription_NextMsg(&message, subscription, 1000) != NATS_OK) continue;
      ::natsConnection_Publish(connection_, "results", ::natsMsg_GetData(message),
                               ::natsMsg_GetDataLength(message));
      ::natsMsg_Destroy(message);
    }
  }
  void collect(std::uint64_t count) override {
    listen();
    for (std::uint64_t got = 0; got < count;) {
      natsMsg* message = nullptr;
      if (::natsSubscription_NextMsg(&message, results_, 10'000) != NATS_OK)
        fail("nats: results were lost");
      ::natsMsg_Destroy(message);
      ++got;
    }
  }
  void listen() {
    if (results_ != nullptr) return;
    check(::natsConnection_SubscribeSync(&results_, connection_, "results"), "subscribe");
    ::natsSubscription_SetPendingLimits(results_, -1, -1);
    ::natsConnection_Flush(connection_);
  }

 private:
  natsConnection* connection_;
  natsSubscription* results_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> open_nats(const std::string& mode) {
  if (mode == "jetstream") return std::make_unique<JetStream>();
  auto core = std::make_unique<Core>();
  core->listen();
  return core;
}

}  // namespace eole::peers
