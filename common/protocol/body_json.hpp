#pragma once
#include <string>
#include <string_view>

namespace eole::protocol {

/// Appends the members of a result's body to an object that JSON is being written of, each with a
/// comma before it; without those that only the record tells (is_of_the_record), and a body that
/// is no map as bytes. In time that grows with its size alone.
void put_body_json(std::string& out, std::string_view body);

/// Appends a text as a JSON string.
void put_json(std::string& out, std::string_view text);

}  // namespace eole::protocol
