#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gateway/core/wamp/router.hpp"
#include "gateway/io/exchange.hpp"
#include "gateway/io/feed.hpp"
#include "gateway/io/places.hpp"
#include "gateway/io/ring.hpp"
#include "gateway/io/wamp_tasks.hpp"

namespace eole::gateway {

class Gateway;
class WebSocket;

/// WAMP on /wamp: the log's events as topics, procedures of the gateway's own, and those of
/// clients.
class Wamp {
 public:
  Wamp(Gateway& gateway, Feed& feed);
  awaitable<std::optional<http::Response>> serve(Exchange& exchange);
  /// Tasks of kind wamp; for ever.
  awaitable<void> pull() { return tasks_.pull(); }

 private:
  static constexpr std::size_t kWampUnsentBytesMax = 8 << 20;  // Of one client.
  static constexpr std::size_t kWampClientsMax = 4096;
  static constexpr std::size_t kStrangersMax = 256;  // Of them, who have not shown a ticket yet.
  struct Client {
    WebSocket* socket = nullptr;
    Exchange* exchange = nullptr;
    std::deque<std::shared_ptr<const std::string>> unsent;  // Shared by all to whom they go.
    std::size_t unsent_bytes = 0;
    bool is_over = false;
    Places::Place* place = nullptr;
    std::optional<Places::Place> as_stranger;  // Until its ticket is good.
  };
  void perform(wamp::Actions actions);
  void act(wamp::Send& send);
  void act(const wamp::End& end);
  void act(const wamp::TicketShown& shown);
  void act(wamp::OwnCalled& called);
  void act(const wamp::Heard& heard) { tasks_.hear(heard); }
  awaitable<Shared> next(Client& client);
  void answer(const wamp::OwnCalled& called, const Expected<protocol::Value>& answer);
  awaitable<void> run(wamp::OwnCalled called);
  awaitable<Expected<protocol::Value>> own(const wamp::OwnCalled& called);
  awaitable<Expected<protocol::Value>> submit(Ring ring, protocol::Value tasks);
  awaitable<Expected<protocol::Value>> result(Ring ring, TaskId id, const wamp::OwnCalled& called);

  Gateway& gateway_;
  Fabric& fabric_;
  Feed& feed_;
  wamp::Router router_;
  WampTasks tasks_;
  Places places_{kWampClientsMax};
  Places strangers_{kStrangersMax};
  std::map<wamp::Peer, Client> clients_;
  std::map<wamp::Peer, std::size_t> running_;  // Own calls of each, waited for or not.
  wamp::Peer last_ = wamp::kSelf;
};

}  // namespace eole::gateway
