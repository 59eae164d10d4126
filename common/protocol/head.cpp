#include "common/protocol/head.hpp"

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/flat_fields.hpp"

namespace eole::protocol {

Expected<HeadReader> HeadReader::parse(std::string_view head, std::size_t bytes_max) {
  if (head.size() > bytes_max)
    return Error{text("head: ", head.size(), " bytes, limit ", bytes_max)};
  HeadReader reader;
  struct Add {
    HeadReader& reader;
    bool add(Field field) {
      if (reader.count_ == kFieldsMax) return false;
      reader.fields_[reader.count_++] = field;
      return true;
    }
    bool number(std::uint64_t number) { return add({nullptr, number}); }
    bool text(std::string_view text) { return add({text.data(), text.size()}); }
    bool bytes(std::string_view) { return false; }
  };
  if (!read_flat(head, kFieldsMax, Add{reader}))
    return Error{"head: not one flat msgpack array of at most 24 numbers and texts"};
  if (reader.count_ < 2 || reader.fields_[0].text != nullptr || reader.fields_[1].text == nullptr)
    return Error{"head: does not start with a version and a name"};
  if (reader.fields_[0].number != kVersion)
    return Error{text("head: protocol version ", reader.fields_[0].number, ", this is ", kVersion)};
  return reader;
}

bool HeadReader::ok() const { return ok_ && (is_done() || !planted("later-fields-refused")); }

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
