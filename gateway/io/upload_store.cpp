#include "gateway/io/upload_store.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/private.hpp"
#include "common/process/system.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {

constexpr std::string_view kBeside = ".upload";

}  // namespace

UploadStore::UploadStore(std::string directory)
    : directory_(std::move(directory)), boot_(process::boot_id()) {
  process::make_private_directory(directory_);
  std::set<std::string> ids;
  for (const auto& file : std::filesystem::directory_iterator(directory_))
    ids.insert(file.path().stem().string());
  for (const auto& id : ids) load(id);
}

void UploadStore::load(const std::string& id) {
  std::ifstream file(path(id) + std::string(kBeside), std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const auto value = Value::from_msgpack(bytes.str());
  if (!value || (*value)["boot"].text_or("") != boot_) return remove(id);
  auto stored = std::make_shared<StoredUpload>();
  stored->upload = tus::from_value(id, *value);
  stored->within = Within((*value)["within"].text_or(""));
  stored->told = (*value)["told"];
  if (!stored->told.is_null()) {
    stored->upload.offset = stored->upload.length.value_or(0);
  } else {
    auto file_of_it = open(*stored);
    if (const auto proven = (*value)["proven"].int_or(-1); proven >= 0)
      file_of_it.cut(static_cast<std::uint64_t>(proven));
    stored->upload.offset = file_of_it.size();
    const bool is_cut_off = !stored->upload.parts.empty() && !stored->upload.is_whole();
    if (is_cut_off) return remove(id);  // While it was put together: nobody could go on with it.
  }
  all_[id] = std::move(stored);
}

UploadStore::Entry UploadStore::find(const std::string& id, const Within& within) const {
  const auto found = all_.find(id);
  const bool is_there = found != all_.end() && within.has(found->second->within.prefix());
  return is_there ? found->second : nullptr;
}

UploadStore::Entry UploadStore::add(tus::Upload upload, const Within& within) {
  const auto own = std::ranges::count_if(
      all_, [&](const auto& each) { return each.second->within.prefix() == within.prefix(); });
  const auto most = within.is_all() ? kResumableMax : kResumableMax / 2;
  if (all_.size() >= kResumableMax || static_cast<std::size_t>(own) >= most) {
    http::Problem problem(503, text("over ", most, " uploads that are kept"));
    problem.fields.push_back({"Retry-After", "60"});
    throw problem;
  }
  upload.id = hex(process::random_u64()) + hex(process::random_u64());
  auto stored = std::make_shared<StoredUpload>();
  stored->upload = std::move(upload);
  stored->within = within;
  save(*stored);
  return all_[stored->upload.id] = std::move(stored);
}

UploadFile UploadStore::open(const StoredUpload& stored) const {
  return UploadFile::named(path(stored.upload.id));
}

// As a whole or not at all.
void UploadStore::save(const StoredUpload& stored) const {
  auto value = tus::to_value(stored.upload);
  value.set("boot", boot_);
  value.set("within", stored.within.prefix());
  value.set("told", stored.told);
  if (stored.proven) value.set("proven", *stored.proven);
  const auto beside = path(stored.upload.id) + std::string(kBeside);
  const auto made = path(stored.upload.id) + ".new";
  std::ofstream file(made, std::ios::binary | std::ios::trunc);
  file << value.to_msgpack();
  file.close();
  std::error_code failed;
  if (file) std::filesystem::rename(made, beside, failed);
  if (!file || failed) throw http::Problem(507, text("the upload cannot be kept: ", beside));
}

void UploadStore::drop_bytes(const StoredUpload& stored) const {
  remove_upload_file(path(stored.upload.id));
}

void UploadStore::remove(const std::string& id) {
  for (const auto ending : {std::string_view(), kBeside, std::string_view(".new")})
    remove_upload_file(path(id) + std::string(ending));
  all_.erase(id);
}

void UploadStore::expire(std::int64_t now_unix_ms) {
  std::vector<std::string> over;
  for (const auto& [id, stored] : all_)
    if (!stored->is_busy && stored->upload.expires_unix_ms < now_unix_ms) over.push_back(id);
  for (const auto& id : over) remove(id);
}

}  // namespace eole::gateway
