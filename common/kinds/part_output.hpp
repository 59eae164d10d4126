#pragma once
#include <string>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

/// What a task that is done came to, as bytes: of its record as people see it. Pure.
namespace eole::kinds {

/// The artifacts that are its output: of a command the one that has what it printed.
protocol::Value::Array files_of(const protocol::Value& part);
/// Its output, if it has no such artifact.
std::string own_bytes_of(const protocol::Value& part);
/// Errors: less of what a command printed is kept than it was.
Expected<void> check_whole(const protocol::Value& part);

/// Of several that were to do one part the last that did, or the last that did not. They are in
/// order by the part that they do, and then by when they ended; each says `part_of` and `is_done`.
template <class Places>
void keep_one_of_each(Places& places) {
  std::size_t count = 0;
  for (const auto& place : places) {
    const bool is_another = count > 0 && places[count - 1].part_of == place.part_of;
    if (!is_another) ++count;
    if (!is_another || place.is_done || !places[count - 1].is_done) places[count - 1] = place;
  }
  places.resize(count);
}

}  // namespace eole::kinds
