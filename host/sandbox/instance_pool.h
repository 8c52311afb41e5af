// The instances of one function: fresh ones wait here, leased ones come back and are made fresh.
//
// A pool grows with use and gives up what it has not needed for a while (shrink()). What all pools
// of a worker may hold is the budget's to say.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/result.h"
#include "host/sandbox/instance.h"
#include "host/sandbox/slot_budget.h"

namespace nur {

class InstancePool;

// The right to use an instance for one request. Given back by the destructor; what was left in the
// instance is gone before anyone else can lease it.
class Lease {
 public:
  ~Lease();
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) = delete;

  [[nodiscard]] Instance& instance() const { return *instance_; }

 private:
  friend class InstancePool;
  Lease(InstancePool& pool, std::unique_ptr<Instance> instance)
      : pool_(&pool), instance_(std::move(instance)) {}

  InstancePool* pool_;
  std::unique_ptr<Instance> instance_;
};

struct PoolLimits {
  // Requests of one function under way at once in one worker; each holds a slot of 8 GiB of the
  // 128 TiB of addresses, so 1,000 leave room for a dozen such functions.
  std::size_t leased_max = 1000;
  // Fresh instances kept for the next burst: as many as the last one had, for a while.
  std::size_t idle_max = 1000;
};

class InstancePool final : public IdleHolder {
 public:
  // `module` outlives the pool, the pool its leases; so does the budget in `sandbox`, if any.
  InstancePool(const LoadedModule& module, const SandboxLimits& sandbox, const PoolLimits& limits);
  ~InstancePool() override;
  InstancePool(const InstancePool&) = delete;
  InstancePool& operator=(const InstancePool&) = delete;

  // Never waits. Errors: exhausted when all are leased, or the budget or the machine has no more;
  // limit_exceeded when the module can never run under these limits.
  Result<Lease> acquire();

  [[nodiscard]] std::size_t leased() const { return leased_; }
  [[nodiscard]] std::size_t leased_max() const { return limits_.leased_max; }
  [[nodiscard]] std::size_t idle() const override { return idle_.size(); }
  void drop_idle() override;
  // Gives up half of the instances that have been idle since the last call; the last one only after
  // kQuietCalls without any use. Those that stay give back what deep requests left of their stacks.
  void shrink() override;

  static constexpr int kQuietCalls = 60;

 private:
  friend class Lease;
  Result<std::unique_ptr<Instance>> make();
  void give_back(std::unique_ptr<Instance> instance);
  // Destroys it, and gives back what it was charged for.
  void drop(std::unique_ptr<Instance> instance);

  const LoadedModule& module_;
  const SandboxLimits sandbox_;
  const PoolLimits limits_;
  ResetHistory history_;
  std::vector<std::unique_ptr<Instance>> idle_;
  std::size_t leased_ = 0;
  std::size_t idle_least_ = 0;  // since the last shrink()
  int quiet_calls_ = 0;         // of shrink(), since the last use
};

}  // namespace nur
