#include "clients/cpp/session/session.hpp"

#include <algorithm>
#include <utility>

namespace eole::client {

Connection::Connection(net::Transport& world, const std::string& endpoint)
    : socket_(world.open(net::SocketType::kDealer)), door_(socket_) {
  socket_.connect(endpoint);
}

bool Connection::is_turned_away() {
  if (std::exchange(is_door_due_, false))
    while (const auto event = door_.next())
      is_turned_away_ = is_turned_away_ || *event == net::ConnectionEvent::kRefused;
  return is_turned_away_;
}

Part::Part(Session& session) : session_(session) { session.parts_.push_back(this); }

// A socket's descriptor may outlive it for a moment, and would tell of it.
Part::~Part() {
  for (const auto fd : watched_) world().unwatch(fd);
  std::erase(session_.parts_, this);
}

net::Transport& Part::world() const { return session_.world_; }

void Part::watch(int fd, bool& due) {
  world().watch(fd, due);
  watched_.push_back(fd);
}

void Session::turn() {
  const auto now = world_.now();
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i]->turn(now);  // One may make more.
}

std::optional<TimePoint> Session::next_turn() const {
  std::optional<TimePoint> next;
  for (const auto* part : parts_) {
    const auto due = part->is_due() ? std::optional(world_.now()) : part->next_deadline();
    if (due && (!next || *due < *next)) next = due;
  }
  return next;
}

}  // namespace eole::client
