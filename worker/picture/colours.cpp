#include "worker/picture/colours.hpp"

#include <lcms2.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace eole::picture {

namespace {

constexpr int kSameAs = 2;  // Levels of 255 that two profiles may differ and be the same.

struct Closed {
  void operator()(void* profile) const { ::cmsCloseProfile(profile); }
};
using Profile = std::unique_ptr<void, Closed>;

cmsColorSpaceSignature space_of(int colours) {
  return colours == 1 ? cmsSigGrayData : colours == 3 ? cmsSigRgbData : cmsSigCmykData;
}

bool is_of_pictures(cmsHPROFILE profile) {
  const auto kind = ::cmsGetDeviceClass(profile);
  return kind == cmsSigInputClass || kind == cmsSigDisplayClass || kind == cmsSigOutputClass ||
         kind == cmsSigColorSpaceClass;
}

// Whether a transform of RGB changes nothing that can be seen: most profiles are sRGB's.
bool changes_nothing(cmsHTRANSFORM transform) {
  std::vector<std::uint8_t> before;
  for (int i = 0; i < 9 * 9 * 9; ++i)
    for (const int level : {i / 81, i / 9 % 9, i % 9})
      before.push_back(static_cast<std::uint8_t>(level * 255 / 8));
  std::vector<std::uint8_t> after(before.size());
  ::cmsDoTransform(transform, before.data(), after.data(),
                   static_cast<cmsUInt32Number>(before.size() / 3));
  for (std::size_t i = 0; i < before.size(); ++i)
    if (std::abs(before[i] - after[i]) > kSameAs) return false;
  return true;
}

std::shared_ptr<void> transform_to_srgb(int colours, bool has_alpha, std::string_view bytes) {
  if (bytes.empty()) return nullptr;
  const Profile from(
      ::cmsOpenProfileFromMem(bytes.data(), static_cast<cmsUInt32Number>(bytes.size())));
  if (!from || ::cmsGetColorSpace(from.get()) != space_of(colours) || !is_of_pictures(from.get()))
    return nullptr;
  const Profile srgb(::cmsCreate_sRGBProfile());
  const cmsUInt32Number pixel_types[] = {PT_GRAY, 0, PT_RGB, PT_CMYK};
  const cmsUInt32Number format = COLORSPACE_SH(pixel_types[colours - 1]) |
                                 CHANNELS_SH(static_cast<cmsUInt32Number>(colours)) | BYTES_SH(1) |
                                 EXTRA_SH(has_alpha ? 1U : 0U);
  std::shared_ptr<void> transform(
      ::cmsCreateTransform(from.get(), format, srgb.get(), TYPE_RGB_8, INTENT_PERCEPTUAL, 0),
      [](void* made) {
        if (made != nullptr) ::cmsDeleteTransform(made);
      });
  return transform;
}

std::uint8_t part(unsigned value, unsigned of_255) {
  return static_cast<std::uint8_t>((value * of_255 + 127) / 255);
}

}  // namespace

Colours::Colours(int colours, bool has_alpha, std::string_view profile, const Job& job)
    : colours_(colours),
      has_alpha_(has_alpha),
      background_(job.background),
      transform_(transform_to_srgb(colours, has_alpha, profile)) {
  if (!transform_) return;
  const bool can_keep = colours == 3 ? !job.is_grey : colours == 1 && !has_alpha;
  if (job.keeps_icc && can_keep) {
    kept_ = profile;
    transform_ = nullptr;
  } else if (colours == 3) {
    const auto of_rgb = transform_to_srgb(3, false, profile);
    if (of_rgb && changes_nothing(of_rgb.get())) transform_ = nullptr;
  }
}

int Colours::planes() const {
  if (has_alpha_) return background_ ? 3 : 4;
  return colours_ == 1 && !transform_ ? 1 : 3;
}

const std::uint8_t* Colours::converted(const std::uint8_t* samples, int pixels) {
  if (!transform_ && !has_alpha_ && colours_ != 4) return samples;
  rgb_.resize(static_cast<std::size_t>(pixels) * 3);
  const auto count = static_cast<cmsUInt32Number>(pixels);
  if (!transform_) {
    convert_plainly(samples, pixels);
  } else if (colours_ == 4) {  // Ink as lcms counts it: none is zero.
    std::vector<std::uint8_t> inks(samples, samples + static_cast<std::ptrdiff_t>(pixels) * 4);
    for (auto& ink : inks) ink = static_cast<std::uint8_t>(255 - ink);
    ::cmsDoTransform(transform_.get(), inks.data(), rgb_.data(), count);
  } else {
    ::cmsDoTransform(transform_.get(), samples, rgb_.data(), count);
  }
  if (!has_alpha_) return rgb_.data();
  if (background_) {
    lay(samples, pixels);
    return rgb_.data();
  }
  add_alpha(samples, pixels);
  return rgba_.data();
}

void Colours::convert_plainly(const std::uint8_t* samples, int pixels) {
  const int step = colours_ + (has_alpha_ ? 1 : 0);
  auto* rgb = rgb_.data();
  for (int i = 0; i < pixels; ++i, samples += step, rgb += 3)
    for (int c = 0; c < 3; ++c)
      rgb[c] = colours_ == 1   ? samples[0]
               : colours_ == 3 ? samples[c]
                               : part(samples[c], samples[3]);
}

void Colours::lay(const std::uint8_t* samples, int pixels) {
  const unsigned under[] = {background_->red, background_->green, background_->blue};
  auto* rgb = rgb_.data();
  for (int i = 0; i < pixels; ++i, samples += colours_ + 1, rgb += 3) {
    const unsigned alpha = samples[colours_];
    for (int c = 0; c < 3; ++c)
      rgb[c] = static_cast<std::uint8_t>((rgb[c] * alpha + under[c] * (255 - alpha) + 127) / 255);
  }
}

void Colours::add_alpha(const std::uint8_t* samples, int pixels) {
  rgba_.resize(static_cast<std::size_t>(pixels) * 4);
  for (std::size_t i = 0; i < static_cast<std::size_t>(pixels); ++i, samples += colours_ + 1) {
    std::copy_n(&rgb_[i * 3], 3, &rgba_[i * 4]);
    rgba_[i * 4 + 3] = samples[colours_];
  }
}

}  // namespace eole::picture
