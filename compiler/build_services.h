// What the builds of several modules share. Left empty, a module is built by one child at a time,
// nothing is kept, and nobody is told.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "compiler/job_slots.h"

namespace nur {

class ObjectCache;

// Told how far builds are. Called from any thread.
class BuildObserver {
 public:
  virtual ~BuildObserver() = default;
  // A module has so many units more to compile.
  virtual void units_found(std::size_t count) = 0;
  virtual void unit_done(bool from_cache) = 0;
};

struct BuildServices {
  JobSlots* slots = nullptr;
  const ObjectCache* cache = nullptr;
  std::string compiler_identity;  // for the cache's keys (unit_key.h)
  BuildObserver* observer = nullptr;

  // Empty when there are no slots to wait for.
  [[nodiscard]] std::optional<JobSlots::Slot> take_slot() const {
    if (slots == nullptr) return std::nullopt;
    return slots->take();
  }
};

}  // namespace nur
