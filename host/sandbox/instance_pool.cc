#include "host/sandbox/instance_pool.h"

#include <utility>

namespace nur {

Lease::~Lease() {
  if (instance_) pool_->give_back(std::move(instance_));
}

Result<Lease> InstancePool::acquire() {
  if (leased_ >= limits_.leased_max) {
    return fail(ErrorKind::exhausted, "all {} instances are in use", limits_.leased_max);
  }
  std::unique_ptr<Instance> instance;
  if (!idle_.empty()) {
    instance = std::move(idle_.back());
    idle_.pop_back();
  } else {
    instance = NUR_TRY(Instance::create(module_, sandbox_, history_));
  }
  ++leased_;
  return Lease(*this, std::move(instance));
}

void InstancePool::give_back(std::unique_ptr<Instance> instance) {
  --leased_;
  // An instance that cannot be made fresh is not used again.
  if (idle_.size() < limits_.idle_max && instance->reset()) idle_.push_back(std::move(instance));
}

}  // namespace nur
