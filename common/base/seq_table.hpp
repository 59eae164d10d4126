#pragma once
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/ids.hpp"

namespace eole {

/// A map from sequence numbers that lie close together, as those of running tasks do: neighbours
/// share a block, which goes when its last entry goes. Some ten times cheaper than a hash table.
template <class T>
class SeqTable {
 public:
  /// Null if there is none. The pointer holds until the entry is erased.
  T* find(Seq seq) { return const_cast<T*>(std::as_const(*this).find(seq)); }
  const T* find(Seq seq) const {
    const auto* block = block_of(seq);
    if (block == nullptr) return nullptr;
    const auto& entry = block->entries[seq % kBlock];
    return entry ? &*entry : nullptr;
  }
  T& operator[](Seq seq) {
    auto* block = const_cast<Block*>(block_of(seq));
    if (block == nullptr) {
      auto& place = blocks_[seq / kBlock];
      place = std::make_unique_for_overwrite<Block>();
      block = place.get();
      last_ = {seq / kBlock, block};
    }
    auto& entry = block->entries[seq % kBlock];
    if (!entry) {
      entry.emplace();
      ++block->used;
      ++size_;
    }
    return *entry;
  }
  void erase(Seq seq) {
    if (find(seq) == nullptr) return;
    auto* block = const_cast<Block*>(last_.block);
    block->entries[seq % kBlock].reset();
    --size_;
    if (--block->used > 0) return;
    blocks_.erase(seq / kBlock);
    last_ = {};
  }
  std::size_t size() const { return size_; }
  /// The first entry at or behind `seq`, which becomes its number; null if there is none.
  const T* next(Seq& seq) const {
    auto i = seq % kBlock;
    for (auto block = blocks_.lower_bound(seq / kBlock); block != blocks_.end(); ++block, i = 0) {
      if (block->first != seq / kBlock) i = 0;
      for (; i < kBlock; ++i) {
        const auto& entry = block->second->entries[i];
        if (!entry) continue;
        seq = block->first * kBlock + i;
        return &*entry;
      }
    }
    return nullptr;
  }
  /// Calls `visit(seq, entry)` for all, ascending. The table must stay as it is meanwhile.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [number, block] : blocks_)
      for (Seq i = 0; i < kBlock; ++i)
        if (auto& entry = block->entries[i]) visit(number * kBlock + i, *entry);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [number, block] : blocks_)
      for (Seq i = 0; i < kBlock; ++i)
        if (const auto& entry = block->entries[i]) visit(number * kBlock + i, *entry);
  }

 private:
  static constexpr Seq kBlock = 64;
  struct Block {
    std::array<std::optional<T>, kBlock> entries;
    std::size_t used = 0;
  };
  struct Last {
    Seq number = 0;
    const Block* block = nullptr;
  };
  // Remembers the last block asked for: neighbours are asked for together.
  const Block* block_of(Seq seq) const {
    const auto number = seq / kBlock;
    if (last_.block != nullptr && last_.number == number) return last_.block;
    const auto found = blocks_.find(number);
    if (found == blocks_.end()) return nullptr;
    last_ = {number, found->second.get()};
    return last_.block;
  }
  std::map<Seq, std::unique_ptr<Block>> blocks_;
  mutable Last last_;
  std::size_t size_ = 0;
};

}  // namespace eole
