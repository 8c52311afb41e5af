// What the verifier does with files that nobody wrote: it refuses or accepts, and stays inside the
// bytes it was given; what it accepts, the dynamic loader loads.
#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/artefact_file.h"
#include "base/check.h"
#include "base/elf_rules.h"
#include "base/file.h"
#include "tests/support/craft_artefact.h"
#include "tests/support/elf_patch.h"

namespace nur {
namespace {

using test::ElfPatch;
using test::good_artefact;
using test::good_elf;
using Random = std::mt19937_64;

constexpr std::uint64_t kSeed = 20260131;

std::size_t below(Random& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

// Bytes that end where the next page allows no access, so that reading one too many is a crash, in
// libraries that no sanitizer sees as well.
class FencedBytes {
 public:
  explicit FencedBytes(std::size_t capacity)
      : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        usable_((capacity + page_ - 1) / page_ * page_) {
    void* const memory = ::mmap(nullptr, usable_ + page_, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NUR_CHECK(memory != MAP_FAILED);
    base_ = static_cast<char*>(memory);
    NUR_CHECK(::mprotect(base_ + usable_, page_, PROT_NONE) == 0);
  }
  ~FencedBytes() { ::munmap(base_, usable_ + page_); }
  FencedBytes(const FencedBytes&) = delete;
  FencedBytes& operator=(const FencedBytes&) = delete;

  std::string_view put(std::string_view bytes) {
    NUR_CHECK(bytes.size() <= usable_);
    char* const begin = base_ + usable_ - bytes.size();
    std::memcpy(begin, bytes.data(), bytes.size());
    return {begin, bytes.size()};
  }

 private:
  std::size_t page_;
  std::size_t usable_;
  char* base_ = nullptr;
};

// The bytes that headers, tables and the dynamic segment are made of; the rest is code and data.
class InterestingPlaces {
 public:
  InterestingPlaces() {
    const ElfPatch good(good_elf());
    const Elf64_Phdr first = good.segment(PT_LOAD, 0);
    const Elf64_Phdr dynamic = good.segment(PT_DYNAMIC);
    const Elf64_Phdr notes = good.segment(PT_NOTE);
    add(0, notes.p_offset + 80);
    add(good.table(DT_HASH), first.p_filesz);
    add(dynamic.p_offset, dynamic.p_offset + dynamic.p_filesz);
  }
  std::size_t pick(Random& random) const { return places_[below(random, places_.size())]; }

 private:
  void add(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) places_.push_back(at);
  }
  std::vector<std::size_t> places_;
};

// One to four bytes or words changed, most of them where it hurts; one file in eight is cut.
std::string mutant(Random& random, const InterestingPlaces& places) {
  std::string elf = good_elf();
  const std::size_t changes = 1 + below(random, 4);
  for (std::size_t i = 0; i < changes; ++i) {
    const std::size_t at = below(random, 8) == 0 ? below(random, elf.size()) : places.pick(random);
    switch (below(random, 4)) {
      case 0:
        elf[at] = static_cast<char>(elf[at] ^ (1 << below(random, 8)));
        break;
      case 1:
        elf[at] = static_cast<char>(below(random, 256));
        break;
      case 2: {
        constexpr std::uint64_t kEdges[] = {0,
                                            1,
                                            8,
                                            0xfff,
                                            0x1000,
                                            0x4000,
                                            0x7fffffff,
                                            0xffffffff,
                                            0x100000000,
                                            0x7fffffffffffffff,
                                            0xfffffffffffff000,
                                            0xffffffffffffffff};
        const std::uint64_t value = kEdges[below(random, std::size(kEdges))];
        const std::size_t word = std::min(at & ~std::size_t{7}, elf.size() - sizeof value);
        std::memcpy(elf.data() + word, &value, sizeof value);
        break;
      }
      default: {
        // A neighbour's word: values that are plausible somewhere.
        const std::size_t from = places.pick(random) & ~std::size_t{7};
        const std::size_t to = std::min(at & ~std::size_t{7}, elf.size() - 8);
        std::memmove(elf.data() + to, elf.data() + from, 8);
      }
    }
  }
  if (below(random, 8) == 0) elf.resize(below(random, elf.size()));
  return elf;
}

TEST(Seal, RefusesAThousandSingleByteChanges) {
  Random random(kSeed);
  FencedBytes fence(good_artefact().size());
  for (int i = 0; i < 1000; ++i) {
    std::string file = good_artefact();
    const std::size_t at = below(random, file.size());
    file[at] = static_cast<char>(file[at] ^ (1 + below(random, 255)));
    const auto verified = verify_elf(fence.put(file), CpuLevel::v4);
    ASSERT_FALSE(verified) << "byte " << at;
    ASSERT_EQ(to_string(verified.error().rule), "digest") << "byte " << at;
  }
}

TEST(Verifier, StaysInsideTwentyThousandMutants) {
  Random random(kSeed);
  const InterestingPlaces places;
  FencedBytes fence(good_artefact().size());
  std::size_t accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string file = seal(mutant(random, places));
    if (verify_elf(fence.put(file), CpuLevel::v4)) ++accepted;
    find_section(fence.put(file), kFunctionsSection);
  }
  // Some changes do no harm and most do; with none of either the mutants test nothing.
  EXPECT_GT(accepted, 100u);
  EXPECT_LT(accepted, 10000u);
}

TEST(Verifier, AcceptsOnlyMutantsThatLoad) {
  Random random(kSeed + 1);
  const InterestingPlaces places;
  std::size_t loaded = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string file = seal(mutant(random, places));
    if (!verify_elf(file, CpuLevel::v4)) continue;
    const Result<Fd> memory = sealed_memfd("mutant", file);
    ASSERT_TRUE(memory);
    // The loader follows what the verifier followed; a crash here is what this test looks for.
    void* const object =
        ::dlopen(fmt::format("/proc/self/fd/{}", memory->get()).c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(object, nullptr) << ::dlerror();
    EXPECT_NE(::dlsym(object, "nur_module"), nullptr) << ::dlerror();
    ::dlclose(object);
    ++loaded;
  }
  EXPECT_GT(loaded, 100u);
}

}  // namespace
}  // namespace nur
