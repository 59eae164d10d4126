#include "common/protocol/wanted.hpp"

#include <utility>

namespace eole::protocol {

std::string_view state_of(const ResultRecord& result) {
  if (result.is_copy) return "copy";
  return result.is_final ? to_text(result.state) : "retrying";
}

bool Wanted::has(const ResultRecord& result) const {
  return within_.has(result.project) &&
         (!pattern_ || pattern_->matches(topic_of(result.project, result.kind, state_of(result))));
}

void put_wanted(Bytes& out, const ResultBatch& batch, const Wanted& wanted) {
  ResultBatch piece{batch.first_offset, 0, 0, 0, batch.worker, {}};
  Bytes kept;
  const auto close = [&] {
    if (piece.count == 0) return;
    piece.records = kept;
    const auto encoded = encode_batch(piece);
    put<std::uint32_t>(out, static_cast<std::uint32_t>(encoded.size()));
    out += encoded;
    piece.first_offset += std::exchange(piece.count, 0);
    kept.clear();
  };
  for (ByteReader runs(batch.records); const auto run = read_result_run(runs);) {
    if (wanted.may_have(*run)) {
      put_result_run(kept, *run);
      piece.count += run->count;
      continue;
    }
    close();
    piece.first_offset += run->count;
  }
  close();
}

}  // namespace eole::protocol
