#pragma once
#include "worker/picture/input.hpp"
#include "worker/picture/pixels.hpp"

/// JPEG and PNG. What cannot be read right ends the program with the reason.
namespace eole::picture {

Decoded read_jpeg(Input& input);
Decoded read_png(Input& input);
/// To the output: 4:2:0, baseline, Huffman tables of its own, nothing but pixels.
void write_jpeg(const Pixels& pixels, int quality);

}  // namespace eole::picture
