#include "worker/picture/convolve.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cmath>
#include <numbers>

namespace eole::picture {

namespace {

constexpr int kLobes = 3;
constexpr int kMostShift = 22;  // 255 times the sum, and its negative lobes, fit in 31 bits.
constexpr int kLargestWeight = 32767;
constexpr int kVectorTaps = 16;

double lanczos_at(double x) {
  if (x == 0) return 1;
  if (x <= -kLobes || x >= kLobes) return 0;
  const double t = x * std::numbers::pi;
  return kLobes * std::sin(t) * std::sin(t / kLobes) / (t * t);
}

// The whole numbers of weights whose sums are 1. What rounding takes or gives goes to the heaviest.
Taps whole(int source, std::vector<int> first, const std::vector<std::vector<double>>& weights) {
  Taps taps;
  double most = 0;
  for (const auto& each : weights) {
    taps.count = std::max(taps.count, static_cast<int>(each.size()));
    for (const double weight : each) most = std::max(most, std::abs(weight));
  }
  taps.padded = (taps.count + kVectorTaps - 1) / kVectorTaps * kVectorTaps;
  taps.shift = kMostShift;
  while (most * (1 << taps.shift) > kLargestWeight - 1) --taps.shift;
  const int one = 1 << taps.shift;
  taps.weights.resize(first.size() * static_cast<std::size_t>(taps.padded));
  for (std::size_t i = 0; i < first.size(); ++i) {
    // So that all of them are there to be read: the zeros come first where the source ends.
    const int shifted = std::max(0, first[i] + taps.count - source);
    const int from = std::max(0, first[i] - shifted);
    auto* to = &taps.weights[i * static_cast<std::size_t>(taps.padded)] + (first[i] - from);
    first[i] = from;
    int sum = 0;
    std::size_t heaviest = 0;
    for (std::size_t k = 0; k < weights[i].size(); ++k) {
      to[k] = static_cast<std::int16_t>(std::lround(weights[i][k] * one));
      sum += to[k];
      if (to[k] > to[heaviest]) heaviest = k;
    }
    to[heaviest] = static_cast<std::int16_t>(
        std::clamp(to[heaviest] + one - sum, -kLargestWeight, kLargestWeight));
  }
  taps.first = std::move(first);
  return taps;
}

void normalise(std::vector<double>& weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
}

std::uint8_t clipped(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

// One target row: of `rows`, each with its weight, `width` samples.
using Down = void (*)(const std::uint8_t* const* rows, const std::int16_t* weights, int count,
                      int shift, int width, std::uint8_t* to);
using Across = void (*)(const std::uint8_t* row, const Taps& taps, std::uint8_t* to);

void down_plainly(const std::uint8_t* const* rows, const std::int16_t* weights, int count,
                  int shift, int width, std::uint8_t* to) {
  constexpr int kBlock = 32;
  for (int x = 0; x < width; x += kBlock) {
    int sums[kBlock];
    std::fill(sums, sums + kBlock, 1 << (shift - 1));
    for (int k = 0; k < count; ++k)
      for (int i = 0; i < kBlock; ++i) sums[i] += weights[k] * rows[k][x + i];
    for (int i = 0; i < kBlock; ++i) to[x + i] = clipped(sums[i] >> shift);
  }
}

void across_plainly(const std::uint8_t* row, const Taps& taps, std::uint8_t* to) {
  const auto* weights = taps.weights.data();
  for (int x = 0; x < taps.targets(); ++x, weights += taps.padded) {
    const auto* from = row + taps.first[static_cast<std::size_t>(x)];
    int sum = 1 << (taps.shift - 1);
    for (int k = 0; k < taps.count; ++k) sum += weights[k] * from[k];
    to[x] = clipped(sum >> taps.shift);
  }
}

#if defined(__x86_64__)

[[gnu::target("avx2")]] __m256i widened(const std::uint8_t* samples) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(samples)));
}

[[gnu::target("avx2")]] void down_by_vectors(const std::uint8_t* const* rows,
                                             const std::int16_t* weights, int count, int shift,
                                             int width, std::uint8_t* to) {
  const auto half = _mm256_set1_epi32(1 << (shift - 1));
  const auto bits = _mm_cvtsi32_si128(shift);
  for (int x = 0; x < width; x += 16) {
    auto low = half;
    auto high = half;
    for (int k = 0; k < count; k += 2) {
      const bool has_two = k + 1 < count;
      const auto one = widened(rows[k] + x);
      const auto two = has_two ? widened(rows[k + 1] + x) : _mm256_setzero_si256();
      const auto second = static_cast<std::uint16_t>(has_two ? weights[k + 1] : 0);
      const auto pair = _mm256_set1_epi32(
          static_cast<int>(static_cast<std::uint16_t>(weights[k]) | std::uint32_t{second} << 16));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(one, two), pair));
      high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(one, two), pair));
    }
    const auto words =
        _mm256_packs_epi32(_mm256_sra_epi32(low, bits), _mm256_sra_epi32(high, bits));
    const auto bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0b1000);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + x), _mm256_castsi256_si128(bytes));
  }
}

[[gnu::target("avx2")]] __m256i weighed(const std::uint8_t* samples, const std::int16_t* weights) {
  return _mm256_madd_epi16(widened(samples),
                           _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights)));
}

[[gnu::target("avx2")]] void across_by_vectors(const std::uint8_t* row, const Taps& taps,
                                               std::uint8_t* to) {
  const auto* weights = taps.weights.data();
  const auto half = _mm_set1_epi32(1 << (taps.shift - 1));
  const auto bits = _mm_cvtsi32_si128(taps.shift);
  const auto last = static_cast<std::size_t>(taps.targets() - 1);
  for (std::size_t x = 0; x <= last; x += 4) {
    __m256i sums[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const auto target = std::min(x + i, last);
      const auto* from = row + taps.first[target];
      const auto* by = weights + target * static_cast<std::size_t>(taps.padded);
      sums[i] = weighed(from, by);
      for (int k = kVectorTaps; k < taps.padded; k += kVectorTaps)
        sums[i] = _mm256_add_epi32(sums[i], weighed(from + k, by + k));
    }
    const auto four =
        _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
    const auto sum = _mm_add_epi32(
        half, _mm_add_epi32(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1)));
    const auto words = _mm_packs_epi32(_mm_sra_epi32(sum, bits), _mm_setzero_si128());
    const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&bytes),
                std::min<std::size_t>(4, last - x + 1), to + x);
  }
}

bool has_vectors() { return __builtin_cpu_supports("avx2") != 0; }

#else

constexpr Down down_by_vectors = down_plainly;
constexpr Across across_by_vectors = across_plainly;
bool has_vectors() { return false; }

#endif

}  // namespace

Taps lanczos(int source, double begin, double length, double to) {
  const double scale = length / to;
  const double wide = std::max(1.0, scale);
  const int targets = static_cast<int>(std::ceil(to - 1e-9));
  std::vector<int> first;
  std::vector<std::vector<double>> weights(static_cast<std::size_t>(targets));
  for (int i = 0; i < targets; ++i) {
    const double middle = std::min(begin + (i + 0.5) * scale, source - 0.5);
    const int from = std::max(0, static_cast<int>(std::lround(middle - kLobes * wide)));
    const int end = std::min(source, static_cast<int>(std::lround(middle + kLobes * wide)));
    first.push_back(from);
    auto& own = weights[static_cast<std::size_t>(i)];
    for (int at = from; at < end; ++at) own.push_back(lanczos_at((at - middle + 0.5) / wide));
    normalise(own);
  }
  return whole(source, std::move(first), weights);
}

Taps gaussian(int source, double sigma) {
  const int reach = std::max(1, static_cast<int>(std::ceil(sigma * 3)));
  std::vector<int> first;
  std::vector<std::vector<double>> weights(static_cast<std::size_t>(source));
  for (int i = 0; i < source; ++i) {
    // Beyond its edges the picture goes on as it ends.
    const int from = std::max(0, i - reach);
    const int end = std::min(source, i + reach + 1);
    auto& own = weights[static_cast<std::size_t>(i)];
    own.resize(static_cast<std::size_t>(end - from));
    for (int at = i - reach; at <= i + reach; ++at)
      own[static_cast<std::size_t>(std::clamp(at, from, end - 1) - from)] +=
          std::exp(-0.5 * (at - i) * (at - i) / (sigma * sigma));
    normalise(own);
    first.push_back(from);
  }
  return whole(source, std::move(first), weights);
}

Plane convolved(const Plane& plane, const Taps& across, const Taps& down, bool uses_vectors) {
  const bool is_fast = uses_vectors && has_vectors();
  const Down make_row = is_fast ? down_by_vectors : down_plainly;
  const Across make_samples = is_fast ? across_by_vectors : across_plainly;
  Plane made({across.targets(), down.targets()});
  // Room for weights of zero that are read past its end.
  std::vector<std::uint8_t> row(plane.stride() + static_cast<std::size_t>(across.padded));
  std::vector<const std::uint8_t*> rows(static_cast<std::size_t>(down.count));
  for (int y = 0; y < down.targets(); ++y) {
    const auto at = static_cast<std::size_t>(y);
    for (int k = 0; k < down.count; ++k)
      rows[static_cast<std::size_t>(k)] = plane.row(down.first[at] + k);
    make_row(rows.data(), &down.weights[at * static_cast<std::size_t>(down.padded)], down.count,
             down.shift, plane.size().width, row.data());
    make_samples(row.data(), across, made.row(y));
  }
  return made;
}

}  // namespace eole::picture
