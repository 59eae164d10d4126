#include "tests/fuzz/allocation_limit.hpp"

#include <sanitizer/allocator_interface.h>

#include <cstdio>
#include <cstdlib>

namespace eole::fuzz {

namespace {
bool is_watching = false;
std::size_t limit = 0;
std::size_t held = 0;

void on_malloc(const volatile void*, std::size_t size) {
  if (!is_watching) return;
  held += size;
  if (held <= limit) return;
  is_watching = false;
  std::fprintf(stderr, "allocation limit: %zu bytes, limit %zu\n", held, limit);
  std::abort();
}
void on_free(const volatile void* block) {
  if (!is_watching || block == nullptr) return;
  const auto size = __sanitizer_get_allocated_size(const_cast<const void*>(block));
  held -= size < held ? size : held;
}
const int kInstalled = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}  // namespace

AllocationLimit::AllocationLimit(std::size_t input_bytes) {
  (void)kInstalled;
  limit = 16 * input_bytes + (64 << 10);
  held = 0;
  is_watching = true;
}
AllocationLimit::~AllocationLimit() { is_watching = false; }

}  // namespace eole::fuzz
