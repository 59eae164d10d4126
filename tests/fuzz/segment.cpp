#include "common/storage/segment.hpp"

#include "tests/fuzz/made_up_segment.hpp"

// The decoders of a segment, on made-up and damaged ones.
namespace {

class Memory final : public eole::storage::File {
 public:
  explicit Memory(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string read(std::uint64_t offset, std::size_t size) const override {
    return offset < bytes_.size() ? bytes_.substr(offset, size) : "";
  }
  std::uint64_t size() const override { return bytes_.size(); }
  void write(std::uint64_t, std::string_view) override {}
  void sync() override {}
  void date(std::int64_t) override {}
  void reserve(std::uint64_t) override {}
  void truncate(std::uint64_t) override {}

 private:
  std::string bytes_;
};

void check(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eole::storage;
  const auto content = eole::fuzz::made_up_segment(data, size);
  const std::string_view view = content;
  constexpr auto kId = eole::fuzz::kSegmentId;
  try {
    (void)read_header(Memory(content), "fuzz", false);
  } catch (const StorageFailure&) {
    try {
      (void)read_header(Memory(content), "fuzz", true);
    } catch (const StorageFailure&) {
    }
  }
  std::uint64_t offset = kSegmentHeaderBytes;
  while (const auto record = record_at(view, kId, offset)) {
    check(next_record(view, kId, offset) == offset);
    check(payload_of(view.substr(offset), kId, offset) == record->payload);
    check(payload_size(view.substr(offset, kRecordHeaderBytes), kId, offset) ==
          record->payload.size());
    offset += record_bytes(record->payload.size());
    check(offset <= view.size() + 8);
  }
  (void)is_proven_beyond(view, kId, offset);
  const auto next = next_record(view, kId, offset);
  check(next == view.size() || record_at(view, kId, next).has_value());
  check(offset > view.size() || !payload_of(view.substr(offset), kId, offset));
  return 0;
}
