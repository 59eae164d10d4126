#include "common/protocol/flat.hpp"

#include <msgpack.hpp>

#include "common/base/text.hpp"

namespace eole::protocol {

namespace {
struct Sink {
  Bytes& out;
  void write(const char* bytes, std::size_t size) { out.append(bytes, size); }
};
using Packer = msgpack::packer<Sink>;
}  // namespace

FlatWriter::FlatWriter(std::size_t fields) {
  Sink sink{out_};
  Packer(sink).pack_array(static_cast<std::uint32_t>(fields));
}

FlatWriter& FlatWriter::number(std::uint64_t number) {
  Sink sink{out_};
  Packer(sink).pack_uint64(number);
  return *this;
}

FlatWriter& FlatWriter::text(std::string_view text) {
  Sink sink{out_};
  Packer(sink).pack_str(static_cast<std::uint32_t>(text.size()));
  out_ += text;
  return *this;
}

FlatWriter& FlatWriter::bytes(std::string_view bytes) {
  Sink sink{out_};
  Packer(sink).pack_bin(static_cast<std::uint32_t>(bytes.size()));
  out_ += bytes;
  return *this;
}

// Fills the reader's fields; stops at whatever a flat array must not hold.
struct FlatVisitor : msgpack::null_visitor {
  explicit FlatVisitor(FlatReader& flat) : reader(flat) {}
  using Type = FlatReader::Type;
  bool add(FlatReader::Field field) {
    if (in_array) reader.fields_.push_back(field);
    return in_array;
  }
  bool visit_positive_integer(std::uint64_t number) { return add({Type::kNumber, number}); }
  bool visit_str(const char* text, std::uint32_t size) {
    return add({Type::kText, 0, {text, size}});
  }
  bool visit_bin(const char* bytes, std::uint32_t size) {
    return add({Type::kBytes, 0, {bytes, size}});
  }
  bool start_array(std::uint32_t count) {
    if (in_array || count > FlatReader::kFieldsMax) return false;
    return in_array = true;
  }
  bool visit_nil() { return false; }
  bool visit_boolean(bool) { return false; }
  bool visit_negative_integer(std::int64_t) { return false; }
  bool visit_float32(float) { return false; }
  bool visit_float64(double) { return false; }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_map(std::uint32_t) { return false; }
  void parse_error(std::size_t, std::size_t) {}
  void insufficient_bytes(std::size_t, std::size_t) {}
  FlatReader& reader;
  bool in_array = false;
};

Expected<FlatReader> FlatReader::parse(std::string_view array) {
  FlatReader reader;
  FlatVisitor visitor(reader);
  std::size_t end = 0;
  if (!msgpack::parse(array.data(), array.size(), end, visitor) || end != array.size())
    return Error{eole::text("not one flat msgpack array of at most ", kFieldsMax,
                            " numbers, texts and bytes")};
  return reader;
}

FlatReader::Field FlatReader::next(Type type) {
  if (next_ >= fields_.size() || fields_[next_].type != type) return ok_ = false, Field{};
  return fields_[next_++];
}

std::uint64_t FlatReader::next_number() { return next(Type::kNumber).number; }

}  // namespace eole::protocol
