#pragma once

#include <cstdint>
#include <string>

namespace diffuse {

/// Peak resident memory of this process so far (it never falls).
std::int64_t peak_rss_bytes();
/// Lets the peak begin anew. Without the right to, the one so far stays.
void reset_peak_rss();
/// Resident memory now.
std::int64_t current_rss_bytes();
/// Memory that the machine can still give without swapping.
std::int64_t available_memory_bytes();
/// Cores this process may use.
int available_cores();
/// Seconds of a clock that only goes forwards, from any beginning.
double steady_now_s();
/// The time now, UTC, as "2025-01-31T12:00:00Z".
std::string utc_now();
/// The processor's name as the system gives it.
std::string cpu_model();

}  // namespace diffuse
