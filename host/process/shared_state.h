// The memory that master and workers have in common: a page for each worker, the quarantines, and
// what brought the key-value store or the process of uploads down.
// Made before the first worker is forked.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "host/serve/quarantine_table.h"
#include "host/serve/worker_page.h"

namespace nur {

class SharedState {
 public:
  // Errors: exhausted.
  static Result<SharedState> map(std::size_t workers);
  ~SharedState();
  SharedState(SharedState&& other) noexcept;
  SharedState& operator=(SharedState&&) = delete;

  [[nodiscard]] WorkerPage& page(std::size_t worker) const;
  [[nodiscard]] QuarantineTable& quarantine() const;
  [[nodiscard]] FaultRecord& store_fault() const;
  [[nodiscard]] FaultRecord& upload_fault() const;

 private:
  SharedState(void* begin, std::size_t bytes) : begin_(begin), bytes_(bytes) {}
  void* begin_;
  std::size_t bytes_;
};

}  // namespace nur
