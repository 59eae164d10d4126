#pragma once
#include <functional>
#include <string>
#include <utility>

#include "clients/cpp/session/asks.hpp"
#include "tests/simulation/process.hpp"

namespace eole::simulation {

/// Whoever asks a ventilator for something, with a client's connection, until it is answered.
class Asker {
 public:
  Asker(Fabric& fabric, Process& client, client::Asks& asks)
      : fabric_(fabric), client_(client), asks_(asks) {}

 protected:
  static constexpr Duration kForEver = 10'000s;  // Longer than any run: what is asked is answered.
  void control(const std::string& what, const protocol::Value& options,
               client::Asks::OnAnswer on_answer) {
    asks_.ask(protocol::Control{0, what, options.to_msgpack()}, std::move(on_answer), kForEver);
    client_.wake();
  }
  void ask(client::Asks& asks, const std::string& what, const TaskId& id,
           const protocol::Value& options, client::Asks::OnAnswer on_answer) {
    asks.ask(protocol::Query{0, what, id.origin, id.seq, options.to_msgpack()},
             std::move(on_answer), kForEver);
    client_.wake();
  }
  void ask(const std::string& what, const TaskId& id, const protocol::Value& options,
           client::Asks::OnAnswer on_answer) {
    ask(asks_, what, id, options, std::move(on_answer));
  }
  Fabric& fabric_;
  Process& client_;

 private:
  client::Asks& asks_;
};

}  // namespace eole::simulation
