#pragma once
#include <cstddef>

namespace eole::fuzz {

/// Aborts if more than 16 bytes for each of `input_bytes`, and 64 KiB, are allocated at any time
/// while it lives: no message may make us take more memory than its sender paid for.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::size_t input_bytes);
  ~AllocationLimit();
};

}  // namespace eole::fuzz
