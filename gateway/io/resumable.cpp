#include "gateway/io/resumable.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "gateway/core/http/file_names.hpp"
#include "gateway/core/refusal.hpp"
#include "gateway/core/tus.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/upload_status.hpp"
#include "gateway/io/upload_store.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;
using protocol::Value;
using tus::Checksum;
using Answer = std::optional<Response>;

namespace {

constexpr std::string_view kOne = "/uploads/{id}";
constexpr std::size_t kCopyBytes = 256 << 10;

/// One request at a time writes an upload.
class Writing {
 public:
  explicit Writing(UploadStore::Entry entry) : entry_(std::move(entry)) {
    if (entry_->is_busy) {
      entry_.reset();
      throw Problem(423, "another request writes this upload");
    }
    entry_->is_busy = true;
  }
  ~Writing() {
    if (entry_) entry_->is_busy = false;
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  UploadStore::Entry entry_;
};

// What the metadata want of the file; what they say of it beside its name is the sender's.
UploadWish wish_of(const tus::Upload& upload, const Within& within,
                   const kinds::OfferedKinds* offered) {
  const auto metadata = tus::parse_metadata(upload.metadata);
  UploadFields fields;
  std::string name;
  if (metadata)
    for (const auto& [key, value] : *metadata) {
      if (key == "filename" || (key == "name" && name.empty())) name = value;
      const bool is_of_the_file = key == "filename" || key == "name" || key == "filetype" ||
                                  key == "type" || key == "relativePath";
      if (!is_of_the_file) fields.emplace_back(key, value);
    }
  auto safe = http::safe_file_name(name);
  client::TaskRequest preset;
  preset.offered = offered;
  return read_wish(fields, safe.empty() ? "upload" : std::move(safe), within, std::move(preset));
}

class Resumable {
 public:
  Resumable(Gateway& gateway, std::shared_ptr<Intake> intake)
      : gateway_(gateway),
        store_(gateway.options().data + "/uploads"),
        intake_(std::move(intake)) {}

  std::size_t open_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        store_.all(), [](const auto& each) { return each.second->told.is_null(); }));
  }

  /// What came whole before the last end of this gateway is taken in.
  awaitable<void> go_on(std::shared_ptr<Resumable> /*itself*/) {
    store_.expire(process::unix_ms());
    std::vector<UploadStore::Entry> all;
    for (const auto& [id, entry] : store_.all()) all.push_back(entry);
    for (const auto& entry : all) {
      try {
        co_await finish(entry, Ring::kPatience);  // Perhaps the ventilator only starts, too.
      } catch (const Problem& problem) {
        process::log_warning(text("upload ", entry->upload.id, ": ", problem.detail));
      }
    }
  }

  awaitable<Answer> post(Exchange& exchange) {
    const auto& request = exchange.request;
    const auto now = process::unix_ms();
    const Within within(exchange.caller.prefix);
    store_.expire(now);
    auto upload = tus::read_creation(request, now);
    auto ring = gateway_.ring(exchange);
    const auto offered = co_await ring.offered();
    if (!upload.is_partial)
      wish_of(upload, within, offered.get());  // Refused before its bytes come.
    if (!upload.parts.empty()) {
      std::vector<tus::Upload> parts;
      for (const auto& id : upload.parts) parts.push_back(find(id, within)->upload);
      tus::put_together(upload, parts);
    }
    const bool has_bytes = tus::has_bytes(request);
    if (has_bytes) tus::read_write(request, upload);
    const auto entry = store_.add(std::move(upload), within);
    if (!entry->upload.parts.empty()) {
      std::exception_ptr failed;
      try {
        co_await copy_parts(entry);
      } catch (...) {
        failed = std::current_exception();
      }
      if (failed) {
        store_.remove(entry->upload.id);  // Nobody could go on with it.
        std::rethrow_exception(failed);
      }
    }
    if (has_bytes) co_await write(exchange, entry);
    co_await finish(entry);
    co_return with_task(tus::created(entry->upload, "/uploads/" + entry->upload.id), *entry);
  }

  awaitable<Answer> head(Exchange& exchange, std::string id) {
    const auto entry = find(exchange, id);
    // Its last byte came, and then this gateway was killed, or the ring was away.
    if (!entry->is_busy) co_await finish(entry);
    co_return with_task(tus::told(entry->upload), *entry);
  }

  awaitable<Answer> patch(Exchange& exchange, std::string id) {
    const auto entry = find(exchange, id);
    co_await write(exchange, entry);
    co_await finish(entry);
    co_return with_task(tus::written(entry->upload), *entry);
  }

  awaitable<Answer> remove(Exchange& exchange, std::string id) {
    const auto entry = find(exchange, id);
    const Writing writing(entry);
    store_.remove(id);
    co_return tus::removed();
  }

  /// For people and scripts: as JSON, with the task, and how far that is.
  awaitable<Answer> get(Exchange& exchange, std::string id) {
    const auto entry = find(exchange, id);
    if (!entry->is_busy) co_await finish(entry);
    const auto& upload = entry->upload;
    Value body = Value::Map{{"status", "uploading"}};
    if (!entry->told.is_null()) {
      const auto name = entry->told["file_name"].text_or("");
      body = co_await upload_status(gateway_.ring(exchange), name);
      // But where it can be had: the status says that once it can.
      for (const auto& [member, value] : *entry->told.as<Value::Map>())
        if (body[member].is_null() && member != "download_url") body.set(member, value);
    }
    body.set("offset", upload.offset);
    body.set("length", upload.length ? Value(*upload.length) : Value());
    co_return Response{
        200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, body.to_json()};
  }

 private:
  UploadStore::Entry find(const Exchange& exchange, const std::string& id) const {
    return find(id, Within(exchange.caller.prefix));
  }
  UploadStore::Entry find(const std::string& id, const Within& within) const {
    auto entry = store_.find(id, within);
    if (!entry) throw Problem(404, text("upload ", id, ": there is none, or not any longer"));
    return entry;
  }

  static Response with_task(Response response, const StoredUpload& stored) {
    if (stored.told.is_null()) return response;
    response.fields.push_back({"Eole-Task", stored.told["task_id"].text_or("")});
    response.fields.push_back(
        {"Eole-File-Name", http::percent_encode(stored.told["file_name"].text_or(""))});
    return response;
  }

  awaitable<void> write(Exchange& exchange, UploadStore::Entry entry) {
    const Writing writing(entry);
    auto& upload = entry->upload;
    const auto write = tus::read_write(exchange.request, upload);
    if (!entry->told.is_null()) {  // It was taken in, and its bytes are not here any more.
      if (!(co_await exchange.read()).empty()) throw tus::too_many(upload);
      co_return;
    }
    upload.length = write.length;
    upload.expires_unix_ms = process::unix_ms() + tus::kExpiresMs;
    if (write.checksum) entry->proven = upload.offset;
    store_.save(*entry);
    auto file = store_.open(*entry);
    std::exception_ptr failed;
    try {
      co_await take_bytes(exchange, *entry, write, file);
    } catch (...) {
      failed = std::current_exception();
    }
    if (failed && entry->proven) file.cut(*entry->proven);
    upload.offset = file.size();
    if (std::exchange(entry->proven, std::nullopt)) store_.save(*entry);
    if (failed) std::rethrow_exception(failed);
  }

  awaitable<void> take_bytes(Exchange& exchange, StoredUpload& stored, tus::Write write,
                             UploadFile& file) {
    using process::Hash;
    std::optional<Hash> hash;
    if (write.checksum)
      hash.emplace(write.checksum->algorithm == Checksum::Algorithm::kSha1 ? Hash::Of::kSha1
                                                                           : Hash::Of::kSha256);
    auto left = write.bytes_max;
    while (true) {
      const auto piece = co_await exchange.read();
      if (piece.empty()) break;
      if (piece.size() > left) throw tus::too_many(stored.upload);
      left -= piece.size();
      file.append(piece);
      if (hash) hash->add(piece);
      if (!hash) stored.upload.offset = file.size();  // As HEAD tells it meanwhile.
    }
    if (hash && hash->digest() != write.checksum->digest) throw tus::mismatch();
  }

  awaitable<void> copy_parts(UploadStore::Entry entry) {
    const Writing writing(entry);
    auto file = store_.open(*entry);
    need_room(store_.directory(), entry->upload.length.value_or(0));
    for (const auto& id : entry->upload.parts) {
      const auto part = find(id, entry->within);
      const Writing reading(part);
      const auto source = store_.open(*part);
      for (std::uint64_t at = 0; at < source.size(); at += kCopyBytes) {
        auto bytes = source.read(at, std::min<std::uint64_t>(kCopyBytes, source.size() - at));
        if (!bytes) throw problem_of(bytes.error());
        file.append(*bytes);
        if ((at + kCopyBytes) % kPauseBytes == 0) co_await pause_for_others();
      }
    }
    entry->upload.offset = file.size();
  }

  // What is whole becomes an artifact and a task, once: the task's key is the upload's.
  awaitable<void> finish(UploadStore::Entry entry, Duration patience = Ring::kOfferedFor) {
    const auto& upload = entry->upload;
    if (!upload.is_whole() || upload.is_partial || !entry->told.is_null()) co_return;
    const Writing writing(entry);
    std::optional<Problem> refused;
    try {
      const auto file = store_.open(*entry);
      Ring ring(gateway_.fabric(), entry->within);
      const auto offered = co_await ring.offered(patience);
      auto wish = wish_of(upload, entry->within, offered.get());
      const auto taken = co_await intake_->take(ring, file, std::move(wish), "upload/" + upload.id);
      entry->told = told(taken);
    } catch (const Problem& problem) {
      refused = problem;
    }
    if (refused) {
      const bool may_do_later = refused->status >= 500 || refused->status == 429;
      if (!may_do_later) store_.remove(upload.id);
      throw *refused;
    }
    store_.save(*entry);
    store_.drop_bytes(*entry);
    const auto parts = upload.parts;
    for (const auto& part : parts) store_.remove(part);
  }

  Gateway& gateway_;
  UploadStore store_;
  std::shared_ptr<Intake> intake_;
};

/// Adds to each answer what all of tus have, and asks first whether the client speaks it.
template <class Act>
Handler spoken(Act act) {
  return [act](Exchange& exchange) -> awaitable<Answer> {
    std::optional<Problem> refused;
    try {
      tus::check_version(exchange.request);
      co_return co_await act(exchange);
    } catch (const Problem& problem) {
      refused = problem;
    }
    throw tus::as_tus(*refused);
  };
}

}  // namespace

void add_resumable(Routes& routes, Gateway& gateway, std::shared_ptr<Intake> intake) {
  auto resumable = std::make_shared<Resumable>(gateway, std::move(intake));
  const auto id = [](const Exchange& exchange) { return segment(kOne, exchange.request, "id"); };
  const auto about = [](Exchange&) -> awaitable<Answer> { co_return tus::about(); };
  const auto head =
      spoken([=](Exchange& exchange) { return resumable->head(exchange, id(exchange)); });
  const auto patch =
      spoken([=](Exchange& exchange) { return resumable->patch(exchange, id(exchange)); });
  const auto remove =
      spoken([=](Exchange& exchange) { return resumable->remove(exchange, id(exchange)); });
  gateway.tell("open_uploads", [resumable]() { return resumable->open_count(); });
  routes.add({"OPTIONS", "/uploads", net::Role::kObserve, Reach::kWithin, about});
  routes.add({"OPTIONS", kOne, net::Role::kObserve, Reach::kWithin, about});
  routes.add({"POST", "/uploads", net::Role::kSubmit, Reach::kWithin,
              spoken([=](Exchange& exchange) { return resumable->post(exchange); })});
  routes.add({"HEAD", kOne, net::Role::kSubmit, Reach::kWithin, head});
  routes.add({"GET", kOne, net::Role::kSubmit, Reach::kWithin,
              [=](Exchange& exchange) { return resumable->get(exchange, id(exchange)); }});
  routes.add({"PATCH", kOne, net::Role::kSubmit, Reach::kWithin, patch});
  routes.add({"DELETE", kOne, net::Role::kSubmit, Reach::kWithin, remove});
  // For clients that can send no other methods.
  routes.add({"POST", kOne, net::Role::kSubmit, Reach::kWithin, [=](Exchange& exchange) {
                auto& method = exchange.request.method;
                method = exchange.request.field("x-http-method-override");
                if (method == "PATCH") return patch(exchange);
                if (method == "DELETE") return remove(exchange);
                throw Problem(405, text("POST ", exchange.request.target,
                                        ": only with X-HTTP-Method-Override: PATCH or DELETE"));
              }});
  asio::co_spawn(
      gateway.io(), [resumable]() { return resumable->go_on(resumable); },
      [](const std::exception_ptr&) {});
}

}  // namespace eole::gateway
