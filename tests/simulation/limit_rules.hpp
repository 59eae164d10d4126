#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// What runs at a time of a kind, and what is sent in a second of a kind or key.
class LimitRules {
 public:
  explicit LimitRules(bool is_calm) : is_calm_(is_calm) {}
  /// No more at a time, where no lost worker runs on.
  void on_cap(Origin origin, const std::string& kind, std::uint64_t most) {
    caps_[{origin, kind}] = most;
  }
  /// `scope`: "kind:quick", "key:k0".
  void on_rate(Origin origin, const std::string& scope, double per_second, TimePoint now);
  void on_ventilator_starts(Origin origin);
  void on_send(Origin origin, const std::string& scope, std::uint64_t count, TimePoint now);
  /// In a slot, to its end.
  void on_begin(Origin origin, const std::string& kind);
  void on_end(Origin origin, const std::string& kind) { --running_[{origin, kind}]; }

 private:
  using Scope = std::pair<Origin, std::string>;
  struct Rate {
    double per_second = 0;
    double left = 0;
    TimePoint at{};
  };
  bool is_calm_;
  std::map<Scope, std::uint64_t> caps_;
  std::map<Scope, std::uint64_t> running_;
  std::map<Scope, Rate> rates_;
};

}  // namespace eole::simulation
