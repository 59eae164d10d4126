#pragma once
#include <map>
#include <optional>
#include <string>

#include "gateway/core/http/request.hpp"
#include "gateway/io/page_files.hpp"

namespace eole::gateway {

/// Serves the page that is built into this program.
class Page {
 public:
  explicit Page(std::span<const PageFile> files = page_files());
  /// Nothing: the request is not for the page.
  std::optional<http::Response> answer(const http::Request& request) const;
  /// 404 with the page, which says so, for whoever looks with a browser.
  std::optional<http::Response> missing(const http::Request& request) const;

 private:
  struct Kept {
    PageFile file;
    std::string tag;  // Of its plain bytes: the beginning of their SHA-256.
  };
  std::map<std::string, Kept, std::less<>> files_;
};

}  // namespace eole::gateway
