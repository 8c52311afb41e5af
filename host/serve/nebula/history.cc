#include "host/serve/nebula/history.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <span>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/read_write.h"

namespace nur {
namespace {

struct SlotHeader {
  std::uint64_t number;
  std::uint32_t length;
  std::uint32_t checksum;
};
static_assert(sizeof(SlotHeader) == 16);

constexpr std::size_t kJsonBytesMax = NebulaHistory::kSlotBytes - sizeof(SlotHeader);
constexpr std::size_t kFileBytes = NebulaHistory::kSlots * NebulaHistory::kSlotBytes;

// FNV-1a: against halves of a write, not against anybody.
std::uint32_t checksum_of(std::uint64_t number, std::string_view text) {
  std::uint32_t sum = 2166136261U;
  const auto add = [&](std::string_view bytes) {
    for (const char byte : bytes) sum = (sum ^ static_cast<unsigned char>(byte)) * 16777619U;
  };
  add({reinterpret_cast<const char*>(&number), sizeof number});
  add(text);
  return sum;
}

// Whole characters of UTF-8, and a sign that there were more.
void cut(std::string& text) {
  if (text.size() <= NebulaHistory::kValueBytesMax) return;
  std::size_t end = NebulaHistory::kValueBytesMax;
  const auto is_inside = [&] { return (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80; };
  for (int steps = 0; steps < 3 && is_inside(); ++steps) --end;
  text.resize(end);
  text += "\u2026";
}

// JSON that fits into a slot: a byte takes six there at most.
std::string fitting_json(NebulaResult result) {
  cut(result.input);
  cut(result.result);
  return to_json(result);
}

Result<Fd> open_file(const std::optional<Path>& folder) {
  if (!folder) {
    Fd memory(::memfd_create("nebula-history", MFD_CLOEXEC));
    if (!memory.is_open()) {
      return fail(ErrorKind::exhausted, "{}", system_error_text("making Nebula's history"));
    }
    return memory;
  }
  std::error_code error;
  std::filesystem::create_directories(*folder, error);
  if (error) {
    return fail(ErrorKind::internal, "making {} for Nebula's history: {}", folder->string(),
                error.message());
  }
  const Path path = *folder / NebulaHistory::kFileName;
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.is_open()) {
    return fail(kind_of_errno(errno), "{}", system_error_text("opening " + path.string()));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::size_t>(status.st_size) > kFileBytes) {
    return fail(ErrorKind::invalid_input, "{} is no history of Nebula's calls; move it away",
                path.string());
  }
  return file;
}

}  // namespace

Result<std::shared_ptr<NebulaHistory>> NebulaHistory::open(const std::optional<Path>& folder) {
  Fd file = NUR_TRY(open_file(folder));
  void* const shared = ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("making Nebula's history"));
  }
  std::shared_ptr<NebulaHistory> history(
      new NebulaHistory(std::move(file), new (shared) std::atomic<std::uint64_t>(0)));
  for (const Slot& slot : history->read_slots()) {
    *history->last_ = std::max<std::uint64_t>(*history->last_, slot.number);
  }
  return history;
}

NebulaHistory::~NebulaHistory() { ::munmap(last_, sizeof *last_); }

Result<void> NebulaHistory::add(const NebulaResult& result) {
  const std::string json = fitting_json(result);
  // Names of functions are names of files, and short.
  if (json.size() > kJsonBytesMax) return {};
  SlotHeader header{};
  header.number = last_->fetch_add(1) + 1;
  header.length = static_cast<std::uint32_t>(json.size());
  header.checksum = checksum_of(header.number, json);
  std::string slot(reinterpret_cast<const char*>(&header), sizeof header);
  slot += json;
  const auto at = static_cast<std::int64_t>((header.number - 1) % kSlots * kSlotBytes);
  if (write_some(file_.get(), slot, at) != static_cast<ssize_t>(slot.size())) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("keeping a call for /api/results"));
  }
  return {};
}

std::optional<NebulaHistory::Slot> NebulaHistory::read_slot(std::size_t index) const {
  std::string bytes(kSlotBytes, '\0');
  const ssize_t got = read_some(file_.get(), bytes, static_cast<std::int64_t>(index * kSlotBytes));
  SlotHeader header{};
  if (got < 0 || static_cast<std::size_t>(got) < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::size_t room = static_cast<std::size_t>(got) - sizeof header;
  if (header.number == 0 || (header.number - 1) % kSlots != index || header.length > room) {
    return std::nullopt;
  }
  std::string json = bytes.substr(sizeof header, header.length);
  if (checksum_of(header.number, json) != header.checksum) return std::nullopt;
  return Slot{header.number, std::move(json)};
}

std::vector<NebulaHistory::Slot> NebulaHistory::read_slots() const {
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (std::optional<Slot> slot = read_slot(i)) slots.push_back(*std::move(slot));
  }
  return slots;
}

std::optional<NebulaResult> NebulaHistory::read(std::uint64_t number) const {
  const std::optional<Slot> slot = read_slot((number - 1) % kSlots);
  if (!slot || slot->number != number) return std::nullopt;
  return nebula_result_of(slot->json);
}

std::vector<NebulaResult> NebulaHistory::newest_first() const {
  std::vector<Slot> slots = read_slots();
  std::ranges::sort(slots, std::greater(), &Slot::number);
  std::vector<NebulaResult> results;
  for (const Slot& slot : slots) {
    if (std::optional<NebulaResult> result = nebula_result_of(slot.json)) {
      results.push_back(*std::move(result));
    }
  }
  return results;
}

}  // namespace nur
