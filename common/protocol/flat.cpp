#include "common/protocol/flat.hpp"

#include <msgpack.hpp>

#include "common/base/text.hpp"
#include "common/protocol/flat_fields.hpp"
#include "common/protocol/packer.hpp"

namespace eole::protocol {

FlatWriter::FlatWriter(std::size_t fields) {
  PackSink sink{out_};
  Packer(sink).pack_array(static_cast<std::uint32_t>(fields));
}

FlatWriter& FlatWriter::number(std::uint64_t number) {
  PackSink sink{out_};
  Packer(sink).pack_uint64(number);
  return *this;
}

FlatWriter& FlatWriter::text(std::string_view text) {
  PackSink sink{out_};
  Packer(sink).pack_str(static_cast<std::uint32_t>(text.size()));
  out_ += text;
  return *this;
}

FlatWriter& FlatWriter::bytes(std::string_view bytes) {
  PackSink sink{out_};
  Packer(sink).pack_bin(static_cast<std::uint32_t>(bytes.size()));
  out_ += bytes;
  return *this;
}

Expected<FlatReader> FlatReader::parse(std::string_view array) {
  FlatReader reader;
  struct Add {
    std::vector<Field>& fields;
    bool add(Field field) { return fields.push_back(field), true; }
    bool number(std::uint64_t number) { return add({Type::kNumber, number}); }
    bool text(std::string_view text) { return add({Type::kText, 0, text}); }
    bool bytes(std::string_view bytes) { return add({Type::kBytes, 0, bytes}); }
  };
  if (!read_flat(array, kFieldsMax, Add{reader.fields_}))
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
