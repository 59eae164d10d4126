#include "tests/simulation/sim_disk.hpp"

#include <algorithm>

namespace eole::simulation {

using storage::StorageFailure;

class SimFile final : public storage::File {
 public:
  SimFile(SimDisk& disk, std::shared_ptr<SimDisk::Inode> inode)
      : disk_(disk), inode_(std::move(inode)) {}
  void write(std::uint64_t offset, std::string_view bytes) override {
    change({offset, std::string(bytes), false});
  }
  std::string read(std::uint64_t offset, std::size_t size) const override {
    if (offset >= inode_->now.size()) return {};
    return inode_->now.substr(offset, size);
  }
  void sync() override {
    disk_.count_operation();
    if (disk_.fail_sync_) {  // The pages are marked clean: no later sync writes them.
      disk_.fail_sync_ = false;
      inode_->unsynced.clear();
      throw StorageFailure("simulated: sync failed");
    }
    for (const auto& change : inode_->unsynced) SimDisk::apply(inode_->durable, change);
    inode_->unsynced.clear();
  }
  void stamp(std::int64_t unix_ms) override { inode_->changed_unix_ms = unix_ms; }
  void sync_all() override { sync(); }
  void write_behind(std::uint64_t, std::uint64_t) override {}
  void reserve(std::uint64_t size) override {
    if (size <= inode_->now.size()) return;
    if (size - inode_->now.size() > disk_.free_bytes_) throw StorageFailure("simulated: no space");
    change({size, {}, true});
  }
  void truncate(std::uint64_t size) override { change({size, {}, true}); }
  std::uint64_t size() const override { return inode_->now.size(); }

 private:
  void change(SimDisk::Change change) {
    disk_.count_operation();
    SimDisk::apply(inode_->now, change);
    inode_->changed_unix_ms = disk_.unix_ms_();
    inode_->unsynced.push_back(std::move(change));
  }
  SimDisk& disk_;
  std::shared_ptr<SimDisk::Inode> inode_;
};

class SimWalk final : public storage::Walk {
 public:
  explicit SimWalk(std::vector<std::string> names) : names_(std::move(names)) {}
  std::vector<std::string> next(std::size_t most) override {
    const auto first = names_.begin() + static_cast<std::ptrdiff_t>(at_);
    at_ += std::min(most, names_.size() - at_);
    return {first, names_.begin() + static_cast<std::ptrdiff_t>(at_)};
  }

 private:
  std::vector<std::string> names_;
  std::size_t at_ = 0;
};

class SimDirectory final : public storage::Directory {
 public:
  explicit SimDirectory(SimDisk& disk) : disk_(disk) {}
  std::unique_ptr<storage::Walk> walk() const override {
    return std::make_unique<SimWalk>(disk_.names());
  }
  bool has(const std::string& name) const override { return disk_.names_.contains(name); }
  std::optional<storage::FileStatus> status(const std::string& name) const override {
    const auto found = disk_.names_.find(name);
    if (found == disk_.names_.end()) return std::nullopt;
    return storage::FileStatus{found->second->now.size(), found->second->changed_unix_ms};
  }
  std::unique_ptr<storage::File> open(const std::string& name) override {
    const auto found = disk_.names_.find(name);
    if (found == disk_.names_.end()) throw storage::Missing("simulated: no file " + name);
    return std::make_unique<SimFile>(disk_, found->second);
  }
  std::unique_ptr<storage::File> create(const std::string& name) override {
    auto next = disk_.names_;
    next[name] = std::make_shared<SimDisk::Inode>();
    next[name]->changed_unix_ms = disk_.unix_ms_();
    disk_.change_names(std::move(next));
    return open(name);
  }
  void rename(const std::string& from, const std::string& to) override {
    auto next = disk_.names_;
    if (!next.contains(from)) throw storage::Missing("simulated: no file " + from);
    next[to] = next[from];
    next.erase(from);
    disk_.change_names(std::move(next));
  }
  void remove(const std::string& name) override {
    auto next = disk_.names_;
    if (next.erase(name) == 0) throw storage::Missing("simulated: no file " + name);
    disk_.change_names(std::move(next));
  }
  void sync() override {
    disk_.count_operation();
    disk_.durable_names_ = disk_.names_;
    disk_.unsynced_names_.clear();
  }
  std::uint64_t free_bytes() const override { return disk_.free_bytes_; }

 private:
  SimDisk& disk_;
};

std::unique_ptr<storage::Directory> SimDisk::open() {
  return std::make_unique<SimDirectory>(*this);
}

std::vector<std::string> SimDisk::names() const {
  std::vector<std::string> names;
  for (const auto& [name, inode] : names_) names.push_back(name);
  return names;
}

void SimDisk::apply(std::string& content, const Change& change) {
  if (change.is_resize) {
    content.resize(change.offset, '\0');
    return;
  }
  if (content.size() < change.offset + change.bytes.size())
    content.resize(change.offset + change.bytes.size(), '\0');
  content.replace(change.offset, change.bytes.size(), change.bytes);
}

void SimDisk::count_operation() {
  if (operations_++ < fail_at_) return;
  if (!fails_for_ever_) fail_at_ = UINT64_MAX;
  throw StorageFailure("simulated: operation failed");
}

void SimDisk::change_names(Names next) {
  count_operation();
  names_ = std::move(next);
  unsynced_names_.push_back(names_);
}

void SimDisk::fail_operation(std::uint64_t n, bool for_ever) {
  fail_at_ = operations_ + n;
  fails_for_ever_ = for_ever;
}

void SimDisk::cut_power(Damage damage) {
  fail_at_ = UINT64_MAX;
  fail_sync_ = false;
  if (!unsynced_names_.empty() && damage != Damage::kDropped)
    if (const auto kept = below(unsynced_names_.size() + 1); kept > 0)
      durable_names_ = unsynced_names_[kept - 1];
  unsynced_names_.clear();
  names_ = durable_names_;
  for (auto& [name, inode] : names_) {
    for (const auto& change : inode->unsynced)
      damage_change(*inode, change, &change == &inode->unsynced.back(), damage);
    inode->unsynced.clear();
    inode->now = inode->durable;
  }
}

void SimDisk::damage_change(Inode& inode, const Change& change, bool is_last, Damage damage) {
  auto fate = damage;
  if (damage == Damage::kMixed) {
    constexpr Damage kFates[] = {Damage::kDropped, Damage::kTorn, Damage::kMixed, Damage::kMixed};
    fate = kFates[below(4)];
    is_last = true;
  }
  const auto end = change.offset + change.bytes.size();
  switch (fate) {
    case Damage::kMixed:
      return apply(inode.durable, change);
    case Damage::kDropped:
      return;
    case Damage::kReordered:
      if (below(2) == 0) apply(inode.durable, change);
      return;
    case Damage::kTorn: {
      if (!is_last || change.is_resize) return apply(inode.durable, change);
      constexpr std::uint64_t kSector = 512;  // Some sectors of it made it.
      for (std::uint64_t at = 0; at < change.bytes.size(); at += kSector)
        if (below(2) != 0)
          apply(inode.durable, {change.offset + at, change.bytes.substr(at, kSector), false});
      return;
    }
    case Damage::kZeroed:
      if (change.is_resize) return apply(inode.durable, change);
      if (inode.durable.size() < end) inode.durable.resize(end, '\0');
      return;
    case Damage::kStale: {
      if (change.is_resize) return apply(inode.durable, change);
      const auto& other = names_.begin()->second->durable;  // The oldest file.
      if (change.offset >= other.size()) return;
      return apply(inode.durable,
                   {change.offset, other.substr(change.offset, change.bytes.size()), false});
    }
  }
}

void SimDisk::truncate(const std::string& name, std::uint64_t size) {
  auto& inode = *names_.at(name);
  for (auto* content : {&inode.now, &inode.durable})
    content->resize(std::min<std::uint64_t>(size, content->size()));
}

bool SimDisk::flip_bit(const std::string& name, std::uint64_t offset) {
  const auto found = names_.find(name);
  if (found == names_.end() || offset >= found->second->now.size()) return false;
  flipped_.push_back({found->second, offset});
  flip(flipped_.back());
  return true;
}

void SimDisk::flip(const Flip& flip) {
  for (auto* content : {&flip.inode->now, &flip.inode->durable})
    if (flip.offset < content->size())
      (*content)[flip.offset] = static_cast<char>((*content)[flip.offset] ^ 4);
}

void SimDisk::repair() {
  for (const auto& each : flipped_) flip(each);
  flipped_.clear();
}

}  // namespace eole::simulation
