#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eole::picture {

/// An encoded picture, in pieces: what is there is never moved. Fails beyond kFileBytesMax.
class Output {
 public:
  void add(std::string_view bytes);
  std::uint64_t size() const { return size_; }
  std::string whole() const;
  void write_to(int fd) const;

 private:
  std::vector<std::string> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace eole::picture
