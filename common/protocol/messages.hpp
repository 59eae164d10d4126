#pragma once
#include <cstdint>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/artifact_messages.hpp"
#include "common/protocol/group_messages.hpp"

/// Every message of the ring. docs/protocol.md says the same for other languages; who sends it,
/// who hears it, and what if it is lost or repeated stands above each struct, with the rules of
/// docs/ring.md that it serves. A field that is added comes last, and zero or empty means what was
/// so before: who does not know it ignores it. Whose messages have `within`, a prefix of projects,
/// is told of these alone, and changes nothing else (rule T1). The payload layouts are in
/// records.hpp.
namespace eole::protocol {

/// Client -> ventilator: `count` tasks (payload: groups of tasks), accepted whole or not at all and
/// numbered in their order. Repeated with the same run and request, or the same key and hash: the
/// first answer again (rules D1, S2). All requests up to `confirmed` were answered and may be
/// forgotten.
struct Submit {
  static constexpr std::string_view kName = "submit";
  static constexpr std::uint32_t kFieldsNeeded = 5;
  RunId run = 0;
  std::uint64_t request = 0;
  std::uint64_t confirmed = 0;
  std::string key;
  std::uint32_t count = 0;
  Bytes payload;
  std::string within = {};
  void fields(auto& io) { io(run), io(request), io(confirmed), io(key), io(count), io(within); }
  bool operator==(const Submit&) const = default;
};

/// Ventilator -> client (payload: acceptance records), after the tasks of these requests are
/// durable: all that one sync covered (rules D3, S1).
struct Accepted {
  static constexpr std::string_view kName = "accepted";
  Origin origin = 0;
  Bytes payload;
  void fields(auto& io) { io(origin); }
  bool operator==(const Accepted&) const = default;
};

/// Any role -> who asked: nothing was done, and why (refusal.hpp).
struct Refused {
  static constexpr std::string_view kName = "refused";
  static constexpr std::uint32_t kFieldsNeeded = 2;
  std::uint64_t request = 0;
  std::string reason;
  std::string code = {};
  std::uint32_t retry_after_ms = 0;
  void fields(auto& io) { io(request), io(reason), io(code), io(retry_after_ms); }
  bool operator==(const Refused&) const = default;
};

/// Client -> ventilator: settle these tasks (payload: ranges of numbers) as cancelled, those that
/// are not settled yet. At most kTasksPerMessageMax tasks. Repeatable (rule S3).
struct Cancel {
  static constexpr std::string_view kName = "cancel";
  static constexpr std::uint32_t kFieldsNeeded = 2;
  std::uint64_t request = 0;
  Origin origin = 0;
  Bytes payload;
  std::string within = {};
  void fields(auto& io) { io(request), io(origin), io(within); }
  bool operator==(const Cancel&) const = default;
};

/// Client -> sink: take the letters of these tasks (payload: ranges of numbers) off the list of
/// dead letters; the log keeps them. Answered once that is durable. Repeatable.
struct Discard {
  static constexpr std::string_view kName = "discard";
  static constexpr std::uint32_t kFieldsNeeded = 2;
  std::uint64_t request = 0;
  Origin origin = 0;
  Bytes payload;
  std::string within = {};
  void fields(auto& io) { io(request), io(origin), io(within); }
  bool operator==(const Discard&) const = default;
};

/// Client -> ventilator or sink: what a person wants to hold from now on (payload: one msgpack map),
/// like a pause. It says how things are to be, not how to change them, so it may be repeated. Answered once
/// it is durable.
struct Control {
  static constexpr std::string_view kName = "control";
  static constexpr std::uint32_t kFieldsNeeded = 2;
  std::uint64_t request = 0;
  std::string what;
  Bytes payload;
  std::string within = {};
  void fields(auto& io) { io(request), io(what), io(within); }
  bool operator==(const Control&) const = default;
};

/// Client -> ventilator or sink: a question of person size, with options if it has some (payload:
/// empty or one msgpack map). Answers that could be large come in pages.
struct Query {
  static constexpr std::string_view kName = "query";
  static constexpr std::uint32_t kFieldsNeeded = 4;
  std::uint64_t request = 0;
  std::string what;
  Origin origin = 0;
  Seq seq = 0;
  Bytes payload;
  std::string within = {};
  void fields(auto& io) { io(request), io(what), io(origin), io(seq), io(within); }
  bool operator==(const Query&) const = default;
};

/// Ventilator or sink -> client: the answer to a query, a cancel, a control or a discard (payload: one msgpack
/// value).
struct Answer {
  static constexpr std::string_view kName = "answer";
  std::uint64_t request = 0;
  Bytes payload;
  void fields(auto& io) { io(request); }
  bool operator==(const Answer&) const = default;
};

/// Worker -> ventilator: a new worker, or one whose link broke (payload: held records). Repeated
/// until welcomed; a repeated hello gets the same welcome (rules V1, B1, B2, B3).
struct Hello {
  static constexpr std::string_view kName = "hello";
  static constexpr std::uint32_t kFieldsNeeded = 11;  // What people are told of it may be left out.
  RunId run = 0;
  std::uint32_t hello = 0;
  std::uint32_t last_start = 0;  // The link before this one; zero if there was none.
  std::uint32_t last_hello = 0;
  std::uint64_t received = 0;  // On that link's pipe.
  std::string name;
  std::uint32_t pid = 0;
  std::uint32_t slots = 0;
  std::string kinds;      // Names with commas between them.
  std::string labels;     // needs.hpp: "gpu=a100,zone=eu"
  std::string resources;  // Likewise: "cpus=4,mem=64G"
  std::string host = {};
  std::string version = {};
  std::uint32_t prefetch = 0;  // Per slot; zero: adapts.
  std::uint32_t restarts = 0;  // By its supervisor, so far.
  Bytes payload;
  void fields(auto& io) {
    io(run), io(hello), io(last_start), io(last_hello), io(received), io(name), io(pid), io(slots),
        io(kinds), io(labels), io(resources), io(host), io(version), io(prefetch), io(restarts);
  }
  bool operator==(const Hello&) const = default;
};

/// Ventilator -> worker: the link is (start, run, hello), its tasks come on `pipe`.
struct Welcome {
  static constexpr std::string_view kName = "welcome";
  std::uint32_t start = 0;
  RunId run = 0;
  std::uint32_t hello = 0;
  Origin origin = 0;
  std::string pipe;  // A ZeroMQ endpoint to connect a PULL socket to.
  std::uint32_t heartbeat_ms = 0;
  void fields(auto& io) { io(start), io(run), io(hello), io(origin), io(pipe), io(heartbeat_ms); }
  bool operator==(const Welcome&) const = default;
};

/// Ventilator -> worker: your link is not mine (any more); say hello with a new number.
struct HelloAgain {
  static constexpr std::string_view kName = "hello_again";
  RunId run = 0;
  void fields(auto& io) { io(run); }
  bool operator==(const HelloAgain&) const = default;
};

/// Ventilator -> worker, on the link's own pipe (payload: task runs), numbered from `first` (rules
/// V2, V5).
struct Tasks {
  static constexpr std::string_view kName = "tasks";
  std::uint32_t start = 0;
  RunId run = 0;
  std::uint32_t hello = 0;
  Origin origin = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  Bytes payload;
  void fields(auto& io) { io(start), io(run), io(hello), io(origin), io(first), io(count); }
  bool operator==(const Tasks&) const = default;
};

/// Worker -> ventilator, every heartbeat and when asked (payload: held records). Levels only, so
/// a lost or repeated one changes nothing (rules V3, V4, V10, V11).
struct Beat {
  static constexpr std::string_view kName = "beat";
  static constexpr std::uint32_t kFieldsNeeded = 6;
  std::uint32_t start = 0;
  RunId run = 0;
  std::uint32_t hello = 0;
  std::uint64_t number = 0;
  std::uint64_t received = 0;
  std::uint64_t limit = 0;  // The highest pipe number that may be sent.
  std::uint8_t is_draining = 0;  // It leaves once what runs has ended.
  Bytes payload;
  void fields(auto& io) {
    io(start), io(run), io(hello), io(number), io(received), io(limit), io(is_draining);
  }
  bool operator==(const Beat&) const = default;
};

/// Worker -> ventilator, between beats when credit frees. Lost: the next beat carries the same.
struct Credit {
  static constexpr std::string_view kName = "credit";
  std::uint32_t start = 0;
  RunId run = 0;
  std::uint32_t hello = 0;
  std::uint64_t received = 0;
  std::uint64_t limit = 0;
  void fields(auto& io) { io(start), io(run), io(hello), io(received), io(limit); }
  bool operator==(const Credit&) const = default;
};

/// Ventilator -> worker: the reply to a beat, or at once (payload: order records). Repeated until
/// what the worker holds shows the effect (rule V8). `ask_beat` is one if a beat is wanted now.
struct Orders {
  static constexpr std::string_view kName = "orders";
  std::uint32_t start = 0;
  RunId run = 0;
  std::uint32_t hello = 0;
  std::uint8_t ask_beat = 0;
  Bytes payload;
  void fields(auto& io) { io(start), io(run), io(hello), io(ask_beat); }
  bool operator==(const Orders&) const = default;
};

/// Worker -> ventilator: it holds nothing and leaves. Lost: the lease ends by silence.
struct Goodbye {
  static constexpr std::string_view kName = "goodbye";
  std::uint32_t start = 0;
  RunId run = 0;
  std::uint32_t hello = 0;
  void fields(auto& io) { io(start), io(run), io(hello); }
  bool operator==(const Goodbye&) const = default;
};

/// Worker -> sink (payload: result records, all of one origin), numbered from `first` within the
/// run and its results of this origin. Everything up to `floor` is acknowledged. Sent again until
/// the acknowledgement covers it (rules R1 to R5).
struct Results {
  static constexpr std::string_view kName = "results";
  static constexpr std::uint32_t kFieldsNeeded = 6;
  RunId run = 0;
  std::uint64_t first = 0;
  std::uint64_t floor = 0;
  std::uint32_t count = 0;
  std::string worker;
  Origin origin = 0;
  Bytes payload;
  std::uint32_t pid = 0;
  void fields(auto& io) {
    io(run), io(first), io(floor), io(count), io(worker), io(origin), io(pid);
  }
  bool operator==(const Results&) const = default;
};

/// Sink -> worker (topic "ack." and the run in hex): its results of this origin are durable up to
/// `level`.
struct Ack {
  static constexpr std::string_view kName = "ack";
  std::uint64_t log = 0;
  RunId run = 0;
  std::uint64_t level = 0;
  Origin origin = 0;
  void fields(auto& io) { io(log), io(run), io(level), io(origin); }
  bool operator==(const Ack&) const = default;
};

/// Ventilator -> sink (payload: result records): tasks that end without a worker. Sent again
/// until they are read in the log (rules D2, V7, V9). Those of an earlier start than the one that
/// was introduced last count no more.
struct Verdicts {
  static constexpr std::string_view kName = "verdicts";
  Origin origin = 0;
  std::uint32_t count = 0;
  std::uint32_t start = 0;
  Bytes payload;
  void fields(auto& io) { io(origin), io(count), io(start); }
  bool operator==(const Verdicts&) const = default;
};

/// Worker -> sink -> subscribers (topic "progress." and the task): how far a running task is, and
/// what it printed (payload). A copy for people: may be lost.
struct Progress {
  static constexpr std::string_view kName = "progress";
  static constexpr std::uint32_t kFieldsNeeded = 7;
  Origin origin = 0;
  Seq seq = 0;
  std::string worker;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // Zero: not known.
  std::string stream;       // "stdout" or "stderr" if the payload is output, else empty.
  std::string text;         // What it is at, for people.
  Bytes payload;
  std::string kind = {};
  std::string project = {};
  void fields(auto& io) {
    io(origin), io(seq), io(worker), io(done), io(total), io(stream), io(text), io(kind),
        io(project);
  }
  bool operator==(const Progress&) const = default;
};

/// Ventilator or worker -> sink (payload: a list of maps, news.hpp): what happened just now. Sent
/// only while the log's head says that somebody hears of it. May be lost: what must not be missed
/// is in the log.
struct News {
  static constexpr std::string_view kName = "news";
  std::string role;
  Bytes payload;
  void fields(auto& io) { io(role); }
  bool operator==(const News&) const = default;
};

/// Any role -> sink (payload: log lines): what it said of its work. `dropped` lines before these
/// had no room. A copy for people: may be lost.
struct LogLines {
  static constexpr std::string_view kName = "log_lines";
  std::string role;
  std::string name;
  std::uint64_t dropped = 0;
  Bytes payload;
  void fields(auto& io) { io(role), io(name), io(dropped); }
  bool operator==(const LogLines&) const = default;
};

/// Ventilator -> sink, at its start (payload: a page of its settled ranges): may this origin's
/// results in (rules D5, R6). All pages follow one another, and all are sent again until answered.
struct Introduce {
  static constexpr std::string_view kName = "introduce";
  std::uint64_t request = 0;
  Origin origin = 0;
  std::uint32_t start = 0;
  std::uint64_t nonce = 0;  // Drawn by this process: two with one journal are told apart.
  Seq highest = 0;
  std::uint32_t page = 0;
  std::uint32_t pages = 1;
  Bytes payload;
  void fields(auto& io) {
    io(request), io(origin), io(start), io(nonce), io(highest), io(page), io(pages);
  }
  bool operator==(const Introduce&) const = default;
};

/// Ventilator -> sink, before tasks with new numbers leave, and every second while some are not
/// settled: it gave out the numbers up to `highest`, and has read the log below `read`. Results of
/// others wait; the log is kept from there on. Levels: may be lost (rules R6, L5).
struct Announce {
  static constexpr std::string_view kName = "announce";
  Origin origin = 0;
  std::uint64_t nonce = 0;
  Seq highest = 0;
  std::uint64_t read = 0;
  void fields(auto& io) { io(origin), io(nonce), io(highest), io(read); }
  bool operator==(const Announce&) const = default;
};

/// Sink -> ventilator (payload: a page of the origin's settled ranges as of `offset`; rule L4).
struct Introduced {
  static constexpr std::string_view kName = "introduced";
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  std::uint64_t offset = 0;
  std::uint32_t page = 0;
  std::uint32_t pages = 1;
  Bytes payload;
  void fields(auto& io) { io(request), io(log), io(offset), io(page), io(pages); }
  bool operator==(const Introduced&) const = default;
};

/// Ventilator -> sink: what was settled from `offset` on? Repeatable (rule V6).
struct Follow {
  static constexpr std::string_view kName = "follow";
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  Origin origin = 0;
  std::uint64_t nonce = 0;
  std::uint64_t offset = 0;
  void fields(auto& io) { io(request), io(log), io(origin), io(nonce), io(offset); }
  bool operator==(const Follow&) const = default;
};

/// Sink -> ventilator: the log's offsets from … to - 1, as this origin's settlements (payload). If
/// `from` is above what a follow asked for, the log is not kept below it (rule L5).
/// The answer to a follow, or (request zero, topic "settled." and the origin) a copy of the news.
struct Settled {
  static constexpr std::string_view kName = "settled";
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t head = 0;
  Bytes payload;
  void fields(auto& io) { io(request), io(log), io(from), io(to), io(head); }
  bool operator==(const Settled&) const = default;
};

/// Client -> sink: the log from a cursor on (rule L3). `log` and `crc` zero: whatever is there. A
/// payload names partitions (partition.hpp): only batches with runs that may have some of them.
struct Read {
  static constexpr std::string_view kName = "read";
  static constexpr std::uint32_t kFieldsNeeded = 5;
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  std::uint64_t offset = 0;
  std::uint32_t crc = 0;
  std::uint32_t bytes_max = 0;
  std::string within = {};
  std::string pattern = {};  // Of topics; empty: all.
  Bytes payload = {};
  void fields(auto& io) {
    io(request), io(log), io(offset), io(crc), io(bytes_max), io(within), io(pattern);
  }
  bool operator==(const Read&) const = default;
};

/// Sink -> client (payload: result batches, each after its size as u32). `next` and `crc` are the
/// cursor to read on from; next == head: all was read. `within`: it has no others' results, and
/// gaps in their place; `next` is how far was looked. So it is if partitions were asked for.
struct Records {
  static constexpr std::string_view kName = "records";
  static constexpr std::uint32_t kFieldsNeeded = 5;
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  std::uint64_t next = 0;
  std::uint64_t head = 0;
  std::uint32_t crc = 0;
  Bytes payload;
  std::string within = {};
  void fields(auto& io) { io(request), io(log), io(next), io(head), io(crc), io(within); }
  bool operator==(const Records&) const = default;
};

/// Sink -> client: what a read at `offset` asked for is not kept any more; the oldest result that
/// is kept has the offset `kept_from` (rule L5).
struct Gone {
  static constexpr std::string_view kName = "gone";
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  std::uint64_t offset = 0;
  std::uint64_t kept_from = 0;
  std::uint64_t head = 0;
  void fields(auto& io) { io(request), io(log), io(offset), io(kept_from), io(head); }
  bool operator==(const Gone&) const = default;
};

/// Sink -> subscribers (topic "result." and the project): one result batch, a copy of the log
/// (rule L1).
struct Notification {
  static constexpr std::string_view kName = "notification";
  std::uint64_t log = 0;
  Bytes payload;
  void fields(auto& io) { io(log); }
  bool operator==(const Notification&) const = default;
};

/// Sink -> subscribers (topic "head"), every second, and (topic "grown") soon after it grew: the
/// log's next offset (rule L2).
struct LogHead {
  static constexpr std::string_view kName = "log_head";
  static constexpr std::uint32_t kFieldsNeeded = 2;
  std::uint64_t log = 0;
  std::uint64_t head = 0;
  std::uint8_t wants_news = 0;  // One: somebody hears of news.
  void fields(auto& io) { io(log), io(head), io(wants_news); }
  bool operator==(const LogHead&) const = default;
};

}  // namespace eole::protocol
