#include "gateway/io/page.hpp"

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "gateway/core/page.hpp"

namespace eole::gateway {

namespace {

constexpr std::size_t kTagBytes = 12;  // Of the digest; 2^-96 that two builds share them.

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

http::Response without_page() {
  http::Response response{200, {{"Content-Type", "text/plain; charset=utf-8"}}, {}};
  response.body =
      "This gateway was built without its page. Install node and npm (./dev setup does), then\n"
      "./dev build. All else is served: see /openapi.json, or `curl -H 'Accept: "
      "application/json'`\nof this address with /status, /tasks, /workers.\n";
  return response;
}

}  // namespace

Page::Page(std::span<const PageFile> files) {
  for (const auto& file : files) {
    const auto digest = process::sha256(file.plain);
    files_.emplace(file.name, Kept{file, hex(digest.substr(0, kTagBytes))});
  }
}

std::optional<http::Response> Page::answer(const http::Request& request) const {
  const auto name = page_file_for(request);
  if (!name) return {};
  const auto found = files_.find(*name);
  if (found == files_.end()) {
    if (*name != "index.html") return {};
    auto response = without_page();
    add_page_rules(response);
    return response;
  }
  const auto& [file, tag] = found->second;
  const auto coding = coding_for(request);
  const std::string_view suffix = coding == Coding::kBrotli ? "-br"
                                  : coding == Coding::kGzip ? "-gz"
                                                            : "";
  const auto etag = text("\"", tag, suffix, "\"");
  http::Response response;
  response.fields = {{"Content-Type", std::string(type_of(*name))},
                     {"ETag", etag},
                     {"Vary", "Accept, Accept-Encoding"}};
  add_page_rules(response);
  if (has_copy(request, etag)) {
    response.status = 304;
    return response;
  }
  if (coding == Coding::kBrotli) response.fields.push_back({"Content-Encoding", "br"});
  if (coding == Coding::kGzip) response.fields.push_back({"Content-Encoding", "gzip"});
  response.body = std::string_view(coding == Coding::kBrotli ? file.brotli
                                   : coding == Coding::kGzip ? file.gzip
                                                             : file.plain);
  return response;
}

std::optional<http::Response> Page::missing(const http::Request& request) const {
  http::Request home = request;
  home.segments.clear();
  std::erase_if(home.fields, [](const auto& field) { return field.name == "if-none-match"; });
  auto response = answer(home);
  if (response) response->status = 404;
  return response;
}

}  // namespace eole::gateway
