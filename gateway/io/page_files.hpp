#pragma once
#include <span>
#include <string_view>

namespace eole::gateway {

/// A file of the page as it was built, in this program's memory.
struct PageFile {
  /// Its bytes lie between.
  struct Bytes {
    const char* begin;
    const char* end;
    operator std::string_view() const { return {begin, static_cast<std::size_t>(end - begin)}; }
  };
  std::string_view name;
  Bytes plain;
  Bytes gzip;
  Bytes brotli;
};

/// Empty: the page was not built, as there was no node or npm.
std::span<const PageFile> page_files();

}  // namespace eole::gateway
