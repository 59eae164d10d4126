#include "common/protocol/head.hpp"

#include <msgpack.hpp>

#include "common/base/text.hpp"

namespace eole::protocol {

namespace {
struct Sink {
  Bytes& out;
  void write(const char* bytes, std::size_t size) { out.append(bytes, size); }
};
}  // namespace

HeadWriter::HeadWriter(std::string_view name, std::uint32_t fields) {
  Sink sink{out_};
  msgpack::packer<Sink> packer(sink);
  packer.pack_array(fields + 2);
  packer.pack_uint64(kVersion);
  put(name);
}

void HeadWriter::put(std::uint64_t number) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_uint64(number);
}

void HeadWriter::put(std::string_view text) {
  Sink sink{out_};
  msgpack::packer<Sink> packer(sink);
  packer.pack_str(static_cast<std::uint32_t>(text.size()));
  packer.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

// Fills the reader's fields; stops at whatever a head must not hold.
struct HeadVisitor : msgpack::null_visitor {
  explicit HeadVisitor(HeadReader& head) : reader(head) {}
  bool add(HeadReader::Field field) {
    if (!in_array || reader.count_ == HeadReader::kFieldsMax) return false;
    reader.fields_[reader.count_++] = field;
    return true;
  }
  bool visit_positive_integer(std::uint64_t number) { return add({nullptr, number}); }
  bool visit_str(const char* text, std::uint32_t size) { return add({text, size}); }
  bool start_array(std::uint32_t count) {
    if (in_array || count > HeadReader::kFieldsMax) return false;
    return in_array = true;
  }
  bool visit_nil() { return false; }
  bool visit_boolean(bool) { return false; }
  bool visit_negative_integer(std::int64_t) { return false; }
  bool visit_float32(float) { return false; }
  bool visit_float64(double) { return false; }
  bool visit_bin(const char*, std::uint32_t) { return false; }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_map(std::uint32_t) { return false; }
  void parse_error(std::size_t, std::size_t) {}
  void insufficient_bytes(std::size_t, std::size_t) {}
  HeadReader& reader;
  bool in_array = false;
};

Expected<HeadReader> HeadReader::parse(std::string_view head) {
  constexpr std::size_t kHeadBytesMax = 4096;
  if (head.size() > kHeadBytesMax)
    return Error{text("head: ", head.size(), " bytes, limit ", kHeadBytesMax)};
  HeadReader reader;
  HeadVisitor visitor(reader);
  std::size_t end = 0;
  if (!msgpack::parse(head.data(), head.size(), end, visitor) || end != head.size())
    return Error{"head: not one flat msgpack array of at most 24 numbers and texts"};
  if (reader.count_ < 2 || reader.fields_[0].text != nullptr || reader.fields_[1].text == nullptr)
    return Error{"head: does not start with a version and a name"};
  if (reader.fields_[0].number != kVersion)
    return Error{text("head: protocol version ", reader.fields_[0].number, ", this is ", kVersion)};
  return reader;
}

std::uint64_t HeadReader::next_number() {
  if (next_ >= count_ || fields_[next_].text != nullptr) return ok_ = false, 0;
  return fields_[next_++].number;
}

std::string_view HeadReader::next_text() {
  if (next_ >= count_ || fields_[next_].text == nullptr) return ok_ = false, std::string_view{};
  const auto& field = fields_[next_++];
  return {field.text, field.number};
}

}  // namespace eole::protocol
