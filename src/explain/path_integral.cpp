#include "diffuse/explain/path_integral.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

namespace diffuse {
namespace {

constexpr std::size_t kFirstPieces = 4;
constexpr std::size_t kNodes = 5;

/// Gauss and Lobatto's nodes on [0, 1] and their weights: exact up to the seventh power. Both ends
/// and the middle are among them, so that half a piece has three of them already.
const std::array<double, kNodes>& nodes() {
  static const double inner = std::sqrt(3.0 / 7) / 2;
  static const std::array<double, kNodes> places = {0, 0.5 - inner, 0.5, 0.5 + inner, 1};
  return places;
}
constexpr std::array<double, kNodes> kWeights = {1.0 / 20, 49.0 / 180, 16.0 / 45, 49.0 / 180,
                                                 1.0 / 20};

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// A piece of the path, with its points by their numbers.
struct Piece {
  double begin = 0;
  double end = 1;
  std::array<std::size_t, kNodes> points{};
};

class Integrator {
 public:
  Integrator(const Path& path, double tolerance, std::int64_t most_points)
      : path_(path), tolerance_(tolerance), most_points_(static_cast<std::size_t>(most_points)) {}

  PathIntegral run() {
    first_pieces();
    while (points_.size() < most_points_ && halve_the_worst()) {
    }
    PathIntegral result;
    result.start = points_[pieces_.front().points.front()].value;
    result.end = points_[last_].value;
    result.points = static_cast<std::int64_t>(points_.size());
    result.parts.assign(points_.front().slopes.size(), 0.0);
    for (const Piece& piece : pieces_) {
      for (std::size_t k = 0; k < kNodes; ++k) {
        const double weight = kWeights[k] * (piece.end - piece.begin);
        const std::vector<double>& slopes = points_[piece.points[k]].slopes;
        for (std::size_t i = 0; i < slopes.size(); ++i) result.parts[i] += weight * slopes[i];
      }
    }
    return result;
  }

 private:
  /// A point that is not there yet, by its number.
  std::size_t ask(double place) {
    asked_.push_back(place);
    return points_.size() + asked_.size() - 1;
  }
  void answer() {
    std::vector<PathPoint> points = path_(asked_);
    std::move(points.begin(), points.end(), std::back_inserter(points_));
    asked_.clear();
  }

  void first_pieces() {
    std::size_t begin = ask(0);
    for (std::size_t p = 0; p < kFirstPieces; ++p) {
      Piece piece{static_cast<double>(p) / kFirstPieces, static_cast<double>(p + 1) / kFirstPieces};
      piece.points[0] = begin;
      for (std::size_t k = 1; k < kNodes; ++k)
        piece.points[k] = ask(piece.begin + nodes()[k] * (piece.end - piece.begin));
      begin = piece.points.back();
      pieces_.push_back(piece);
    }
    last_ = begin;
    answer();
  }

  double gain(const Piece& piece) const {
    return points_[piece.points.back()].value - points_[piece.points.front()].value;
  }
  double error(const Piece& piece) const {
    double found = 0;
    for (std::size_t k = 0; k < kNodes; ++k)
      found += kWeights[k] * sum(points_[piece.points[k]].slopes);
    return gain(piece) - found * (piece.end - piece.begin);
  }

  Piece half(const Piece& whole, bool second) {
    const double middle = (whole.begin + whole.end) / 2;
    Piece piece{second ? middle : whole.begin, second ? whole.end : middle};
    piece.points.front() = whole.points[second ? 2 : 0];
    piece.points.back() = whole.points[second ? 4 : 2];
    for (std::size_t k = 1; k + 1 < kNodes; ++k)
      piece.points[k] = ask(piece.begin + nodes()[k] * (piece.end - piece.begin));
    return piece;
  }

  /// False where all is well, or nothing is gained any more.
  bool halve_the_worst() {
    constexpr double kPart = 0.01;
    double all = 0;
    double apart = 0;
    double gains = 0;
    double worst = 0;
    for (const Piece& piece : pieces_) {
      const double own = error(piece);
      all += own;
      apart += std::abs(own);
      gains += std::abs(gain(piece));
      worst = std::max(worst, std::abs(own));
    }
    // Rounding errors of many pieces would never be small one by one.
    const bool wrong = std::abs(all) > tolerance_ || apart > std::max(tolerance_, kPart * gains);
    if (!wrong || !std::isfinite(apart)) return false;
    const double share =
        std::max(tolerance_ / (2 * static_cast<double>(pieces_.size())), worst / 10);
    std::vector<Piece> halves;
    for (const Piece& piece : pieces_) {
      if (std::abs(error(piece)) < share) {
        halves.push_back(piece);
      } else {
        halves.push_back(half(piece, false));
        halves.push_back(half(piece, true));
      }
    }
    answer();
    pieces_ = std::move(halves);
    return true;
  }

  const Path& path_;
  double tolerance_;
  std::size_t most_points_;
  std::vector<PathPoint> points_;
  std::vector<double> asked_;  // places of the points behind them
  std::vector<Piece> pieces_;  // ascending
  std::size_t last_ = 0;       // the point at 1
};

}  // namespace

double PathIntegral::error() const { return end - start - sum(parts); }

PathIntegral integrate_path(const Path& path, double tolerance, std::int64_t most_points) {
  return Integrator(path, tolerance, most_points).run();
}

}  // namespace diffuse
