#include "clients/cpp/core/submit.hpp"
#include "tests/unit/clients/transcript.hpp"

using namespace eole;
using namespace eole::client;
using protocol::Acceptance;
using Value = protocol::Value;

namespace {

constexpr Origin kOrigin = 5;

/// A client's run at the ventilator.
class Told {
 public:
  void submit(std::uint32_t count, const std::string& payload, const std::string& key = {}) {
    transcript_.begin("does", "submit");
    transcript_.note("tasks", Value::Array{count, key, hex(payload)});
    protocol::Submit submit;
    submit.count = count;
    submit.key = key;
    step(SubmitAsked{std::move(submit), std::make_shared<const Bytes>(payload)});
  }
  void accepted(const std::vector<Acceptance>& acceptances) {
    protocol::Accepted accepted{kOrigin, {}};
    for (const auto& each : acceptances) protocol::put_acceptance(accepted.payload, each);
    transcript_.begin("hears", Transcript::wire(accepted));
    step(AcceptedReceived{std::move(accepted)});
  }
  void refused(std::uint64_t request, const std::string& reason) {
    protocol::Refused refused{request, reason};
    transcript_.begin("hears", Transcript::wire(refused));
    step(SubmitRefused{std::move(refused)});
  }
  /// The connection.
  void broke() {
    transcript_.begin("does", "break");
    step(ConnectionBroke{});
  }
  void stands() {
    transcript_.begin("does", "stand");
    step(ConnectionStands{});
  }
  void pass(Duration time) {
    transcript_.now += time;
    transcript_.begin("does", "wait");
    end({});
  }
  void check(const std::string& name) const { transcript_.check(name); }

 private:
  void step(SubmitEvent event) {
    SubmitActions out;
    core_.on_event(std::move(event), transcript_.now, out);
    end(std::move(out));
  }
  void end(SubmitActions out) {
    core_.on_deadline(transcript_.now, out);
    Value::Array said;
    Value::Array ended;
    for (const auto& action : out) {
      if (const auto* send = std::get_if<SendSubmit>(&action)) {
        auto submit = send->submit;
        submit.payload = *send->groups;
        said.push_back(Transcript::wire(submit));
        continue;
      }
      const auto& end = std::get<SubmitEnded>(action);
      ended.push_back(end.error ? Value::Array{end.request, end.error->message}
                                : Value::Array{end.request, end.origin, end.first, end.count});
    }
    transcript_.note("says", std::move(said));
    transcript_.note("ends", std::move(ended));
    transcript_.note("is", core_.is_idle() ? Value::Array{"idle"} : Value::Array{});
  }

  Transcript transcript_;
  SubmitCore core_{7, 30s};
};

}  // namespace

TEST_CASE("a client submits across a ventilator's restart as in the transcript", "[transcript]") {
  Told told;
  told.submit(2, "one");
  told.submit(3, "two", "k");
  told.pass(1s);
  told.stands();  // Nothing had broken.
  told.broke();
  told.pass(500ms);
  told.stands();
  told.accepted({{2, 44, 3}});
  told.submit(1, "three");  // The first one is not known yet.
  told.pass(1750ms);
  told.pass(250ms);
  told.accepted({{1, 42, 9}});  // Not so many.
  told.accepted({{1, 42, 2}, {2, 44, 3}, {4, 1, 1}});
  told.submit(1, "four");
  told.accepted({{4, 48, 1}, {3, 47, 1}});
  told.accepted({{4, 48, 1}});
  told.broke();
  told.stands();
  told.pass(60s);
  told.submit(1, "five");  // Patience begins anew.
  told.pass(29750ms);
  told.check("submit_restart");
}

TEST_CASE("a client that is refused says so as in the transcript", "[transcript]") {
  Told told;
  told.submit(1, "one");
  told.submit(1, "two");
  told.submit(1, "three");
  told.refused(2, "task 0: no such kind");
  told.refused(2, "twice");
  told.refused(9, "nobody's");
  told.refused(0, "this key may not submit");
  told.accepted({{1, 42, 1}});
  told.submit(1, "four");
  told.check("submit_refused");
}

TEST_CASE("a client that nobody answers says so as in the transcript", "[transcript]") {
  Told told;
  told.submit(1, "one");
  told.pass(29s);
  told.submit(1, "two");
  told.accepted({{1, 42, 1}});
  told.pass(29s);
  told.pass(1s);
  told.accepted({{2, 43, 1}});
  told.submit(1, "three");
  told.check("submit_silence");
}
