#include <catch2/catch.hpp>
#include <map>
#include <optional>

#include "gateway/core/wamp/router.hpp"

using namespace eole::gateway::wamp;
using eole::protocol::Value;

namespace {

// A router with its clients; what each hears is kept until it is looked at.
struct Rig {
  void open(Peer peer, std::string_view roles = R"({"caller":{}})",
            const std::string& within = {}) {
    router.open(peer, 1000 + peer, true, within);
    say(peer, std::string(R"([1,"eole",{"roles":)") + std::string(roles) + "}]");
    heard.erase(peer);
  }
  /// A client that takes INTERRUPT.
  void open_interruptible(Peer peer) {
    open(peer, R"({"callee":{"features":{"call_canceling":true}}})");
  }
  void say(Peer peer, std::string_view json) {
    router.on_text(peer, json, actions);
    take();
  }
  void close(Peer peer) {
    router.close(peer, actions);
    take();
  }
  void take() {
    for (auto& action : actions) {
      if (const auto* send = std::get_if<Send>(&action))
        for (const auto peer : send->peers) heard[peer] += *send->text + "\n";
      else if (const auto* end = std::get_if<End>(&action))
        heard[end->peer] += "end\n";
      else
        others.push_back(std::move(action));
    }
    actions.clear();
  }
  std::string hear(Peer peer) { return std::exchange(heard[peer], {}); }
  template <class T>
  std::optional<T> other() {
    if (others.empty()) return std::nullopt;
    auto first = std::get<T>(others.front());
    others.erase(others.begin());
    return first;
  }

  Router router{{"eole.submit", "eole.result"}};
  Actions actions;
  std::map<Peer, std::string> heard;
  Actions others;
};

}  // namespace

TEST_CASE("a session begins with hello and ends with goodbye", "[wamp]") {
  Rig rig;
  rig.router.open(1, 41);
  rig.say(1, R"([1,"eole",{"roles":{"subscriber":{}}}])");
  CHECK_THAT(rig.hear(1), Catch::StartsWith(R"([2,42,{"realm":"eole","agent":"eole","roles":)"));
  rig.say(1, R"([6,{},"wamp.close.normal"])");
  CHECK(rig.hear(1) == R"([6,{},"wamp.close.goodbye_and_out"])"
                       "\n");
  rig.say(1, R"([1,"eole",{"roles":{}}])");
  CHECK_THAT(rig.hear(1), Catch::StartsWith("[2,42,"));
}

TEST_CASE("what is no WAMP ends the session and says why", "[wamp]") {
  const auto [text, why] = GENERATE(table<std::string, std::string>({
      {"[", "not valid JSON"},
      {"{}", "a message is a list"},
      {"[]", "a message is a list"},
      {R"(["hello"])", "a message begins with its type"},
      {"[33,1,1]", "a message of type 33 is no client's here"},
      {"[32,1]", "a message of type 32 has more than 2 elements"},
      {R"([32,0,{},"a"])", "element 1 is no id: 1 to 9007199254740992"},
      {R"([32,9007199254740993,{},"a"])", "element 1 is no id: 1 to 9007199254740992"},
      {R"([32,1,[],"a"])", "element 2 is no map"},
      {R"([32,1,{},7])", "element 3 is no URI of at most 1024 bytes"},
      {R"([32,1,{"match":"regex"},"a"])", "match regex: exact, prefix or wildcard"},
      {R"([48,1,{},"a",{}])", "element 4 is no list of arguments"},
      {R"([48,1,{},"a",[],[]])", "element 5 is no map"},
      {R"([8,48,1,{},"a"])", "a client's error is about an invocation"},
      {R"([1,"eole",{"roles":{}}])", "a message of type 1 is no client's here"},
  }));
  Rig rig;
  rig.open(1);
  rig.say(1, text);
  const auto heard = rig.hear(1);
  INFO(text);
  CHECK_THAT(heard, Catch::StartsWith(R"([3,{"message":")" + why));
  CHECK_THAT(heard, Catch::EndsWith("\"wamp.error.protocol_violation\"]\nend\n"));
  rig.say(1, R"([32,1,{},"a"])");
  CHECK(rig.hear(1).empty());
}

TEST_CASE("a session of another realm, or without a hello, is refused", "[wamp]") {
  Rig rig;
  rig.router.open(1, 1);
  rig.say(1, R"([1,"realm1",{"roles":{}}])");
  CHECK(rig.hear(1) == R"([3,{"message":"realm realm1: the only one is eole"},)"
                       R"("wamp.error.no_such_realm"])"
                       "\nend\n");
  rig.router.open(2, 1);
  rig.say(2, R"([32,1,{},"a"])");
  CHECK_THAT(rig.hear(2), Catch::StartsWith(R"([3,{"message":"a session begins with HELLO"})"));
}

TEST_CASE("an event comes to all that subscribed, but not to who published it", "[wamp]") {
  Rig rig;
  for (Peer peer : {1, 2, 3}) rig.open(peer);
  rig.say(1, R"([32,7,{},"shop.news"])");
  rig.say(2, R"([32,8,{},"shop.news"])");
  CHECK(rig.hear(1) == "[33,7,1]\n");
  CHECK(rig.hear(2) == "[33,8,1]\n");
  rig.say(1, R"([16,9,{"acknowledge":true},"shop.news",[1,"two"],{"x":3}])");
  CHECK(rig.hear(1) == "[17,9,1]\n");
  CHECK(rig.hear(2) == R"([36,1,1,{},[1,"two"],{"x":3}])"
                       "\n");
  CHECK(rig.hear(3).empty());
  rig.say(2, R"([34,10,1])");
  CHECK(rig.hear(2) == "[35,10]\n");
  rig.say(3, R"([16,9,{"exclude_me":false},"shop.news"])");
  CHECK(rig.hear(2).empty());
  CHECK(rig.hear(1) == "[36,1,2,{}]\n");
  rig.close(1);
  CHECK_FALSE(rig.router.has_subscribers());
}

TEST_CASE("topics are subscribed to by prefix and by wildcard", "[wamp]") {
  Rig rig;
  rig.open(1);
  rig.say(1, R"([32,1,{"match":"prefix"},"eole.shop"])");
  rig.say(1, R"([32,2,{"match":"wildcard"},"eole..echo.done"])");
  rig.hear(1);
  rig.router.publish("shop", "eole.shop.echo.done", R"(,[{"offset":4}])", rig.actions);
  rig.take();
  CHECK(rig.hear(1) == R"([36,1,1,{"topic":"eole.shop.echo.done"},[{"offset":4}]])"
                       "\n"
                       R"([36,2,1,{"topic":"eole.shop.echo.done"},[{"offset":4}]])"
                       "\n");
  rig.router.publish("other", "eole.other.echo.failed", {}, rig.actions);
  rig.router.publish("other", "eole.other.echo", {}, rig.actions);
  rig.take();
  CHECK(rig.hear(1).empty());
}

TEST_CASE("nobody publishes or registers what is the gateway's", "[wamp]") {
  Rig rig;
  rig.open(1);
  rig.say(1, R"([16,1,{"acknowledge":true},"eole.shop.echo.done"])");
  CHECK_THAT(rig.hear(1), Catch::StartsWith(R"([8,16,1,{},"wamp.error.not_authorized")"));
  rig.say(1, R"([64,1,{},"eole.submit"])");
  CHECK_THAT(rig.hear(1), Catch::StartsWith(R"([8,64,1,{},"wamp.error.not_authorized")"));
  rig.say(1, R"([64,1,{},"a b"])");
  CHECK(rig.hear(1) == R"([8,64,1,{},"wamp.error.invalid_uri",["a b"]])"
                       "\n");
  rig.say(1, R"([34,2,9])");
  CHECK(rig.hear(1) == R"([8,34,2,{},"wamp.error.no_such_subscription"])"
                       "\n");
  rig.say(1, R"([66,3,9])");
  CHECK(rig.hear(1) == R"([8,66,3,{},"wamp.error.no_such_registration"])"
                       "\n");
}

TEST_CASE("a call travels to who registered it, and its result back", "[wamp]") {
  Rig rig;
  rig.open(1);
  rig.open(2);
  rig.say(1, R"([64,5,{},"shop.price"])");
  CHECK(rig.hear(1) == "[65,5,1]\n");
  rig.say(2, R"([64,5,{},"shop.price"])");
  CHECK(rig.hear(2) == R"([8,64,5,{},"wamp.error.procedure_already_exists",["shop.price"]])"
                       "\n");
  rig.say(2, R"([48,77,{},"shop.price",["tea"],{"n":2}])");
  CHECK(rig.hear(1) == R"([68,1,1,{},["tea"],{"n":2}])"
                       "\n");
  rig.say(1, R"([70,1,{},[4.5]])");
  CHECK(rig.hear(2) == "[50,77,{},[4.5]]\n");
  rig.say(1, R"([70,1,{},[4.5]])");  // Once more: nobody waits.
  CHECK(rig.hear(2).empty());
  rig.say(2, R"([48,78,{},"shop.price"])");
  rig.hear(1);
  rig.say(1, R"([8,68,2,{},"shop.error.sold_out",["tea"],{"n":0}])");
  CHECK(rig.hear(2) == R"([8,48,78,{},"shop.error.sold_out",["tea"],{"n":0}])"
                       "\n");
  rig.say(1, R"([66,6,1])");
  CHECK(rig.hear(1) == "[67,6]\n");
  rig.say(2, R"([48,79,{},"shop.price"])");
  CHECK(rig.hear(2) == R"([8,48,79,{},"wamp.error.no_such_procedure",["shop.price"]])"
                       "\n");
}

TEST_CASE("progress comes to who asked for it", "[wamp]") {
  Rig rig;
  rig.open(1);
  rig.open(2);
  rig.say(1, R"([64,1,{},"count"])");
  rig.hear(1);
  rig.say(2, R"([48,1,{"receive_progress":true},"count"])");
  CHECK(rig.hear(1) == R"([68,1,1,{"receive_progress":true}])"
                       "\n");
  rig.say(1, R"([70,1,{"progress":true},[1]])");
  rig.say(1, R"([70,1,{},[2]])");
  CHECK(rig.hear(2) == R"([50,1,{"progress":true},[1]])"
                       "\n[50,1,{},[2]]\n");
  rig.say(2, R"([48,2,{},"count"])");
  rig.say(1, R"([70,2,{"progress":true},[1]])");
  CHECK(rig.hear(2).empty());
}

TEST_CASE("a call ends when its caller cancels it, or who runs it goes", "[wamp]") {
  Rig rig;
  rig.open_interruptible(1);
  for (Peer peer : {2, 3}) rig.open(peer);
  rig.say(1, R"([64,1,{},"slow"])");
  rig.say(2, R"([48,1,{},"slow"])");
  rig.hear(1);
  rig.say(2, R"([49,1,{}])");
  CHECK(rig.hear(1) == R"([69,1,{"mode":"killnowait"}])"
                       "\n");
  CHECK(rig.hear(2) == R"([8,48,1,{},"wamp.error.canceled"])"
                       "\n");
  rig.say(2, R"([48,2,{},"slow"])");
  rig.say(3, R"([48,1,{},"slow"])");
  rig.hear(1);
  rig.close(3);
  CHECK(rig.hear(1) == R"([69,3,{"mode":"killnowait"}])"
                       "\n");
  rig.close(1);
  CHECK(rig.hear(2) == R"([8,48,2,{},"wamp.error.canceled",["who ran it has gone"]])"
                       "\n");
  rig.say(2, R"([48,3,{},"slow"])");
  CHECK(rig.hear(2) == R"([8,48,3,{},"wamp.error.no_such_procedure",["slow"]])"
                       "\n");
}

TEST_CASE("who cancels says whether it waits for who runs it", "[wamp]") {
  Rig rig;
  rig.open_interruptible(1);
  rig.open(2);
  rig.say(1, R"([64,1,{},"slow"])");
  for (const auto* call : {R"([48,1,{},"slow"])", R"([48,2,{},"slow"])"}) rig.say(2, call);
  rig.hear(1);
  rig.say(2, R"([49,1,{"mode":"kill"}])");
  CHECK(rig.hear(1) == R"([69,1,{"mode":"kill"}])"
                       "\n");
  CHECK(rig.hear(2).empty());
  rig.say(1, R"([8,68,1,{},"shop.error.stopped"])");
  CHECK(rig.hear(2) == R"([8,48,1,{},"shop.error.stopped"])"
                       "\n");
  rig.say(2, R"([49,2,{"mode":"skip"}])");
  CHECK(rig.hear(1).empty());
  CHECK(rig.hear(2) == R"([8,48,2,{},"wamp.error.canceled"])"
                       "\n");
}

TEST_CASE("a client that does not know how to be interrupted is not", "[wamp]") {
  Rig rig;
  for (Peer peer : {1, 2}) rig.open(peer);
  rig.say(1, R"([64,1,{},"slow"])");
  rig.say(2, R"([48,1,{},"slow"])");
  rig.hear(1);
  rig.say(2, R"([49,1,{"mode":"kill"}])");
  CHECK(rig.hear(1).empty());
  CHECK(rig.hear(2) == R"([8,48,1,{},"wamp.error.canceled"])"
                       "\n");
  rig.say(1, R"([70,1,{},[7]])");  // Too late: nobody waits for it.
  CHECK(rig.hear(2).empty());
}

TEST_CASE("the gateway's own procedures are called like any", "[wamp]") {
  Rig rig;
  rig.open(1);
  rig.say(1, R"([48,9,{},"eole.result",["1-2"]])");
  const auto called = rig.other<OwnCalled>();
  REQUIRE(called);
  CHECK(called->procedure == "eole.result");
  CHECK(called->args == Value(Value::Array{"1-2"}));
  CHECK(called->caller == 1);
  auto& dealer = rig.router.dealer();
  CHECK(dealer.is_waited_for(called->call));
  dealer.answer(called->call, Value::Array{"all"}, rig.actions);
  CHECK(!dealer.is_waited_for(called->call));
  dealer.fail(called->call, "late", "nobody hears it", rig.actions);
  rig.take();
  CHECK(rig.hear(1) == R"([50,9,{},["all"]])"
                       "\n");
  rig.say(1, R"([48,10,{},"eole.submit"])");
  const auto submit = rig.other<OwnCalled>();
  dealer.fail(submit->call, "eole.error.refused", "kind: missing", rig.actions);
  rig.take();
  CHECK(rig.hear(1) == R"([8,48,10,{},"eole.error.refused",["kind: missing"]])"
                       "\n");
  rig.say(1, R"([48,11,{},"eole.result",["1-2"]])");
  const auto left = rig.other<OwnCalled>();
  rig.say(1, R"([48,12,{},"eole.result",["1-2"]])");
  const auto cancelled = rig.other<OwnCalled>();
  rig.say(1, R"([49,12,{}])");
  CHECK(!dealer.is_waited_for(cancelled->call));
  CHECK(dealer.is_waited_for(left->call));
  rig.close(1);
  CHECK(!dealer.is_waited_for(left->call));
}

TEST_CASE("the gateway calls what clients registered", "[wamp]") {
  Rig rig;
  rig.open(1);
  rig.say(1, R"([64,1,{},"shop.price"])");
  rig.hear(1);
  auto& dealer = rig.router.dealer();
  CHECK(dealer.has_procedure("shop.price"));
  dealer.call(5, "shop.price", Value::Array{"tea"}, {}, rig.actions);
  rig.take();
  CHECK(rig.hear(1) == R"([68,1,1,{"receive_progress":true},["tea"]])"
                       "\n");
  rig.say(1, R"([70,1,{},[4]])");
  const auto heard = rig.other<Heard>();
  REQUIRE(heard);
  CHECK(heard->call == 5);
  CHECK(heard->args == Value(Value::Array{4}));
  dealer.call(6, "shop.other", {}, {}, rig.actions);
  rig.take();
  CHECK(rig.other<Heard>()->error == "wamp.error.no_such_procedure");
  dealer.call(7, "shop.price", {}, {}, rig.actions);
  rig.close(1);
  CHECK(rig.other<Heard>()->error == "wamp.error.canceled");
}

TEST_CASE("one client has so many subscriptions, registrations and calls", "[wamp]") {
  Rig rig;
  rig.open(1);
  for (int i = 1; i <= 1025; ++i) {
    const auto n = std::to_string(i);
    rig.say(1, "[32," + n + ",{},\"t" + n + "\"]");
    rig.say(1, "[64," + n + ",{},\"p" + n + "\"]");
    if (i == 1024) rig.hear(1);
  }
  const auto heard = rig.hear(1);
  CHECK_THAT(heard, Catch::Contains(R"([8,32,1025,{},"eole.error.too_many",)"
                                    R"(["1024 subscriptions, limit 1024"]])"));
  CHECK_THAT(heard, Catch::Contains(R"([8,64,1025,{},"eole.error.too_many",)"));
  rig.open(2);
  for (int i = 1; i <= 1025; ++i) rig.say(2, "[48," + std::to_string(i) + ",{},\"p1\"]");
  CHECK(rig.hear(2) == R"([8,48,1025,{},"eole.error.too_many",)"
                       R"(["1024 calls are under way: the limit"]])"
                       "\n");
}

TEST_CASE("who is not known shows a ticket before anything else", "[wamp]") {
  Rig rig;
  rig.router.open(1, 41, false);
  rig.say(1, R"([1,"eole",{"roles":{},"authmethods":["ticket"],"authid":"ci"}])");
  CHECK(rig.hear(1) == "[4,\"ticket\",{}]\n");
  SECTION("a good one") {
    rig.say(1, R"([5,"eole_1",{}])");
    const auto shown = rig.other<TicketShown>();
    REQUIRE(shown);
    CHECK(shown->ticket == "eole_1");
    rig.router.welcome(1, "ci", "", rig.actions);
    rig.take();
    const auto welcome = rig.hear(1);
    CHECK_THAT(welcome, Catch::StartsWith("[2,42,"));
    CHECK_THAT(welcome, Catch::Contains(R"("authid":"ci")"));
    rig.say(1, R"([32,1,{},"a"])");
    CHECK_THAT(rig.hear(1), Catch::StartsWith("[33,1,"));
  }
  SECTION("one that is none") {
    rig.say(1, R"([5,"no",{}])");
    rig.router.turn_away(1, "this token is none", rig.actions);
    rig.take();
    CHECK(rig.hear(1) ==
          R"([3,{"message":"this token is none"},"wamp.error.authentication_failed"])"
          "\nend\n");
    rig.say(1, R"([5,"eole_1",{}])");
    CHECK(rig.hear(1).empty());
  }
  SECTION("anything else") {
    const auto* said =
        GENERATE(R"([1,"eole",{"roles":{}}])", R"([32,1,{},"a"])", R"([48,1,{},"a"])");
    rig.say(1, said);
    CHECK_THAT(rig.hear(1), Catch::Contains("wamp.error.protocol_violation"));
  }
}

TEST_CASE("who is within a prefix hears and calls nobody else", "[wamp]") {
  Rig rig;
  constexpr auto kRoles = R"({"caller":{}})";
  rig.open(1, kRoles, "acme/");
  rig.open(2, kRoles, "acme/");
  rig.open(3, kRoles, "zeta/");
  rig.open(4);
  const std::string none;
  for (Peer peer : {1, 3, 4}) {
    rig.say(peer, R"([32,1,{"match":"prefix"},"eole"])");
    rig.say(peer, R"([32,2,{},"news"])");
    rig.hear(peer);
  }
  SECTION("of what they publish") {
    rig.say(2, R"([16,3,{},"news",["here"]])");
    CHECK_THAT(rig.hear(1), Catch::Contains("here"));
    CHECK(rig.hear(3) == none);
    CHECK(rig.hear(4) == none);
    rig.say(4, R"([16,3,{},"news",["all"]])");
    CHECK(rig.hear(1) == none);
  }
  SECTION("of what ends") {
    rig.router.publish("acme/x", "eole.acme/x.echo.done", ",[1]", rig.actions);
    rig.router.publish("zeta/x", "eole.zeta/x.echo.done", ",[1]", rig.actions);
    rig.take();
    CHECK_THAT(rig.hear(1), Catch::Contains("acme") && !Catch::Contains("zeta"));
    CHECK_THAT(rig.hear(3), Catch::Contains("zeta") && !Catch::Contains("acme"));
    CHECK_THAT(rig.hear(4), Catch::Contains("zeta") && Catch::Contains("acme"));
  }
  SECTION("of procedures") {
    rig.say(1, R"([64,5,{},"add"])");
    rig.say(3, R"([64,5,{},"add"])");  // It may have the same name.
    CHECK_THAT(rig.hear(3), Catch::StartsWith("[65,5,"));
    CHECK_THAT(rig.hear(1), Catch::StartsWith("[65,5,"));
    rig.say(2, R"([48,6,{},"add",[1]])");
    CHECK_THAT(rig.hear(1), Catch::StartsWith("[68,"));
    CHECK(rig.hear(3) == none);
    rig.say(4, R"([48,6,{},"add",[1]])");
    CHECK_THAT(rig.hear(4), Catch::Contains("no_such_procedure"));
    CHECK_FALSE(rig.router.dealer().has_procedures());  // Tasks call none of theirs.
  }
  SECTION("of what the gateway runs, which is told within what") {
    rig.say(3, R"([48,7,{},"eole.submit"])");
    const auto called = rig.other<OwnCalled>();
    REQUIRE(called);
    CHECK(called->within == "zeta/");
    rig.router.dealer(called->within).answer(called->call, {}, rig.actions);
    rig.take();
    CHECK_THAT(rig.hear(3), Catch::StartsWith("[50,7,"));
  }
  SECTION("by a ticket") {
    rig.router.open(5, 41, false);
    rig.say(5, R"([1,"eole",{"roles":{},"authmethods":["ticket"]}])");
    rig.router.welcome(5, "ci", "acme/", rig.actions);
    rig.take();
    rig.say(5, R"([16,3,{},"news",["ticket"]])");
    CHECK_THAT(rig.hear(1), Catch::Contains("ticket"));
    CHECK(rig.hear(4) == none);
  }
}

TEST_CASE("who is not known and has no ticket is not welcome", "[wamp]") {
  Rig rig;
  rig.router.open(1, 41, false);
  const auto* hello = GENERATE(R"([1,"eole",{"roles":{}}])",
                               R"([1,"eole",{"roles":{},"authmethods":["wampcra","anonymous"]}])");
  rig.say(1, hello);
  CHECK_THAT(rig.hear(1), Catch::Contains("wamp.error.no_matching_auth_method"));
  rig.say(1, R"([48,1,{},"eole.submit"])");
  CHECK(rig.hear(1).empty());
}
