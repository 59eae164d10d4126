#include "worker/picture/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace eole::picture {

namespace {
constexpr std::uintptr_t kLargePageBytes = 2 << 20;
constexpr int kHeapBytes = 64 << 20;  // More than 12 M pixels need: 36 MB of coefficients.
}  // namespace

void use_large_pages() {
  // The heap grows at once, and is where everything is: no block has pages of its own.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, INT32_MAX);
  ::mallopt(M_TOP_PAD, kHeapBytes);
  auto* const begin = static_cast<char*>(::sbrk(0));
  void* volatile block = std::malloc(kLargePageBytes);  // Else it is left away.
  std::free(block);
  auto* const end = static_cast<char*>(::sbrk(0));
  const auto over = reinterpret_cast<std::uintptr_t>(begin) % kLargePageBytes;
  auto* const from = over == 0 ? begin : begin + (kLargePageBytes - over);
  if (end > from) (void)::madvise(from, static_cast<std::size_t>(end - from), MADV_HUGEPAGE);
}

}  // namespace eole::picture
