// The verifier of artefacts, and what is read of one that passes: sections, names, counters. The
// seal is put on here, or no changed byte would get past it.
#include "base/artefact_file.h"
#include "base/check.h"
#include "base/elf_rules.h"
#include "base/function_table.h"
#include "base/profile.h"
#include "tests/fuzz/host/target.h"

namespace nur::fuzz {
namespace {

// As a backtrace does it.
void look_up(const FunctionTable& table, std::uint64_t address) {
  const auto entry = table.find(address);
  if (!entry) return;
  NUR_CHECK(address >= entry->address && address - entry->address < entry->bytes);
  std::uint64_t rows_left = 1000;
  (void)table.rule_at(*entry, address, rows_left);
}

}  // namespace
}  // namespace nur::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nur;
  const std::string_view elf = fuzz::as_text(data, size);
  const auto verified = verify_elf(seal(std::string(elf)), CpuLevel::v2);
  if (!verified) {
    NUR_CHECK(verified.error().rule != ElfRule::digest);
    NUR_CHECK(!to_string(verified.error().rule).empty());
    return 0;
  }
  NUR_CHECK(verified->text_begin < verified->text_end);
  NUR_CHECK(verified->text_end <= verified->load_end);
  if (const auto table = FunctionTable::read(find_section(elf, kFunctionsSection))) {
    for (std::uint64_t at = verified->text_begin; at < verified->text_end; at += 61) {
      fuzz::look_up(*table, at);
    }
  }
  (void)counter_region(find_section(elf, kProfileSection));
  return 0;
}
