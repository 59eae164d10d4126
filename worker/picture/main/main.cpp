#include <exception>
#include <new>

#include "common/base/text.hpp"
#include "worker/picture/confine.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/make.hpp"
#include "worker/picture/memory.hpp"
#include "worker/picture/report.hpp"

/// eole-picture: makes the pictures of one task for the worker at the other end of its socket, and
/// ends.
int main() {
  using namespace eole::picture;
  use_large_pages();
  auto job = take_job();
  confine();
  try {
    succeed(make(job));
  } catch (const std::bad_alloc&) {
    fail(eole::text("needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
  }
}
