#pragma once
#include "common/base/within.hpp"
#include "common/protocol/partition.hpp"
#include "common/protocol/records.hpp"

namespace eole::sink {

/// Appends the runs of a batch that lie within and may be in one of these partitions, as batches
/// without gaps, each after its size: others lie between them, and neither run nor level tells of
/// those (ring rule T1).
void put_within(Bytes& out, const protocol::ResultBatch& batch, const Within& within,
                const protocol::Partitions* partitions = nullptr);

}  // namespace eole::sink
