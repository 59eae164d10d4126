#include "worker/runners/frames/frames.hpp"

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/flat.hpp"

namespace eole::frames {

namespace {

using protocol::FlatReader;
using protocol::FlatWriter;

constexpr std::size_t kHeadBytes = 5;

void put_texts(FlatWriter& out, const std::vector<std::string>& texts) {
  out.number(texts.size());
  for (const auto& each : texts) out.text(each);
}

std::vector<std::string> take_texts(FlatReader& fields) {
  std::vector<std::string> texts;
  for (auto left = fields.next_number(); left > 0 && fields.ok(); --left)
    texts.emplace_back(fields.next_text());
  return texts;
}

Bytes payload_of(const Hello& hello) {
  return FlatWriter(3).number(hello.version).number(hello.ahead).number(hello.kinds).take();
}

Bytes payload_of(const Kind& kind) {
  FlatWriter out(3 + 4 * kind.arguments.size());
  out.text(kind.name).text(kind.about).number(kind.arguments.size());
  for (const auto& [name, type, is_needed, fallback] : kind.arguments)
    out.text(name).text(type).number(is_needed ? 1 : 0).text(fallback);
  return out.take();
}

Bytes payload_of(const Run& run) {
  FlatWriter out(8);
  out.number(run.number).text(run.task).number(run.attempt).text(run.kind);
  return out.bytes(run.args).text(run.directory).text(run.project).text(run.traceparent).take();
}

Bytes payload_of(const Cancel& cancel) {
  return FlatWriter(2).number(cancel.number).number(cancel.grace_ms).take();
}

Bytes payload_of(const Output& output) {
  return FlatWriter(3).number(output.number).number(output.stream).bytes(output.bytes).take();
}

Bytes payload_of(const Done& done) {
  FlatWriter out(3 + done.files.size());
  put_texts(out.number(done.number).bytes(done.value), done.files);
  return out.take();
}

Bytes payload_of(const Failed& failed) {
  FlatWriter out(5);
  out.number(failed.number).text(failed.error).bytes(failed.value).text(failed.cause);
  return out.number(failed.retry_after_ms).take();
}

Bytes payload_of(const Progress& progress) {
  FlatWriter out(4);
  out.number(progress.number).number(progress.done).number(progress.total);
  return out.text(progress.text).take();
}

Bytes payload_of(const Fetch& fetch) {
  return FlatWriter(3).number(fetch.number).text(fetch.sha256).text(fetch.name).take();
}

Bytes payload_of(const Fetched& fetched) {
  return FlatWriter(3).number(fetched.number).text(fetched.name).text(fetched.error).take();
}

Bytes payload_of(const Ping& ping) { return FlatWriter(1).number(ping.number).take(); }
Bytes payload_of(const Pong& pong) { return FlatWriter(1).number(pong.number).take(); }

std::vector<Kind::Argument> take_arguments(FlatReader& fields) {
  std::vector<Kind::Argument> arguments;
  const auto text = [&] { return std::string(fields.next_text()); };
  for (auto left = fields.next_number(); left > 0 && fields.ok(); --left)
    arguments.push_back({text(), text(), fields.next_number() != 0, text()});
  return arguments;
}

// Braces: the fields are read in this order.
std::optional<Frame> frame_of(std::uint8_t type, FlatReader& in) {
  const auto text = [&] { return std::string(in.next_text()); };
  const auto bytes = [&] { return Bytes(in.next_bytes()); };
  switch (type) {
    case Hello::kType:
      return Hello{in.next_number(), in.next_number(), in.next_number()};
    case Kind::kType:
      return Kind{{text(), text(), take_arguments(in)}};
    case Run::kType:
      return Run{in.next_number(), text(), in.next_number(), text(),
                 bytes(),          text(), text(),           text()};
    case Cancel::kType:
      return Cancel{in.next_number(), in.next_number()};
    case Output::kType:
      return Output{in.next_number(), in.next_number(), bytes()};
    case Done::kType:
      return Done{in.next_number(), bytes(), take_texts(in)};
    case Failed::kType:
      return Failed{in.next_number(), text(), bytes(), text(), in.next_number()};
    case Progress::kType:
      return Progress{in.next_number(), in.next_number(), in.next_number(), text()};
    case Fetch::kType:
      return Fetch{in.next_number(), text(), text()};
    case Fetched::kType:
      return Fetched{in.next_number(), text(), text()};
    case Ping::kType:
      return Ping{in.next_number()};
    case Pong::kType:
      return Pong{in.next_number()};
    default:
      return std::nullopt;
  }
}

}  // namespace

Bytes encode(const Frame& frame) {
  return std::visit(
      [](const auto& each) {
        const auto payload = payload_of(each);
        Bytes bytes;
        bytes.reserve(kHeadBytes + payload.size());
        put<std::uint8_t>(bytes, each.kType);
        put<std::uint32_t>(bytes, static_cast<std::uint32_t>(payload.size()));
        return bytes += payload;
      },
      frame);
}

void FrameReader::add(std::string_view bytes) {
  bytes_.erase(0, std::exchange(taken_, 0));
  bytes_ += bytes;
}

Expected<std::optional<Frame>> FrameReader::next() {
  const auto rest = std::string_view(bytes_).substr(taken_);
  if (rest.size() < kHeadBytes) return std::optional<Frame>();
  const auto type = static_cast<std::uint8_t>(rest[0]);
  const auto size = read_at<std::uint32_t>(rest, 1);
  if (size > kFrameBytesMax && !planted("frames-of-any-size"))
    return Error{text("a frame of ", size, " bytes, limit ", kFrameBytesMax)};
  if (rest.size() < kHeadBytes + size) return std::optional<Frame>();
  taken_ += kHeadBytes + size;
  auto fields = protocol::FlatReader::parse(rest.substr(kHeadBytes, size));
  if (!fields) return Error{text("a frame of type ", type, ": ", fields.error().message)};
  auto frame = frame_of(type, *fields);
  if (!frame) return Error{text("a frame of type ", type, ", which is none")};
  if (!fields->ok()) return Error{text("a frame of type ", type, " without all of its fields")};
  return frame;
}

}  // namespace eole::frames
