#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "gateway/core/access/caller.hpp"
#include "gateway/io/asio.hpp"

namespace eole::gateway {

/// Who shares with others what there is a limit of: all tokens of a prefix, or one; empty: nobody
/// else is served.
inline const std::string& owner_of(const Caller& caller) {
  return caller.prefix.empty() ? caller.name : caller.prefix;
}

/// So many at a time; who comes later waits for its turn. One owner, if it is said, has at most
/// half of them: others find one.
class Places {
  struct State {
    std::size_t free;
    std::size_t share;
    std::deque<std::function<void(bool)>> waiting;
    std::map<std::string, std::size_t> owned;
  };

 public:
  explicit Places(std::size_t count)
      : state_(std::make_shared<State>(State{count, (count + 1) / 2, {}, {}})) {}

  /// Given back when it goes.
  class Place {
   public:
    explicit Place(std::shared_ptr<State> of) : of_(std::move(of)) {}
    Place(Place&& other) = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (!of_) return;
      own("");
      give_back(*of_);
    }
    /// From now on it counts for this owner.
    void own(const std::string& owner) {
      if (const auto before = of_->owned.find(owner_); before != of_->owned.end())
        if (--before->second == 0) of_->owned.erase(before);
      owner_ = owner;
      if (!owner.empty()) ++of_->owned[owner];
    }

   private:
    std::shared_ptr<State> of_;
    std::string owner_;
  };
  awaitable<Place> take(std::string owner = {}) {
    const auto state = state_;
    if (state->free > 0) {
      --state->free;
    } else {
      co_await told_later<bool>([&](auto tell) { state->waiting.emplace_back(std::move(tell)); });
    }
    Place place(state);
    place.own(owner);
    co_return place;
  }
  bool has_free(const std::string& owner = {}) const {
    return state_->free > 0 && may_have_more(owner);
  }
  bool may_have_more(const std::string& owner) const {
    const auto own = state_->owned.find(owner);
    return own == state_->owned.end() || own->second < state_->share;
  }

 private:
  // The next one in the line has it then: it is never free between the two.
  static void give_back(State& state) {
    if (state.waiting.empty()) {
      ++state.free;
      return;
    }
    auto tell = std::move(state.waiting.front());
    state.waiting.pop_front();
    tell(true);
  }

  // Shared with the places: a handler that is dropped at the end gives its back after all else.
  std::shared_ptr<State> state_;
};

}  // namespace eole::gateway
