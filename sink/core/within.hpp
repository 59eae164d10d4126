#pragma once
#include "common/base/within.hpp"
#include "common/protocol/records.hpp"

namespace eole::sink {

/// Appends what a batch has of the projects within, as batches without gaps, each after its size:
/// others lie between them, and neither run nor level tells of those (ring rule T1).
void put_within(Bytes& out, const protocol::ResultBatch& batch, const Within& within);

}  // namespace eole::sink
