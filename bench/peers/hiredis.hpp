#pragma once
#include <hiredis/hiredis.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/peers/server.hpp"

namespace eole::peers {

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;
using Words = std::vector<std::string_view>;

/// Of one client: what is sent waits for its answers, in order.
class Connection {
 public:
  Connection() : context_(::redisConnect("127.0.0.1", server_port())) {
    if (context_ == nullptr || context_->err != 0) fail("redis: cannot connect");
  }
  ~Connection() { ::redisFree(context_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  void send(const Words& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const auto& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    ::redisAppendCommandArgv(context_, static_cast<int>(words.size()), texts.data(), sizes.data());
    ++waiting_;
  }
  Reply take() {
    void* raw = nullptr;
    if (::redisGetReply(context_, &raw) != REDIS_OK) fail("redis: connection ended");
    --waiting_;
    Reply reply(static_cast<redisReply*>(raw));
    if (reply->type == REDIS_REPLY_ERROR) fail(std::string("redis: ") + reply->str);
    return reply;
  }
  Reply ask(const Words& words) {
    send(words);
    return take();
  }
  void settle() {
    while (waiting_ > 0) take();
  }
  std::uint32_t waiting() const { return waiting_; }

 private:
  redisContext* context_;
  std::uint32_t waiting_ = 0;
};

}  // namespace eole::peers
