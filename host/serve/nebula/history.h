// The last calls, of all workers together: a file of slots of equal size that is written round and
// round.
//
//   slot (n - 1) % kSlots:   [ number n: 8 bytes | length: 4 | checksum: 4 | JSON of the call ... ]
//
// Whose turn it is, a counter in memory that all processes share says; so nobody waits for anybody,
// and a worker that dies leaves at worst a slot whose checksum is wrong, which readers look over.
// The file is nameless memory unless a folder is given to keep it in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "base/result.h"
#include "host/serve/nebula/result.h"

namespace nur {

class NebulaHistory {
 public:
  static constexpr std::size_t kSlots = 1000;
  static constexpr std::size_t kSlotBytes = 4096;
  // Of an input, and of a result: everybody who asks sees them, so they are kept to know them by.
  static constexpr std::size_t kValueBytesMax = 200;
  // In the folder.
  static constexpr const char* kFileName = "nebula.history";

  // To be called before the processes that share it are forked. Makes `folder` and the file where
  // they are missing. Errors: those of making and opening them; invalid_input for a file of another
  // size.
  static Result<std::shared_ptr<NebulaHistory>> open(const std::optional<Path>& folder);
  ~NebulaHistory();
  NebulaHistory(const NebulaHistory&) = delete;
  NebulaHistory& operator=(const NebulaHistory&) = delete;

  // Input and result are cut to kValueBytesMax each. Errors: exhausted (disk full).
  Result<void> add(const NebulaResult& result);
  // The number of the newest call; 0: there is none.
  [[nodiscard]] std::uint64_t last() const { return last_->load(); }
  // nullopt for one that is not there (any more), or not wholly written.
  [[nodiscard]] std::optional<NebulaResult> read(std::uint64_t number) const;
  // At most kSlots.
  [[nodiscard]] std::vector<NebulaResult> newest_first() const;

  [[nodiscard]] int descriptor() const { return file_.get(); }

 private:
  NebulaHistory(Fd file, std::atomic<std::uint64_t>* last) : file_(std::move(file)), last_(last) {}

  struct Slot {
    std::uint64_t number = 0;
    std::string json;
  };
  [[nodiscard]] std::vector<Slot> read_slots() const;
  [[nodiscard]] std::optional<Slot> read_slot(std::size_t index) const;

  const Fd file_;
  std::atomic<std::uint64_t>* const last_;  // number of the last call; shared
};

}  // namespace nur
