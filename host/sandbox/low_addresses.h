// The bottom of this process's address space, kept empty.
//
// Generated code reaches linear memory through the segment gs. An access that a compiler wrote
// without its segment (gcc 12 has done so for constant addresses above 2 GiB) goes to the same
// number as a plain address: somewhere in the first 8 GiB and 64 KiB, the most that index and
// offset can make. As long as nothing lies there such an access faults, and trap_guard.h takes it
// for what it is, a guest's access out of bounds.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace nur {

class LowAddresses {
 public:
  // Reserves what is free there, so that nothing will ever be put there. Where address space is too
  // scarce for that (RLIMIT_AS) it is enough that nothing lies there now: the kernel puts nothing
  // so low by itself. Errors: internal when something lies there already (a program that is not
  // position-independent).
  static Result<LowAddresses> reserve();
  ~LowAddresses();
  LowAddresses(LowAddresses&& other) noexcept;
  LowAddresses& operator=(LowAddresses&&) = delete;

 private:
  LowAddresses(void* begin, std::size_t bytes) : begin_(begin), bytes_(bytes) {}
  void* begin_;  // null: nothing is reserved
  std::size_t bytes_;
};

}  // namespace nur
