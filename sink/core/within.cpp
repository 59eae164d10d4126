#include "sink/core/within.hpp"

#include <utility>

namespace eole::sink {

void put_within(Bytes& out, const protocol::ResultBatch& batch, const Within& within,
                const protocol::Partitions* partitions) {
  protocol::ResultBatch piece{batch.first_offset, 0, 0, 0, batch.worker, {}};
  Bytes kept;
  const auto close = [&] {
    if (piece.count == 0) return;
    piece.records = kept;
    const auto encoded = protocol::encode_batch(piece);
    put<std::uint32_t>(out, static_cast<std::uint32_t>(encoded.size()));
    out += encoded;
    piece.first_offset += std::exchange(piece.count, 0);
    kept.clear();
  };
  for (ByteReader runs(batch.records); const auto run = protocol::read_result_run(runs);) {
    const bool is_asked_for = partitions == nullptr || partitions->may_have(*run);
    if (is_asked_for && within.has(run->first.project)) {
      protocol::put_result_run(kept, *run);
      piece.count += run->count;
      continue;
    }
    close();
    piece.first_offset += run->count;
  }
  close();
}

}  // namespace eole::sink
