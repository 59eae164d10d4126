#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "gateway/io/asio.hpp"

namespace eole::gateway {

/// So many at a time; who comes later waits for its turn.
class Places {
  struct State {
    std::size_t free;
    std::deque<std::function<void(bool)>> waiting;
  };

 public:
  explicit Places(std::size_t count) : state_(std::make_shared<State>(State{count, {}})) {}

  /// Given back when it goes.
  class Place {
   public:
    explicit Place(std::shared_ptr<State> of) : of_(std::move(of)) {}
    Place(Place&& other) = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (of_) give_back(*of_);
    }

   private:
    std::shared_ptr<State> of_;
  };
  awaitable<Place> take() {
    const auto state = state_;
    if (state->free > 0) {
      --state->free;
    } else {
      co_await told_later<bool>([&](auto tell) { state->waiting.emplace_back(std::move(tell)); });
    }
    co_return Place(state);
  }
  bool has_free() const { return state_->free > 0; }

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
