#pragma once

#include <cstdint>
#include <span>

namespace diffuse {

/// One update of AdamW (Loshchilov and Hutter, ICLR 2019, algorithm 2) for rows of a table that
/// were away for some updates: the gradients of those were zero, so that the moments only decayed.
struct RowUpdate {
  double learning_rate = 0;
  double beta1 = 0;
  double beta2 = 0;
  double epsilon = 0;
  double gradient_scale = 1;  ///< of clipping
  double correction1 = 1;     ///< 1 - beta1^update
  double correction2 = 1;     ///< 1 - beta2^update
  double kept_average = 0;    ///< what the update leaves of the average
};

/// Factors for the updates since a row's last one.
struct RowAbsence {
  double moment1 = 1;  ///< beta1^(updates since, the present one included)
  double moment2 = 1;  ///< beta2^the same
  double weight = 1;   ///< decoupled weight decay, the present update included
  double average = 1;  ///< of the distance from average to row, the present update not included
};

/// A row, its moments and, where it is not null, its average.
struct RowState {
  float* values = nullptr;
  float* moment1 = nullptr;
  float* moment2 = nullptr;
  float* average = nullptr;
};

/// Updates one row by its gradient, on the CPU; float32 but for the factors.
void update_row(const RowUpdate& rule, const RowAbsence& absence, std::span<const float> gradient,
                const RowState& row);

/// What a row missed.
struct RowTail {
  double distance = 0;  ///< train/tail_steps.hpp
  double weight = 1;    ///< decoupled weight decay of the updates missed
  double epsilon = 0;
};

/// to = weight · values - distance · m / (sqrt(v) + epsilon), for `count` channels: where a row is
/// after the updates that it missed.
void follow_tail(const RowTail& tail, std::int64_t count, const RowState& row, float* to);

}  // namespace diffuse
