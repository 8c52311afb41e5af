#include "host/sandbox/instance_pool.h"

#include <algorithm>
#include <utility>

namespace nur {

Lease::~Lease() {
  if (instance_) pool_->give_back(std::move(instance_));
}

InstancePool::InstancePool(const LoadedModule& module, const SandboxLimits& sandbox,
                           const PoolLimits& limits)
    : module_(module),
      sandbox_(sandbox),
      limits_(limits),
      history_(Instance::history_for(module, sandbox)) {
  if (sandbox_.budget != nullptr) sandbox_.budget->join(*this);
}

InstancePool::~InstancePool() {
  while (!idle_.empty()) drop_idle();
  if (sandbox_.budget != nullptr) sandbox_.budget->leave(*this);
}

Result<Lease> InstancePool::acquire() {
  if (leased_ >= limits_.leased_max) {
    return fail(ErrorKind::exhausted, "all {} instances are in use", limits_.leased_max);
  }
  std::unique_ptr<Instance> instance;
  if (!idle_.empty()) {
    instance = std::move(idle_.back());
    idle_.pop_back();
    idle_least_ = std::min(idle_least_, idle_.size());
  } else {
    instance = NUR_TRY(make());
    idle_least_ = 0;
  }
  quiet_calls_ = 0;
  ++leased_;
  return Lease(*this, std::move(instance));
}

Result<std::unique_ptr<Instance>> InstancePool::make() {
  SlotBudget* const budget = sandbox_.budget;
  if (budget == nullptr) return Instance::create(module_, sandbox_, history_);
  // More cannot be known before it is there.
  const SlotAmounts least = Instance::least_cost(module_, sandbox_);
  if (!budget->take(least)) {
    return fail(ErrorKind::exhausted,
                "the worker's instances have taken all there is for them: {} of {} mappings, {} of "
                "{} MiB of memory, {} of {} GiB of addresses",
                budget->used().mappings, budget->limits().mappings,
                budget->used().memory_bytes >> 20, budget->limits().memory_bytes >> 20,
                budget->used().address_bytes >> 30, budget->limits().address_bytes >> 30);
  }
  Result<std::unique_ptr<Instance>> made = Instance::create(module_, sandbox_, history_);
  while (!made && made.error().kind == ErrorKind::exhausted && budget->drop_one()) {
    made = Instance::create(module_, sandbox_, history_);
  }
  if (!made) {
    budget->give(least);
    return made;
  }
  (*made)->set_charged(least);
  return made;
}

void InstancePool::give_back(std::unique_ptr<Instance> instance) {
  --leased_;
  SlotBudget* const budget = sandbox_.budget;
  // An instance that cannot be made fresh is not used again.
  bool keep = idle_.size() < limits_.idle_max && instance->reset().has_value();
  if (budget != nullptr && keep && instance->cost() != instance->charged()) {
    keep = budget->change(instance->charged(), instance->cost());
    if (keep) instance->set_charged(instance->cost());
  }
  if (keep) {
    idle_.push_back(std::move(instance));
  } else {
    drop(std::move(instance));
  }
  if (budget != nullptr) budget->tell_given();
}

void InstancePool::drop(std::unique_ptr<Instance> instance) {
  const SlotAmounts charged = instance->charged();
  instance.reset();
  if (sandbox_.budget != nullptr) sandbox_.budget->give(charged);
}

void InstancePool::drop_idle() {
  std::unique_ptr<Instance> instance = std::move(idle_.back());
  idle_.pop_back();
  idle_least_ = std::min(idle_least_, idle_.size());
  drop(std::move(instance));
}

void InstancePool::shrink() {
  ++quiet_calls_;
  std::size_t unneeded = (idle_least_ + 1) / 2;
  if (quiet_calls_ < kQuietCalls && unneeded == idle_.size() && unneeded > 0) --unneeded;
  for (; unneeded > 0; --unneeded) drop_idle();
  idle_least_ = idle_.size();
  for (const std::unique_ptr<Instance>& instance : idle_) instance->trim();
}

}  // namespace nur
