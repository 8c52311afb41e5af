#include "compiler/progress_bar.h"

#include <cstdint>
#include <cstdio>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

namespace nur {
namespace {

constexpr Milliseconds kMoment{1000};

// Of the largest child that has ended, and of their children.
std::uint64_t peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
}

}  // namespace

ProgressBar::ProgressBar() : shown_(::isatty(STDERR_FILENO) == 1), begun_(clock_.now()) {
  if (!shown_) return;
  ticker_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      changed_.wait_for(lock, kMoment);
      if (!ended_) draw();
    }
  });
}

ProgressBar::~ProgressBar() {
  if (!shown_) return;
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    erase();
  }
  changed_.notify_one();
  ticker_.join();
}

void ProgressBar::units_found(std::size_t count) {
  const std::scoped_lock lock(mutex_);
  found_ += count;
}

void ProgressBar::unit_done(bool from_cache) {
  const std::scoped_lock lock(mutex_);
  ++done_;
  if (from_cache) ++from_cache_;
  draw();
}

void ProgressBar::make_room() {
  const std::scoped_lock lock(mutex_);
  erase();
}

std::size_t ProgressBar::units() const {
  const std::scoped_lock lock(mutex_);
  return done_;
}

std::size_t ProgressBar::units_from_cache() const {
  const std::scoped_lock lock(mutex_);
  return from_cache_;
}

void ProgressBar::draw() {
  const auto past = std::chrono::duration_cast<Milliseconds>(clock_.now() - begun_);
  if (!shown_ || ended_ || found_ == 0 || past < kMoment) return;
  fmt::print(stderr, "\r\x1b[Knurc: {} of {} units, {} s, {} MiB at most", done_, found_,
             past.count() / 1000, peak_memory_bytes() >> 20);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::erase() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace nur
