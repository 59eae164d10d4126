#include "common/protocol/codec.hpp"
#include "common/protocol/hand_messages.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/runner_offers.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/value.hpp"
#include "tests/unit/golden.hpp"

using namespace eole;
using namespace eole::protocol;

namespace {

// All fields of a message, zero or empty.
struct Unsaid {
  std::string fields;
  template <class Field>
  void operator()(const Field&) {
    fields += std::is_arithmetic_v<Field> ? '\0' : '\xa0';
  }
};

template <class T>
void check_message(const T& message) {
  const auto encoded = encode(message);
  check_golden(std::string(T::kName) + ".hex", encoded.head);
  const auto head = HeadReader::parse(encoded.head);
  REQUIRE(head);
  REQUIRE(head->name() == T::kName);
  const auto again = decode<T>(*head, encoded.payload);
  REQUIRE(again);
  REQUIRE(*again == message);
  // What a later release may have added: its fields are ignored.
  auto longer = encoded.head;
  const std::size_t count = longer[0] == '\xdc' ? 2 : 0;  // Where it is, of over 15 and of fewer.
  if constexpr (requires { T::kFieldsNeeded; }) {         // Behind those that go without saying.
    protocol::detail::FieldCounter counter;
    T(message).fields(counter);
    Unsaid unsaid;
    T(message).fields(unsaid);
    unsaid.fields.erase(0, std::max(counter.said, T::kFieldsNeeded));
    longer[count] = static_cast<char>(longer[count] + unsaid.fields.size());
    longer += unsaid.fields;
  }
  longer[count] = static_cast<char>(longer[count] + 2);
  longer += "\x07\xa5later";
  const auto later = HeadReader::parse(longer);
  REQUIRE(later);
  REQUIRE(*decode<T>(*later, encoded.payload) == message);
  // Every shorter head is refused, none crashes.
  for (std::size_t size = 0; size < encoded.head.size(); ++size) {
    const auto cut = HeadReader::parse(std::string_view(encoded.head).substr(0, size));
    if (cut) REQUIRE_FALSE(decode<T>(*cut, encoded.payload));
  }
}

// With the field that other messages of its name go without.
template <class T>
void check_within(const T& message, const std::string& field = "within") {
  const auto encoded = encode(message);
  check_golden(text(T::kName, ".", field, ".hex"), encoded.head);
  const auto head = HeadReader::parse(encoded.head);
  REQUIRE(head);
  REQUIRE(*decode<T>(*head, encoded.payload) == message);
}

ResultRecord sample_result() {
  ResultRecord result;
  result.id = {123456, 42};
  result.lease = {2, 77};
  result.attempt = 3;
  result.state = TaskState::kFailed;
  result.is_final = false;
  result.finished_unix_ms = 1'790'000'000'123;
  result.submitted_unix_ms = 1'789'999'990'000;
  result.run_us = 1'500'000;
  result.kind = "echo";
  result.project = "photos";
  result.artifacts = "0123456789abcdef0123456789abcdef";
  result.body =
      "\x81\xa5"
      "error"
      "\xa3"
      "why";
  return result;
}

}  // namespace

TEST_CASE("every message is its golden bytes and comes back from them", "[messages]") {
  check_message(Submit{7, 1, 0, "key", 2, "groups"});
  check_message(Accepted{123456, "acceptances"});
  check_message(Refused{1, "queue full"});
  check_message(Cancel{1, 123456, "ranges"});
  check_message(Discard{1, 123456, "ranges"});
  check_message(Attend{1, "billing", 2, "m1", 3, 0, "cursors", "shop/", 4});
  check_message(Attending{1, 2, 3, 3, 2000, 8, "cursors"});
  check_message(Control{1, "pause", "options"});
  check_message(Query{1, "status", 123456, 42, "options"});
  check_message(Answer{1, "\xc0"});
  check_message(Hello{7, 2, 1, 1, 5, "w1", 4711, 2, "echo,sleep", "gpu=a100", "cpus=4,mem=64G",
                      "far", "0.1.0", 8, 3, "held"});
  check_message(Welcome{1, 7, 2, 123456, "ipc:///tmp/p", 1000});
  check_message(HelloAgain{7});
  check_message(Tasks{1, 7, 2, 123456, 6, 1, "tasks"});
  check_message(Beat{1, 7, 2, 3, 6, 10, 1, "held"});
  check_message(Credit{1, 7, 2, 6, 10});
  check_message(Orders{1, 7, 2, 1, "orders"});
  check_message(Goodbye{1, 7, 2});
  check_message(Results{7, 1, 0, 1, "w1", 123456, "results", 4711});
  check_message(Ack{99, 7, 1, 123456});
  check_message(Verdicts{123456, 1, 2, "results"});
  check_message(Progress{123456, 42, "w1", 10, 100, "stdout", "page 10", "text"});
  check_within(Progress{123456, 42, "w1", 10, 100, "stdout", "page 10", "text", "echo", "photos"},
               "project");
  check_message(News{"ventilator", "a list"});
  check_message(Introduce{1, 123456, 2, 5, 42, 0, 1, "settlement"});
  check_message(Announce{123456, 5, 42, 1000});
  check_message(Introduced{1, 99, 1000, 0, 1, "settlement"});
  check_message(Follow{1, 99, 123456, 5, 1000});
  check_message(Settled{1, 99, 1000, 1010, 1010, "settlement"});
  check_message(Read{1, 99, 1000, 4242, 65536});
  check_message(Records{1, 99, 1010, 1010, 4242, "batches"});
  check_message(Gone{1, 99, 1000, 2000, 3000});
  check_message(Notification{99, "batch"});
  check_message(LogHead{99, 1010});
  check_within(LogHead{99, 1010, 1}, "news");
  check_message(LogLines{"worker", "w1", 3, "lines"});
  check_message(Put{1, std::string(64, 'a'), 1000, 0, "bytes"});
  check_message(PutAt{1, 500, 0});
  check_message(Get{1, std::string(64, 'a'), 0, 262144});
  check_message(Chunk{1, 1000, 0, "bytes"});
  check_message(Hand{1, std::string(32, 'a'), 1000, 1});
  check_message(Handed{1, 1000, std::string(64, 'a'), "/data"});
}

TEST_CASE("a message within a prefix says so behind its other fields", "[messages]") {
  check_within(Refused{1, "no more now", "quota", 12000}, "code");
  check_within(Submit{7, 1, 0, "key", 2, "groups", "acme/"});
  check_within(Cancel{1, 123456, "ranges", "acme/"});
  check_within(Discard{1, 123456, "ranges", "acme/"});
  check_within(Control{1, "pause", "options", "acme/"});
  check_within(Query{1, "status", 123456, 42, "options", "acme/"});
  check_within(Read{1, 99, 1000, 4242, 65536, "acme/"});
  check_within(Read{1, 99, 1000, 4242, 65536, {}, "photos/*/done"}, "pattern");
  check_within(Records{1, 99, 1010, 1010, 0, "batches", "acme/"});
}

TEST_CASE("records are their golden bytes and come back from them", "[records]") {
  Bytes specs;
  put_task_spec(specs, {"\x80"});
  check_golden("task_spec.record.hex", specs);
  ByteReader spec_reader(specs);
  REQUIRE(read_task_spec(spec_reader) == TaskSpec{"\x80"});

  const TaskClass task_class{"echo", "photos", 7, 1};
  const auto encoded = encode_class(task_class);
  check_golden("class.record.hex", encoded);
  REQUIRE(*decode_class(encoded) == task_class);

  Bytes group;
  put_task_group(group, {encoded, 1, specs});
  check_golden("task_group.record.hex", group);
  ByteReader group_reader(group);
  REQUIRE(read_task_group(group_reader) == TaskGroup{encoded, 1, specs});

  Bytes task;
  const TaskRun task_run{42, 77, 3, 1, encoded, specs, 1'789'999'990'000, "\x91\xa3why"};
  put_task_run(task, task_run);
  check_golden("task_run.record.hex", task);
  ByteReader task_reader(task);
  REQUIRE(read_task_run(task_reader) == task_run);
  extend_task_run(task, 0, 1, specs);  // What was lost is said of one task alone.
  ByteReader extended_reader(task);
  REQUIRE_FALSE(read_task_run(extended_reader));

  Bytes acceptance;
  put_acceptance(acceptance, {1, 42, 2});
  check_golden("acceptance.record.hex", acceptance);
  ByteReader acceptance_reader(acceptance);
  REQUIRE(read_acceptance(acceptance_reader) == Acceptance{1, 42, 2});

  const std::vector<Held> held{{{123456, 42}, {2, 77}, HeldState::kStarted}};
  check_golden("held.record.hex", encode_held(held));
  REQUIRE(*decode_held(encode_held(held)) == held);

  const std::vector<RunnerOffer> runners{
      {"./resize.sh", "", {{"resize", "Scales a picture.", {{"scale", "integer", true, ""}}}}},
      {"./broken", "runner ./broken: ended", {{"odd", "", {{"n", "any", false, "[1]"}}}}}};
  check_golden("runners.record.hex", encode_runners(runners));
  const auto told = encode_runners(runners) + "held";
  ByteReader runners_reader(told);
  REQUIRE(*read_runners(runners_reader) == runners);
  REQUIRE(runners_reader.rest() == "held");

  const std::vector<Order> orders{{OrderKind::kDrop, {123456, 42}, {2, 77}}};
  check_golden("order.record.hex", encode_orders(orders));
  REQUIRE(*decode_orders(encode_orders(orders)) == orders);

  Bytes result;
  put_result(result, sample_result());
  check_golden("result.record.hex", result);
  ResultReader result_reader(result);
  REQUIRE(result_reader.next() == sample_result());

  auto sample = sample_result();
  sample.artifacts = sample.body = {};
  Bytes bodies;
  put_body(bodies, "\x81\xa5value\x07");
  put_body(bodies, "\x80");
  Bytes run;
  put_result_run(run, {sample, 2, bodies});
  check_golden("result_run.record.hex", run);
  run += result;
  ResultReader run_reader(run);
  sample.body = "\x81\xa5value\x07";
  REQUIRE(run_reader.next() == sample);
  ++sample.id.seq;
  ++sample.lease.number;
  sample.body = "\x80";
  REQUIRE(run_reader.next() == sample);
  REQUIRE(run_reader.next() == sample_result());
  REQUIRE_FALSE(run_reader.next());

  auto copy = sample_result();
  copy.is_final = false;
  copy.may_have_copy = copy.is_copy = true;
  Bytes copied;
  put_result(copied, copy);
  check_golden("result_copy.record.hex", copied);
  REQUIRE(ResultReader(copied).next() == copy);

  // A failed one, and two that were done: whoever reads batches reads both.
  sample.state = TaskState::kDone;
  sample.is_final = true;
  put_result_run(result, {sample, 2, bodies});
  const ResultBatch batch{1000, 7, 5, 3, "w1", result, 4711};
  check_golden("batch.record.hex", encode_batch(batch));
  REQUIRE(read_batch(encode_batch(batch)) == batch);

  Settlement settlement;
  for (const Seq seq : {3, 4, 5}) settlement.add({seq, seq});
  for (const Seq seq : {8, 9}) settlement.add({seq, seq}, TaskState::kDead);
  settlement.add({10, 10}, TaskState::kCancelled);
  settlement.ran.push_back({9, 3, 1'500'000});
  settlement.failures.push_back({7, {2, 77}, "why", "exit:75", 5'000});
  check_golden("settlement.record.hex", encode_settlement(settlement));
  REQUIRE(*decode_settlement(encode_settlement(settlement)) == settlement);
  REQUIRE(settlement.ranges == std::vector<Settlement::Range>{{3, 5}, {8, 10}});
  REQUIRE(settlement.not_done == std::vector<Settlement::End>{{{8, 9}, TaskState::kDead},
                                                              {{10, 10}, TaskState::kCancelled}});
}

TEST_CASE("records that are cut short or lie about their size are refused", "[records]") {
  Bytes result;
  put_result(result, sample_result());
  for (std::size_t size = 0; size < result.size(); ++size) {
    ResultReader reader(std::string_view(result).substr(0, size));
    REQUIRE_FALSE(reader.next());
  }
  Bytes spec;
  put_task_spec(spec, {std::string(100, 'x')});
  REQUIRE(*count_task_specs(spec + spec) == 2);
  REQUIRE_FALSE(count_task_specs(spec.substr(1)));
  REQUIRE_FALSE(decode_held("odd"));
  const auto runners = encode_runners({{"a", "", {{"kind", "", {}}}}});
  for (std::size_t size = 1; size < runners.size(); ++size) {
    ByteReader reader(std::string_view(runners).substr(0, size));
    REQUIRE_FALSE(read_runners(reader));
  }
  REQUIRE_FALSE(decode_orders("odd"));
  REQUIRE_FALSE(decode_settlement("\xff\xff\xff\xff"));
}

TEST_CASE("a head takes flat numbers and texts, a known version, and nothing else", "[head]") {
  REQUIRE(HeadReader::parse("\x92\x01\xa1x"));
  for (const auto* bad :
       {"", "\x90", "\x92\x01", "\x92\x02\xa1x", "\x92\xa1x\x01", "\x92\x01\x90",
        "\x93\x01\xa1x\xc0", "\x93\x01\xa1x\xff", "\x92\x01\xa1xz", "\x81\x01\xa1x",
        "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff"})
    REQUIRE_FALSE(HeadReader::parse(bad));
  REQUIRE_FALSE(HeadReader::parse(std::string(5000, '\x01')));
}

TEST_CASE("every size of a number, a text and of bytes is read, and none that is cut short",
          "[head]") {
  using namespace std::string_literals;
  const auto array =
      "\x9b\x07\xcc\xff\xcd\x01\x02\xce\x01\x02\x03\x04"
      "\xcf\x01\x02\x03\x04\x05\x06\x07\x08\xa2hi\xd9\x01x\xda\x00\x01y"
      "\xdb\x00\x00\x00\x01z\xc4\x01p\xc5\x00\x01q"s;
  auto reader = FlatReader::parse(array);
  REQUIRE(reader);
  for (const std::uint64_t number :
       {0x07ULL, 0xffULL, 0x0102ULL, 0x01020304ULL, 0x0102030405060708ULL})
    REQUIRE(reader->next_number() == number);
  for (const auto* said : {"hi", "x", "y", "z"}) REQUIRE(reader->next_text() == said);
  for (const auto* said : {"p", "q"}) REQUIRE(reader->next_bytes() == said);
  REQUIRE(reader->ok());
  for (std::size_t size = 0; size < array.size(); ++size)
    REQUIRE_FALSE(FlatReader::parse(array.substr(0, size)));
  for (const auto& head : {"\xdc\x00\x02\x01\xa1x"s, "\xdd\x00\x00\x00\x02\x01\xa1x"s})
    REQUIRE(HeadReader::parse(head));
  for (const auto& bad :
       {"\x91\xc0"s, "\x91\xc2"s, "\x91\xd0\x01"s, "\x91\xff"s, "\x91\x80"s, "\x91\x90"s,
        "\x91\xca\x00\x00\x00\x00"s, "\x91\xd4\x00\x00"s, "\xc4\x01x"s, "\x07"s})
    REQUIRE_FALSE(FlatReader::parse(bad));
}

TEST_CASE("a field too large for its type is refused", "[codec]") {
  HeadWriter head(Submit::kName, 6);
  for (const std::uint64_t field : {1, 2, 3}) head.put(field);
  head.put("");
  head.put(std::uint64_t{1} << 40);  // count has 32 bits
  head.put(std::uint64_t{0});
  REQUIRE_FALSE(decode<Submit>(*HeadReader::parse(head.take()), ""));
}

TEST_CASE("a value is JSON, is msgpack, and is the same again", "[value]") {
  const auto json = R"({"a":[1,-2,2.5,null,true,"é"],"b":{"c":{}}})";
  const auto value = Value::from_json(json);
  REQUIRE(value);
  REQUIRE(value->to_json() == json);
  REQUIRE(*Value::from_msgpack(value->to_msgpack()) == *value);
}

TEST_CASE("bytes are told from text in JSON, and come back as bytes", "[value]") {
  for (const auto* letters : {"", "/w==", "/wA=", "/wAB", "/wABAg=="}) {
    const auto json = text("{\"base64\":\"", letters, "\"}");
    const auto value = Value::from_json(json);
    REQUIRE(value);
    REQUIRE(value->as<Blob>() != nullptr);
    REQUIRE(value->to_json() == json);
  }
  REQUIRE(*Value::from_json("{\"base64\":\"/wAB\"}") ==
          Value(Blob{std::string("\xff\x00\x01", 3)}));
  // Not what is written for bytes: a map like any other.
  for (const auto* json : {R"({"base64":"/w="})", R"({"base64":"/x=="})", R"({"base64":"ä"})",
                           R"({"base64":1})", R"({"base64":"/w==","b":1})"})
    REQUIRE(Value::from_json(json)->to_json() == json);
}

TEST_CASE("JSON holds no character that a terminal would obey", "[value]") {
  REQUIRE(Value("\x1b[2J\x7f\xc2\x9bm\xc2\xa0\xc3\xa9").to_json() ==
          "\"\\u001b[2J\\u007f\\u009bm\xc2\xa0\xc3\xa9\"");
}

TEST_CASE("a view shows a body that cannot be read as bytes, and believes none about the rest",
          "[value]") {
  auto result = sample_result();
  result.body = "\xc1";
  REQUIRE(view_of(result, "w1", 5)["body"] == Value(Blob{"\xc1"}));
  result.body =
      "\x82\xa5state\xa4"
      "fake\xa5value\x07";
  const auto view = view_of(result, "w1", 5);
  REQUIRE(view["state"] != Value("fake"));
  REQUIRE(view["value"] == Value(7));
}

TEST_CASE("every integer of 64 bits is carried exactly, and a larger one is refused", "[value]") {
  for (const std::string json : {"9223372036854775807", "9223372036854775808",
                                 "18446744073709551615", "-9223372036854775808"}) {
    const auto value = Value::from_json(json);
    REQUIRE(value);
    REQUIRE(value->to_json() == json);
    REQUIRE(*Value::from_msgpack(value->to_msgpack()) == *value);
  }
  REQUIRE(Value::from_json("[18446744073709551616]").error().message ==
          "integer 18446744073709551616: limits are -9223372036854775808 and "
          "18446744073709551615");
  REQUIRE_FALSE(Value::from_json("-9223372036854775809"));
  REQUIRE_FALSE(Value::from_json("1e400"));
  REQUIRE(Value::from_json("1e30")->as<double>() != nullptr);
  REQUIRE_FALSE(Value::from_json(R"({"a":1,"b":2,"a":3})"));
}

TEST_CASE("a float stays one, also an integral one", "[value]") {
  const auto two = Value(2.0).to_msgpack();
  REQUIRE(two == std::string("\xcb\x40\x00\x00\x00\x00\x00\x00\x00", 9));
  REQUIRE(*Value::from_msgpack(two) == Value(2.0));
}

TEST_CASE("one msgpack value is told from none, half of one, and two", "[protocol]") {
  using namespace std::string_literals;
  const Value value =
      Value::Map{{"small", 7},
                 {"large", INT64_MIN},
                 {"real", 0.5},
                 {"text", std::string(300, 'x')},
                 {"bytes", protocol::Blob{std::string(70'000, 'y')}},
                 {"list", Value::Array(20, Value(Value::Map{{"none", {}}, {"yes", true}}))}};
  const auto whole = value.to_msgpack();
  REQUIRE(is_msgpack(whole));
  REQUIRE_FALSE(is_msgpack(whole + '\xc0'));
  for (const std::size_t cut : {0UL, 1UL, 20UL, 400UL, whole.size() - 1})
    REQUIRE_FALSE(is_msgpack(whole.substr(0, cut)));
  for (const auto& good :
       {"\xca\1\2\3\4"s, "\xcf\1\2\3\4\5\6\7\1"s, "\xd0\1"s, "\xd1\1\2"s, "\xd4\1\2"s,
        "\xd8\1"s + std::string(16, 'e'), "\xc7\2\1zz"s, "\xc4\1z"s, "\xd9\1z"s, "\xdc\0\2\1\xff"s,
        "\xde\0\1\1\x90"s, std::string(32, '\x91') + "\1"}) {
    CAPTURE(hex(good));
    REQUIRE(is_msgpack(good));
    REQUIRE_FALSE(is_msgpack(good.substr(0, good.size() - 1)));
  }
  REQUIRE_FALSE(is_msgpack("\xc1"));
  REQUIRE_FALSE(is_msgpack("\xdd\xff\xff\xff\xff"));
  REQUIRE_FALSE(is_msgpack(std::string(33, '\x91') + "\1"));  // Deeper than anybody reads.
}

TEST_CASE("nested, huge or cut values are refused without allocating", "[value]") {
  REQUIRE_FALSE(Value::from_json("{"));
  REQUIRE_FALSE(Value::from_json(std::string(40, '[') + std::string(40, ']')));
  REQUIRE(Value::from_msgpack(std::string(36, '\x91') + "\x01"));
  REQUIRE_FALSE(Value::from_msgpack(std::string(37, '\x91') + "\x01"));
  REQUIRE_FALSE(Value::from_msgpack("\xdd\xff\xff\xff\xff"));
  REQUIRE_FALSE(Value::from_msgpack("\x01\x01"));
  REQUIRE_FALSE(Value::from_msgpack("\x81\x01\x01"));  // A key that is no text.
}
