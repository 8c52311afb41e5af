// The instances of one function: fresh ones wait here, leased ones come back and are made fresh.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/result.h"
#include "host/sandbox/instance.h"

namespace nur {

class InstancePool;

// The right to use an instance for one request. Given back by the destructor; what was left in the
// instance is gone before anyone else can lease it.
class Lease {
 public:
  Lease(InstancePool& pool, std::unique_ptr<Instance> instance)
      : pool_(&pool), instance_(std::move(instance)) {}
  ~Lease();
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) = delete;

  [[nodiscard]] Instance& instance() const { return *instance_; }

 private:
  InstancePool* pool_;
  std::unique_ptr<Instance> instance_;
};

struct PoolLimits {
  // Requests of one function under way at once in one worker; each holds a slot of 8 GiB of the
  // 128 TiB of addresses, so 1,000 leave room for a dozen such functions.
  std::size_t leased_max = 1000;
  // Fresh instances kept for the next burst, each with its memory resident.
  std::size_t idle_max = 64;
};

class InstancePool {
 public:
  // `module` outlives the pool, the pool its leases.
  InstancePool(const LoadedModule& module, const SandboxLimits& sandbox, const PoolLimits& limits)
      : module_(module),
        sandbox_(sandbox),
        limits_(limits),
        history_(Instance::history_for(module, sandbox)) {}

  // Never waits. Errors: exhausted when all are leased or the machine has no more; limit_exceeded
  // when the module can never run under these limits.
  Result<Lease> acquire();

  [[nodiscard]] std::size_t leased() const { return leased_; }
  [[nodiscard]] std::size_t idle() const { return idle_.size(); }

 private:
  friend class Lease;
  void give_back(std::unique_ptr<Instance> instance);

  const LoadedModule& module_;
  const SandboxLimits sandbox_;
  const PoolLimits limits_;
  ResetHistory history_;
  std::vector<std::unique_ptr<Instance>> idle_;
  std::size_t leased_ = 0;
};

}  // namespace nur
