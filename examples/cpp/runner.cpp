// A kind of its own:   worker --runner ./eole-example-runner
// Then:                eole submit gcd --a 12 --b 18 --wait
#include <numeric>

#include "common/protocol/value.hpp"
#include "worker/runners/frames/worker_socket.hpp"

using namespace eole;
using protocol::Value;

namespace {

frames::Frame end_of(const frames::Run& run) {
  const auto args = Value::from_msgpack(run.args);
  if (!args) return frames::Failed{run.number, args.error().message, {}};
  const auto a = (*args)["a"].int_or(0), b = (*args)["b"].int_or(0);
  if (a <= 0 || b <= 0)  // It may be submitted by clients that do not look.
    return frames::Failed{run.number, "a and b must be whole numbers above 0", {}, "ValueError"};
  return frames::Done{run.number, Value(std::gcd(a, b)).to_msgpack(), {}};
}

}  // namespace

int main() {
  frames::WorkerSocket worker;
  const frames::Kind kind{
      {"gcd", "The greatest common divisor.", {{"a", "integer", true}, {"b", "integer", true}}}};
  if (!worker.send(frames::Hello{}) || !worker.send(kind)) return 1;
  while (true) {
    const auto frame = worker.next();
    if (!frame || (!*frame && !worker.receive())) return 0;  // The worker is gone.
    if (!*frame) continue;
    if (!worker.answer(**frame)) return 0;
    if (const auto* run = std::get_if<frames::Run>(&**frame); run && !worker.send(end_of(*run)))
      return 0;
  }
}
