#include "diffuse/base/parallel.hpp"

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace diffuse {

void parallel_for(std::size_t count, int threads,
                  const std::function<void(std::size_t begin, std::size_t end)>& work) {
  if (count == 0) return;
  const std::size_t parts = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
  if (parts == 1) return work(0, count);

  // Part p covers the begins [p] .. [p + 1]; sizes differ by one at most.
  const auto begin_of = [&](std::size_t part) {
    return count / parts * part + std::min(part, count % parts);
  };
  std::vector<std::exception_ptr> thrown(parts);
  const auto run = [&](std::size_t part) noexcept {
    try {
      work(begin_of(part), begin_of(part + 1));
    } catch (...) {
      thrown[part] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> workers;
    workers.reserve(parts - 1);
    std::size_t started = 1;
    try {
      for (; started < parts; ++started) workers.emplace_back(run, started);
    } catch (const std::system_error&) {
      // No more threads to be had: the caller's does the rest.
      for (std::size_t part = started; part < parts; ++part) run(part);
    }
    run(0);
  }
  // By position, not by time: the same fault is reported whatever the threads' pace.
  for (const std::exception_ptr& exception : thrown) {
    if (exception) std::rethrow_exception(exception);
  }
}

}  // namespace diffuse
