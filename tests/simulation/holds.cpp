#include "tests/simulation/holds.hpp"

#include <memory>

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"

namespace eole::simulation {

using protocol::Value;

void Holds::limit_some(Origin origin, std::function<void()> then) {
  const auto most = 1 + fabric_.world.below(3);
  const auto rate = 2.0 + static_cast<double>(fabric_.world.below(40));
  const auto has_key = fabric_.world.chance(0.5);
  // Whichever answer comes last.
  const auto hold = [left = std::make_shared<int>(has_key ? 3 : 2), then = std::move(then)] {
    if (--*left == 0) then();
  };
  control("limit", Value::Map{{"scope", "kind:work"}, {"running", most}},
          [this, origin, most, hold](const Expected<Value>& answer) {
            if (answer) fabric_.ledger.limits().on_cap(origin, "work", most);
            hold();
          });
  if (has_key)
    limit(origin, "key:k0", 0.5 + static_cast<double>(fabric_.world.below(8)), hold);
  limit(origin, "kind:quick", rate, hold);
}

void Holds::limit(Origin origin, const std::string& scope, double rate,
                  std::function<void()> then) {
  control("limit", Value::Map{{"scope", scope}, {"rate", rate}},
          [this, origin, scope, rate, then = std::move(then)](const Expected<Value>& answer) {
            if (answer) fabric_.ledger.limits().on_rate(origin, scope, rate, fabric_.world.now());
            then();
          });
}

void Holds::pause_some(Origin origin) {
  origin_ = origin;
  paused_ = text("p", fabric_.world.below(2));
  client_.after(fabric_.world.between(Duration(0), 10s), [this] { pause(); });
}

void Holds::pause() {
  control("pause", Value::Map{{"scope", "project:" + paused_}},
          [this](const Expected<Value>& answer) {
            if (answer) fabric_.ledger.on_paused(origin_, paused_);  // A full disk refuses it.
            client_.after(fabric_.world.between(Duration(0), 10s), [this] { resume(); });
          });
}

// For good, or until the next pause: a copy of what was wished before, which comes late, changes
// nothing.
void Holds::resume() {
  fabric_.ledger.on_resumed(origin_, paused_);
  control("resume", Value::Map{{"scope", "project:" + paused_}},
          [this](const Expected<Value>& answer) {
            if (!answer) return client_.after(1s, [this] { resume(); });
            if (fabric_.is_rough() && fabric_.world.chance(0.5))
              return client_.after(fabric_.world.between(Duration(0), 5s), [this] { pause(); });
            is_resumed_ = true;
          });
}

}  // namespace eole::simulation
