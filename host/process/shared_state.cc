#include "host/process/shared_state.h"

#include <new>
#include <sys/mman.h>
#include <utility>

#include "base/file.h"

namespace nur {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kTableBytes =
    (sizeof(QuarantineTable) + kPageBytes - 1) / kPageBytes * kPageBytes;
constexpr std::size_t kStoreBytes = kPageBytes;
constexpr std::size_t kHeadBytes = kTableBytes + kStoreBytes;
static_assert(sizeof(WorkerPage) <= kPageBytes);
static_assert(2 * sizeof(FaultRecord) <= kStoreBytes);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);  // a lock would be one process's

}  // namespace

Result<SharedState> SharedState::map(std::size_t workers) {
  const std::size_t bytes = kHeadBytes + workers * kPageBytes;
  // Pages of zeros: as a table and as counters they are what they begin with.
  void* const begin =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("mapping memory for counters"));
  }
  SharedState state(begin, bytes);
  new (&state.store_fault()) FaultRecord();
  new (&state.upload_fault()) FaultRecord();
  for (std::size_t i = 0; i < workers; ++i) new (&state.page(i)) WorkerPage();
  return state;
}

SharedState::SharedState(SharedState&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_) {}

SharedState::~SharedState() {
  if (begin_ != nullptr) ::munmap(begin_, bytes_);
}

WorkerPage& SharedState::page(std::size_t worker) const {
  return *reinterpret_cast<WorkerPage*>(static_cast<char*>(begin_) + kHeadBytes +
                                        worker * kPageBytes);
}

QuarantineTable& SharedState::quarantine() const {
  return *reinterpret_cast<QuarantineTable*>(begin_);
}

FaultRecord& SharedState::store_fault() const {
  return *reinterpret_cast<FaultRecord*>(static_cast<char*>(begin_) + kTableBytes);
}

FaultRecord& SharedState::upload_fault() const { return *(&store_fault() + 1); }

}  // namespace nur
