#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <utility>

#include "common/base/ids.hpp"

namespace eole {

/// A map from sequence numbers that lie close together, as those of running tasks do: neighbours
/// share a block, which goes when its last entry goes. An entry costs its own size and some two
/// bytes; some ten times cheaper than a hash table.
template <class T>
class SeqTable {
 public:
  /// Null if there is none. The pointer holds until the entry is erased.
  T* find(Seq seq) { return const_cast<T*>(std::as_const(*this).find(seq)); }
  const T* find(Seq seq) const {
    const auto* block = block_of(seq);
    return block == nullptr || !block->has(seq % kBlock) ? nullptr : block->at(seq % kBlock);
  }
  T& operator[](Seq seq) {
    auto* block = const_cast<Block*>(block_of(seq));
    if (block == nullptr) {
      auto& place = blocks_[seq / kBlock];
      place = std::make_unique_for_overwrite<Block>();
      block = place.get();
      last_ = {seq / kBlock, block};
    }
    if (!block->has(seq % kBlock)) {
      block->make(seq % kBlock);
      ++size_;
    }
    return *block->at(seq % kBlock);
  }
  void erase(Seq seq) {
    if (find(seq) == nullptr) return;
    auto* block = const_cast<Block*>(last_.block);
    block->drop(seq % kBlock);
    --size_;
    if (block->used != 0) return;
    blocks_.erase(seq / kBlock);
    last_ = {};
  }
  std::size_t size() const { return size_; }
  /// The first entry from `seq` to `last`, and `seq` becomes its number; null if there is none.
  const T* next(Seq& seq, Seq last = UINT64_MAX) const {
    if (size_ == 0 || seq > last) return nullptr;
    const auto number = seq / kBlock;
    const auto* block = block_of(seq);
    if (block == nullptr || block->used >> seq % kBlock == 0) {
      if (last / kBlock == number) return nullptr;
      const auto behind = blocks_.upper_bound(number);
      if (behind == blocks_.end()) return nullptr;
      seq = behind->first * kBlock;
      block = behind->second.get();
    }
    seq += static_cast<Seq>(std::countr_zero(block->used >> seq % kBlock));
    return seq <= last ? block->at(seq % kBlock) : nullptr;
  }
  /// Calls `visit(seq, entry)` for all, ascending. The table must stay as it is meanwhile.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [number, block] : blocks_)
      for (auto left = block->used; left != 0; left &= left - 1) {
        const auto i = static_cast<Seq>(std::countr_zero(left));
        visit(number * kBlock + i, *block->at(i));
      }
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    const_cast<SeqTable*>(this)->for_each(
        [&](Seq seq, T& entry) { visit(seq, std::as_const(entry)); });
  }

 private:
  static constexpr Seq kBlock = 64;
  /// Room for neighbours, and a bit for each that is there.
  struct Block {
    Block() = default;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    ~Block() {
      for (auto left = used; left != 0; left &= left - 1)
        std::destroy_at(at(static_cast<Seq>(std::countr_zero(left))));
    }
    bool has(Seq i) const { return (used >> i & 1) != 0; }
    T* at(Seq i) { return std::launder(reinterpret_cast<T*>(room + i * sizeof(T))); }
    const T* at(Seq i) const { return const_cast<Block*>(this)->at(i); }
    void make(Seq i) {
      ::new (static_cast<void*>(room + i * sizeof(T))) T();
      used |= std::uint64_t{1} << i;
    }
    void drop(Seq i) {
      std::destroy_at(at(i));
      used &= ~(std::uint64_t{1} << i);
    }

    std::uint64_t used = 0;
    alignas(T) std::byte room[kBlock * sizeof(T)];  // NOLINT: the bits say what of it is there.
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
