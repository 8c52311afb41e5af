// Which pages of a slot can have been written, because nothing else can be written.
//
//   saves                         area                                memory
//     |- pristine area pages 1.. -|- page 0 -|- globals, tables 1.. --|-- initial linear memory --|
//                                  writable        read-only until the first write to a page
//
// The first write to a page faults. The handler (trap_guard.cc) makes the page writable, once and
// for all, and notes it here: reset has to restore these pages and no other. What runs while a
// guest is on the CPU comes here by its fault; host functions ask before they write
// (guest_memory.h).
//
// What linear memory holds at first is known for the whole function; what the area holds points
// into the slot, so a page of it is saved at its first write, into a place that costs nothing until
// then.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/sandbox/page_set.h"

namespace nur {

class WriteBarrier {
 public:
  WriteBarrier() = default;
  // Guards `area_pages` pages at `area`, of which the first is writable already, and `memory_pages`
  // behind them, all read-only. At `saves` there is room for all area pages but the first.
  WriteBarrier(std::byte* area, std::size_t area_pages, std::size_t memory_pages, std::byte* saves);

  [[nodiscard]] bool guards(std::uintptr_t address) const {
    const auto begin = reinterpret_cast<std::uintptr_t>(area_);
    return address >= begin && (address - begin) / kPageBytes < writable_.room();
  }

  // Of a write that faulted: true when it can be repeated now. Runs in a signal handler.
  bool admit_fault(std::uintptr_t address);

  // Makes writable what is about to be written; false when the kernel does not let us. Bytes that
  // are not guarded are nobody's business here. For signal handlers too.
  bool admit(const std::byte* begin, std::size_t bytes);
  bool admit(PageRun pages);
  // Everything; one mapping in the end, where pages one by one would make many.
  bool admit_all_memory() { return admit({area_pages_, writable_.room()}); }

  // What was made writable, counted from the first page of the area, which is always there.
  [[nodiscard]] const PageSet& writable() const { return writable_; }
  [[nodiscard]] std::size_t area_pages() const { return area_pages_; }
  // How often a page was made writable because of a fault.
  [[nodiscard]] std::uint64_t faults() const { return faults_; }
  // Changes with every change of writable().
  [[nodiscard]] std::uint64_t version() const { return version_; }

  // Read-only again: all of linear memory, whose content must be pristine by now.
  // False when the kernel does not let us.
  bool protect_memory();

  // True once the kernel has refused something: what is writable is not known exactly any more, and
  // the slot must not be used again.
  [[nodiscard]] bool broken() const { return broken_; }

  [[nodiscard]] std::byte* address_of(std::size_t page) const { return area_ + page * kPageBytes; }
  // Where page `page` of the area was saved; 1 or more.
  [[nodiscard]] std::byte* save_of(std::size_t page) const {
    return saves_ + (page - 1) * kPageBytes;
  }

 private:
  void save(PageRun pages);

  std::byte* area_ = nullptr;
  std::byte* saves_ = nullptr;
  std::size_t area_pages_ = 0;
  PageSet writable_;
  std::uint64_t faults_ = 0;
  std::uint64_t version_ = 0;
  bool broken_ = false;
  std::size_t fault_end_ = 0;     // behind the pages that the last fault admitted
  std::size_t fault_pages_ = 1;   // how many those were
  std::size_t fault_streak_ = 0;  // faults before it, each right behind the one before
};

}  // namespace nur
