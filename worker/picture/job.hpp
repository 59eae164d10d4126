#pragma once

namespace eole::picture {

// The arguments of a run of eole-picture, and what it tells of a picture.
constexpr const char* kInputField = "input";  // The file's path.
constexpr const char* kQualityField = "quality";
constexpr const char* kWidthField = "width";
constexpr const char* kHeightField = "height";
constexpr const char* kPlainField = "plain";  // The input shows the same, for everyone.

struct Job {
  int quality = 0;
  int width = 0;  // The box to fit in, zero: no bound.
  int height = 0;
};

/// Says hello to the worker, takes the one task that it has, and opens its files as kInput and
/// kOutput. Before anything of the input is read.
Job take_job();

}  // namespace eole::picture
