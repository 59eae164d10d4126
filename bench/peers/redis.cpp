#include <unistd.h>

#include "bench/peers/hiredis.hpp"
#include "bench/peers/peer.hpp"

namespace eole::peers {

namespace {

constexpr std::uint32_t kPipeline = 256;

std::string text_of(const redisReply* reply) { return {reply->str, reply->len}; }

/// A list per queue. A worker moves tasks to a list of its own, which is what it would lose.
class Lists final : public Peer {
 public:
  void submit(std::uint64_t count) override {
    const std::string body(kBodyBytes, 'x');
    while (count-- > 0) {
      redis_.send({"RPUSH", "tasks", body});
      if (redis_.waiting() == kPipeline) redis_.settle();
    }
    redis_.settle();
  }
  void work(std::uint32_t batch) override {
    const auto own = "held:" + std::to_string(::getpid());
    while (true) {
      std::vector<std::string> bodies;
      const auto keep = [&](const Reply& reply) {
        if (reply->type == REDIS_REPLY_STRING) bodies.push_back(text_of(reply.get()));
      };
      if (batch > 1) {
        for (std::uint32_t i = 0; i < batch; ++i)
          redis_.send({"LMOVE", "tasks", own, "LEFT", "RIGHT"});
        while (redis_.waiting() > 0) keep(redis_.take());
      }
      if (bodies.empty()) keep(redis_.ask({"BLMOVE", "tasks", own, "LEFT", "RIGHT", "1"}));
      if (bodies.empty()) continue;
      for (const auto& body : bodies) redis_.send({"RPUSH", "results", body});
      redis_.settle();
      redis_.ask({"LPOP", own, std::to_string(bodies.size())});
    }
  }
  void collect(std::uint64_t count) override {
    for (std::uint64_t got = 0; got < count;) {
      const auto many = redis_.ask({"LPOP", "results", "256"});
      if (many->type == REDIS_REPLY_ARRAY) {
        got += many->elements;
      } else if (redis_.ask({"BLPOP", "results", "1"})->type == REDIS_REPLY_ARRAY) {
        ++got;
      }
    }
  }

 private:
  Connection redis_;
};

/// A stream per queue, read as a group, acknowledged and deleted.
class Streams final : public Peer {
 public:
  Streams() {
    for (const auto* queue : {"tasks", "results"}) {
      redis_.send({"XGROUP", "CREATE", queue, "all", "0", "MKSTREAM"});
      try_take();
    }
  }
  void submit(std::uint64_t count) override {
    const std::string body(kBodyBytes, 'x');
    while (count-- > 0) {
      redis_.send({"XADD", "tasks", "*", "body", body});
      if (redis_.waiting() == kPipeline) redis_.settle();
    }
    redis_.settle();
  }
  void work(std::uint32_t batch) override {
    while (true) {
      const auto tasks = read("tasks", batch);
      for (const auto& [id, body] : tasks) redis_.send({"XADD", "results", "*", "body", body});
      redis_.settle();
      acknowledge("tasks", tasks);
    }
  }
  void collect(std::uint64_t count) override {
    for (std::uint64_t got = 0; got < count;) {
      const auto results = read("results", 256);
      acknowledge("results", results);
      got += results.size();
    }
  }

 private:
  using Messages = std::vector<std::pair<std::string, std::string>>;
  void try_take() {
    try {
      redis_.take();
    } catch (const std::exception&) {  // The group is there already.
    }
  }
  Messages read(const std::string& queue, std::uint32_t most) {
    Messages messages;
    const auto reply =
        redis_.ask({"XREADGROUP", "GROUP", "all", std::to_string(::getpid()), "COUNT",
                    std::to_string(most), "BLOCK", "1000", "STREAMS", queue, ">"});
    if (reply->type != REDIS_REPLY_ARRAY) return messages;
    const auto* entries = reply->element[0]->element[1];
    for (std::size_t i = 0; i < entries->elements; ++i)
      messages.emplace_back(text_of(entries->element[i]->element[0]),
                            text_of(entries->element[i]->element[1]->element[1]));
    return messages;
  }
  void acknowledge(const std::string& queue, const Messages& messages) {
    if (messages.empty()) return;
    Words done{"XACK", queue, "all"};
    Words gone{"XDEL", queue};
    for (const auto& [id, body] : messages) {
      done.push_back(id);
      gone.push_back(id);
    }
    redis_.send(done);
    redis_.send(gone);
    redis_.settle();
  }
  Connection redis_;
};

}  // namespace

std::unique_ptr<Peer> open_redis(const std::string& mode) {
  if (mode == "streams") return std::make_unique<Streams>();
  return std::make_unique<Lists>();
}

}  // namespace eole::peers
