#pragma once
#include "worker/picture/job.hpp"
#include "worker/picture/picture.hpp"
#include "worker/picture/placement.hpp"

/// What can be done to the samples of a picture. All but resized() want grey or RGB.
namespace eole::picture {

/// `chroma`: what it gets, if it is YCbCr. Alpha weighs the colours beside it.
Picture resized(const Picture& picture, const Placement& placement, Chroma chroma);
/// On the canvas, around it the colour; nothing: transparency.
Picture on_canvas(Picture picture, Size canvas, const std::optional<Colour>& background);
Picture grey(Picture picture);
/// `sigma`: of a Gaussian, in pixels.
Picture blurred(Picture picture, double sigma);
/// An unsharp mask of one pixel, so much of it.
Picture sharpened(Picture picture, double amount);
/// The mark over the lower right corner, made so small that it has at most a quarter of each side.
Picture watermarked(Picture picture, const Picture& mark);

}  // namespace eole::picture
