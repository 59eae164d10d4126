#include "sink/io/artifacts.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <system_error>

#include "common/base/ids.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/hand_messages.hpp"
#include "common/protocol/records.hpp"

namespace eole::sink {

namespace {

// Of each user: what is unfinished, and the part of it whose files are open. Beyond that the one
// used longest ago goes, or is closed and resumes from its file.
constexpr std::size_t kPartsPerUserMax = 1024;
constexpr std::size_t kOpenPerUserMax = 256;
constexpr std::string_view kPartSuffix = ".part";
constexpr std::string_view kHandedSuffix = ".handed";
constexpr std::string_view kTakenSuffix = ".taken";  // Whole, and no more its writer's.
constexpr std::size_t kHandingsMax = 1024;           // Beyond that the one used longest ago goes.
constexpr std::size_t kHandNameBytes = 32;           // 128 random bits.
constexpr std::uint64_t kHashedAtOnce = 8ULL << 20;  // Under 10 ms, in which others wait.

// DIGEST.SIZE.USER.part
std::string part_of(std::string_view user, const std::string& sha256, std::uint64_t size) {
  return text(sha256, ".", size, ".", hex(process::sha256(user)).substr(0, 16), kPartSuffix);
}

std::string user_of(const std::string& part) {
  const auto end = part.size() - kPartSuffix.size();
  return part.substr(part.rfind('.', end - 1) + 1, 16);
}

Error no_room(const std::string& sha256, std::uint64_t size) {
  return Error{text("artifact ", sha256, ": ", size, " bytes, the sink's disk has no room"),
               ErrorCode::kFull};
}

}  // namespace

struct ArtifactStore::Upload {
  std::unique_ptr<storage::File> file;
  std::uint64_t size = 0;
  std::uint64_t have = 0;
  process::Sha256 hash;
};

struct ArtifactStore::Handing {
  std::unique_ptr<storage::File> file;
  std::uint64_t have = 0;
  std::uint64_t said = 0;  // To be there.
  std::uint64_t used = 0;
  process::Sha256 hash;
};

// What was handed to the last life may be in the page cache only (a sync failed and ended it), so
// it is not believed: who handed it over sends it.
ArtifactStore::ArtifactStore(ArtifactShelf& shelf, std::size_t syncs_at_once)
    : shelf_(shelf), syncs_at_once_(syncs_at_once), directory_(shelf.directory()) {
  for (const auto& name : directory_.list())
    if (name.ends_with(kPartSuffix)) {
      use(name);
    } else if (name.ends_with(kHandedSuffix) || name.ends_with(kTakenSuffix)) {
      drop_handing(name);
    }
}
ArtifactStore::~ArtifactStore() = default;

bool ArtifactStore::has_room(std::uint64_t bytes) const {
  const auto free = directory_.free_bytes();
  return free >= protocol::kArtifactFloorBytes && free - protocol::kArtifactFloorBytes >= bytes;
}

void ArtifactStore::use(const std::string& part) {
  auto& parts = parts_[user_of(part)];
  parts.remove(part);
  parts.push_back(part);
  if (planted("parts-kept-for-ever")) return;
  if (parts.size() > kPartsPerUserMax) {
    uploads_.erase(parts.front());
    directory_.remove(parts.front());
    parts.pop_front();
  }
  std::size_t open = 0;
  for (auto one = parts.rbegin(); one != parts.rend(); ++one)
    if (uploads_.contains(*one) && ++open > kOpenPerUserMax) uploads_.erase(*one);
}

void ArtifactStore::forget(const std::string& part) {
  uploads_.erase(part);
  const auto parts = parts_.find(user_of(part));
  if (parts == parts_.end()) return;
  parts->second.remove(part);
  if (parts->second.empty()) parts_.erase(parts);
}

Expected<ArtifactStore::Upload*> ArtifactStore::upload_of(const std::string& part,
                                                          const std::string& sha256,
                                                          std::uint64_t size) {
  const auto known = uploads_.find(part);
  if (known != uploads_.end()) return known->second.get();
  auto upload = std::make_unique<Upload>();
  upload->size = size;
  if (directory_.has(part)) upload->file = directory_.open(part);
  auto left = upload->file ? upload->file->size() : 0;
  if (left > size) left = 0;
  if (!has_room(size - left)) return no_room(sha256, size);
  if (left == 0) upload->file = directory_.create(part);
  // What an upload that broke off left behind counts. It may be in the page cache only, for ever
  // (a sync failed and ended the last life): so it is written anew.
  while (upload->have < left) {
    const auto chunk = upload->file->read(upload->have, protocol::kChunkBytes);
    if (!planted("artifact-part-believed")) upload->file->write(upload->have, chunk);
    upload->hash.add(chunk);
    upload->have += chunk.size();
  }
  auto* added = (uploads_[part] = std::move(upload)).get();
  use(part);
  return added;
}

Expected<ArtifactStore::Progress> ArtifactStore::put(std::string_view user,
                                                     const std::string& sha256, std::uint64_t size,
                                                     std::uint64_t offset, std::string_view bytes) {
  if (!is_sha256(sha256)) return Error{"artifact: its name is not a SHA-256 in hexadecimal"};
  if (is_ready(sha256) || shelf_.touch(sha256)) return Progress{size, true};
  if (offset > size || bytes.size() > size - offset)
    return Error{
        text("artifact ", sha256, ": ", bytes.size(), " bytes at ", offset, ", size ", size)};
  const auto part =
      planted("uploads-are-anyones") ? part_of("", sha256, 0) : part_of(user, sha256, size);
  auto found = upload_of(part, sha256, size);
  if (!found) return found.error();
  auto& upload = **found;
  if (!has_room(size - upload.have)) return no_room(sha256, size);
  if (offset == upload.have) {
    upload.file->write(offset, bytes);
    upload.hash.add(bytes);
    upload.have += bytes.size();
  }
  if (upload.have == size) return finish(part, sha256, upload);
  return Progress{upload.have, false};
}

Expected<ArtifactStore::Progress> ArtifactStore::finish(const std::string& part,
                                                        const std::string& sha256, Upload& upload) {
  const auto size = upload.size;
  if (hex(upload.hash.digest()) != sha256) {
    forget(part);
    directory_.remove(part);
    return Error{text("artifact ", sha256, ": the bytes sent have another digest")};
  }
  ready_.push_back({std::move(upload.file), part, sha256, size});
  forget(part);
  return Progress{size, true};
}

bool ArtifactStore::is_ready(const std::string& sha256) const {
  return std::any_of(ready_.begin(), ready_.end(),
                     [&](const Ready& one) { return one.sha256 == sha256; });
}

// Its writer may do so, too, at any moment.
void ArtifactStore::drop_handing(const std::string& name) {
  handings_.erase(name);
  try {
    directory_.remove(name);
  } catch (const storage::Missing&) {
  }
}

Expected<ArtifactStore::Handing*> ArtifactStore::handing_of(const std::string& name,
                                                            std::uint64_t size) {
  const auto status = directory_.status(name);
  const auto known = handings_.find(name);
  if (status && !status->is_regular) return Error{text("hand: ", name, " is no file")};
  if (!status || status->size < size || (known != handings_.end() && known->second->have > size)) {
    const auto has = status ? status->size : 0;
    drop_handing(name);
    return Error{text("hand: ", name, " has ", has, " bytes here, not ", size)};
  }
  if (known != handings_.end()) return known->second.get();
  if (!has_room(0)) return Error{"hand: the sink's disk has no room", ErrorCode::kFull};
  if (handings_.size() >= kHandingsMax)
    drop_handing(std::min_element(handings_.begin(), handings_.end(), [](auto& one, auto& other) {
                   return one.second->used < other.second->used;
                 })->first);
  auto handing = std::make_unique<Handing>();
  handing->file = directory_.open(name);
  return (handings_[name] = std::move(handing)).get();
}

Expected<ArtifactStore::Hand> ArtifactStore::hand(const std::string& file, std::uint64_t size,
                                                  bool is_last) {
  const bool is_name = file.size() == kHandNameBytes &&
                       file.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_name)
    return Error{text("hand: its file is not ", kHandNameBytes, " hexadecimal letters")};
  const auto taken = text(file, kTakenSuffix);
  for (const auto& ready : ready_)
    if (ready.name == taken) return Hand{size, {}};  // It is answered when all is durable.
  const auto name = text(file, kHandedSuffix);
  try {
    return look_at(name, taken, size, is_last);
  } catch (const storage::Missing&) {  // Between two looks: the sink goes on.
    handings_.erase(name);
    return Error{text("hand: ", name, " was taken back")};
  }
}

Expected<ArtifactStore::Hand> ArtifactStore::look_at(const std::string& name,
                                                     const std::string& taken, std::uint64_t size,
                                                     bool is_last) {
  auto found = handing_of(name, size);
  if (!found) return found.error();
  auto& handing = **found;
  handing.used = ++last_use_;
  handing.said = size;
  if (!look_on(handing)) {
    drop_handing(name);
    return Error{text("hand: ", name, " became shorter")};
  }
  if (!is_last || handing.have < size) return Hand{handing.have, {}};
  if (handing.file->size() != size) {
    drop_handing(name);
    return Error{text("hand: ", name, " is longer than ", size, " bytes, and that were all")};
  }
  auto sha256 = hex(handing.hash.digest());
  if (shelf_.touch(sha256)) {  // Is here already.
    drop_handing(name);
    return Hand{size, std::move(sha256)};
  }
  directory_.rename(name, taken);
  ready_.push_back({std::move(handing.file), taken, sha256, size});
  handings_.erase(name);
  return Hand{size, std::move(sha256)};
}

// A little at a time; false: it became shorter.
bool ArtifactStore::look_on(Handing& handing) {
  const auto from = handing.have;
  while (handing.have < std::min(handing.said, from + kHashedAtOnce)) {
    const auto bytes = handing.file->read(
        handing.have, std::min<std::uint64_t>(protocol::kChunkBytes, handing.said - handing.have));
    if (bytes.empty()) return false;
    handing.hash.add(bytes);
    handing.have += bytes.size();
  }
  handing.file->write_behind(from, handing.have - from);
  return true;
}

// Each in turn: who asks next is not known.
bool ArtifactStore::look_ahead() {
  auto next = handings_.end();
  for (auto one = handings_.begin(); one != handings_.end(); ++one)
    if (one->second->have < one->second->said &&
        (next == handings_.end() || one->second->used < next->second->used))
      next = one;
  if (next == handings_.end()) return false;
  auto& handing = *next->second;
  handing.used = ++last_use_;
  // What went wrong is told to its writer, if it asks.
  if (!directory_.has(next->first) || !look_on(handing)) handing.said = handing.have;
  return true;
}

// Each sync waits for the disk, and for a processor after that; together they wait once.
void ArtifactStore::sync_ready() {
  std::atomic<std::size_t> next{0};
  const auto sync_next = [&] {
    for (auto i = next++; i < ready_.size(); i = next++) ready_[i].file->sync_all();
  };
  std::vector<std::future<void>> others;
  try {
    while (others.size() + 1 < std::min(syncs_at_once_, ready_.size()))
      others.push_back(std::async(std::launch::async, sync_next));
  } catch (const std::system_error&) {  // No thread to be had: those that there are sync all.
  }
  sync_next();
  for (auto& other : others) other.get();
}

// In three rounds: of many small files the first sync commits the times and places of all, and
// those that follow find them done. Ten times as fast as one after the other.
void ArtifactStore::commit() {
  if (ready_.empty()) return;
  for (auto& one : ready_) {
    one.file->stamp(shelf_.unix_ms());
    one.file->write_behind(0, one.size);
  }
  if (!planted("artifact-not-synced")) sync_ready();
  for (auto& one : ready_) {
    if (directory_.has(one.sha256)) {  // Twice the same, at once.
      directory_.remove(one.name);
      continue;
    }
    directory_.rename(one.name, one.sha256);
    shelf_.add(one.size);
  }
  if (!planted("artifact-name-not-synced")) directory_.sync();
  ready_.clear();
}

Expected<ArtifactStore::Piece> ArtifactStore::get(const std::string& sha256, std::uint64_t offset,
                                                  std::size_t size) const {
  if (!is_sha256(sha256)) return Error{"artifact: its name is not a SHA-256 in hexadecimal"};
  if (!directory_.has(sha256))
    return Error{text("artifact ", sha256, ": is not kept there, or not any longer"),
                 ErrorCode::kUnknown};
  const auto file = directory_.open(sha256);
  if (offset > file->size())
    return Error{text("artifact ", sha256, ": ", file->size(), " bytes, asked from ", offset)};
  return Piece{file->size(),
               file->read(offset, std::min<std::size_t>(size, protocol::kChunkBytes * 4))};
}

bool ArtifactStore::collect_some() {
  constexpr std::size_t kLookedAt = 256;  // Under a millisecond.
  if (!walk_) walk_ = directory_.walk();
  const auto names = walk_->next(kLookedAt);
  if (names.empty()) {
    walk_.reset();
    std::erase_if(handings_, [&](const auto& each) { return !directory_.has(each.first); });
  }
  for (const auto& name : names)
    if (is_sha256(name)) {
      shelf_.collect(name);
    } else if (name.ends_with(kPartSuffix) && shelf_.collect_part(name)) {
      forget(name);
    } else if (name.ends_with(kHandedSuffix) && shelf_.collect_part(name)) {
      handings_.erase(name);
    }
  return walk_ != nullptr;
}

}  // namespace eole::sink
