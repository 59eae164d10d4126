#include "gateway/io/uploads.hpp"

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "gateway/core/http/file_names.hpp"
#include "gateway/core/http/multipart.hpp"
#include "gateway/core/tus.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/artifacts.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/intake.hpp"
#include "gateway/io/resumable.hpp"
#include "gateway/io/tasks.hpp"
#include "gateway/io/upload_status.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;

namespace {

constexpr std::size_t kUploadsMax = 64;               // Forms at a time.
constexpr std::size_t kFormFieldsBytesMax = 1 << 20;  // Of one form, beside its file.

/// What a form brings: its file goes to the disk while it comes, its fields are kept.
class Form {
 public:
  explicit Form(const std::string& directory) : file(UploadFile::unnamed(directory)) {}

  void take(http::FormEvent& event) {
    if (auto* began = std::get_if<http::PartBegan>(&event)) begin(began->head);
    if (auto* piece = std::get_if<http::PartPiece>(&event)) add(piece->bytes);
    if (std::holds_alternative<http::PartEnded>(event)) into_ = Into::kNothing;
  }

  UploadFile file;
  std::optional<std::string> file_name;  // As it was sent.
  UploadFields fields;

 private:
  void begin(http::PartHead& head) {
    into_ = Into::kNothing;
    const bool is_file = head.name == "image" || head.name == "file";
    if (is_file && head.file_name) {
      if (file_name) throw Problem(400, "more than one file: an upload has one");
      file_name = std::move(head.file_name);
      into_ = Into::kFile;
    } else if (!is_file && !head.file_name) {
      fields.emplace_back(std::move(head.name), "");
      into_ = Into::kField;
    }
  }
  void add(const std::string& bytes) {
    if (into_ == Into::kFile) {
      if (bytes.size() > tus::kUploadBytesMax - file.size())
        throw Problem(413, text("a file of over ", tus::kUploadBytesMax, " bytes"));
      file.append(bytes);
    }
    if (into_ != Into::kField) return;
    fields_bytes_ += bytes.size();
    if (fields_bytes_ > kFormFieldsBytesMax)
      throw Problem(413, text("over ", kFormFieldsBytesMax, " bytes of fields beside the file"));
    fields.back().second += bytes;
  }

  enum class Into : std::uint8_t { kNothing, kFile, kField };
  Into into_ = Into::kNothing;
  std::size_t fields_bytes_ = 0;
};

class Uploads {
 public:
  explicit Uploads(Gateway& gateway)
      : gateway_(gateway),
        intake_(std::make_shared<Intake>(gateway.fabric())),
        artifacts_(gateway.fabric()) {}
  const std::shared_ptr<Intake>& intake() const { return intake_; }

  awaitable<std::optional<Response>> post(Exchange& exchange) {
    if (!places_.has_free(owner_of(exchange.caller))) {
      Problem problem(503, text("over ", kUploadsMax, " uploads at a time"));
      problem.fields.push_back({"Retry-After", "5"});
      throw problem;
    }
    const auto place = co_await places_.take(owner_of(exchange.caller));
    Form form(gateway_.options().data);
    co_await read(exchange, form);
    if (!form.file_name)
      throw Problem(400, "no file part: wanted is a part image (or file) with a file");
    auto name = http::safe_file_name(*form.file_name);
    if (form.file_name->empty()) throw Problem(400, "no selected file: its name is empty");
    if (name.empty())
      throw Problem(400, text("no selected file: ", *form.file_name, ": is no file's name"));
    auto ring = gateway_.ring(exchange);
    const auto offered = co_await ring.offered();
    auto preset = preset_of(exchange.request);
    preset.offered = offered.get();
    auto wish = read_wish(form.fields, std::move(name), ring.within(), std::move(preset));
    auto key = idempotency_key(exchange.request);
    const auto taken = co_await intake_->take(ring, form.file, std::move(wish), std::move(key));
    auto answer = json(202, told(taken));
    answer.fields.push_back({"Location", told(taken)["status_url"].text_or("")});
    co_return answer;
  }

  awaitable<std::optional<Response>> status(Exchange& exchange) {
    const auto name = exchange.request.option("file_name");
    if (!name) throw Problem(400, "file_name: is missing (/cluster tells how the cluster is)");
    co_return json(200, co_await upload_status(gateway_.ring(exchange), *name));
  }

  awaitable<std::optional<Response>> download(Exchange& exchange) {
    const auto name = exchange.request.option("file_name");
    if (!name) throw Problem(400, "file_name: is missing");
    const auto view = co_await upload_view(gateway_.ring(exchange), *name);
    const auto& artifact = view["artifact"];
    if (!is_over(view)) throw Problem(404, text(*name, ": is still being processed"));
    if (artifact.is_null())
      throw Problem(404, text(*name, ": its task is ", view["state"].text_or("settled"),
                              ", without a file: ", view["error"].text_or("it came to none")));
    auto saved_as = http::safe_file_name(artifact["name"].text_or(""));
    if (saved_as.empty()) saved_as = *name;
    co_return co_await artifacts_.send(exchange, artifact["sha256"].text_or(""),
                                       std::move(saved_as));
  }

 private:
  awaitable<void> read(Exchange& exchange, Form& form) {
    auto reader = http::FormReader::of(exchange.request.field("content-type"));
    if (!reader) throw Problem(400, text("no file part: ", reader.error().message));
    while (true) {
      const auto piece = co_await exchange.read();
      if (piece.empty()) break;
      std::vector<http::FormEvent> events;
      const auto fed = reader->feed(piece, events);
      for (auto& event : events) form.take(event);
      if (!fed) throw Problem(400, text("the form: ", fed.error().message));
    }
    if (!reader->is_whole()) throw Problem(400, "the form: breaks off before its last boundary");
  }

  Gateway& gateway_;
  std::shared_ptr<Intake> intake_;  // The resumable uploads have it, too.
  Artifacts artifacts_;
  Places places_{kUploadsMax};
};

}  // namespace

void add_uploads(Routes& routes, Gateway& gateway) {
  auto uploads = std::make_shared<Uploads>(gateway);
  routes.add({"POST", "/upload", net::Role::kSubmit, Reach::kWithin,
              [uploads](Exchange& exchange) { return uploads->post(exchange); }});
  routes.add({"GET", "/status", net::Role::kObserve, Reach::kWithin,
              [uploads](Exchange& exchange) { return uploads->status(exchange); }});
  const auto download = [uploads](Exchange& exchange) { return uploads->download(exchange); };
  routes.add({"GET", "/download", net::Role::kObserve, Reach::kWithin, download});
  routes.add({"HEAD", "/download", net::Role::kObserve, Reach::kWithin, download});
  add_artifacts(routes, gateway);
  add_resumable(routes, gateway, uploads->intake());
}

}  // namespace eole::gateway
