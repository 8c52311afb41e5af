// One test per way to break a rule about the ELF header or the program headers.
// With the real tools where they make such a file, by changing a field of a good one where they do
// not. All are sealed again, so that the rule itself refuses.
#include "base/elf_segments.h"

#include <gtest/gtest.h>

#include "tests/base/refused_by.h"

namespace nur {
namespace {

using namespace test;

constexpr std::uint64_t kTop = std::uint64_t{1} << 63;

TEST(ElfHeaderRule, RefusesAFileTooShortForAHeader) {
  EXPECT_EQ(refused_by(std::string()), "elf_header");
  EXPECT_EQ(refused_by(good_elf().substr(0, sizeof(Elf64_Ehdr) - 1)), "elf_header");
}

TEST(ElfHeaderRule, RefusesEveryOtherKindOfFile) {
  const auto with = [](auto change) {
    ElfPatch patch = good();
    patch.header(change);
    return refused_by(patch);
  };
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ident[EI_MAG0] = 'M'; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ident[EI_VERSION] = 2; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ident[EI_OSABI] = ELFOSABI_FREEBSD; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ident[EI_ABIVERSION] = 1; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ident[EI_PAD] = 1; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_type = ET_EXEC; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_machine = EM_AARCH64; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_version = 0; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_ehsize = 0; }), "elf_header");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_flags = 1; }), "elf_header");
}

TEST(ElfHeaderRule, LooksAtNoSectionHeader) {
  ElfPatch patch = good();
  patch.header([](Elf64_Ehdr& h) {
    h.e_shoff = ~std::uint64_t{0};
    h.e_shnum = 0xffff;
    h.e_shstrndx = 7;
  });
  EXPECT_EQ(refused_by(patch), "");
}

// --- program_headers

TEST(ProgramHeadersRule, RefusesATableOfAnotherShape) {
  const auto with = [](auto change) {
    ElfPatch patch = good();
    patch.header(change);
    return refused_by(patch);
  };
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_phnum = 0; }), "program_headers");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_phnum = 17; }), "program_headers");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_phnum = PN_XNUM; }), "program_headers");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_phentsize = 55; }), "program_headers");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_phoff = 72; }), "program_headers");
  EXPECT_EQ(with([](Elf64_Ehdr& h) { h.e_phoff = ~std::uint64_t{0}; }), "program_headers");
}

TEST(ProgramHeadersRule, RefusesATableThatIsCutOff) {
  EXPECT_EQ(refused_by(good_elf().substr(0, sizeof(Elf64_Ehdr) + 100)), "program_headers");
}

TEST(ProgramHeadersRule, RefusesAnUnknownSegmentType) {
  ElfPatch patch = good();
  patch.segment(PT_GNU_EH_FRAME, 0, [](Elf64_Phdr& s) { s.p_type = PT_SHLIB; });
  EXPECT_EQ(refused_by(patch), "program_headers");
}

TEST(ProgramHeadersRule, RefusesASecondDynamicSegment) {
  ElfPatch patch = good();
  const Elf64_Phdr dynamic = patch.segment(PT_DYNAMIC);
  patch.segment(PT_GNU_RELRO, 0, [&](Elf64_Phdr& s) { s = dynamic; });
  EXPECT_EQ(refused_by(patch), "program_headers");
}

TEST(ProgramHeadersRule, RefusesAFileWithoutADynamicSegment) {
  ElfPatch patch = good();
  patch.segment(PT_DYNAMIC, 0, [](Elf64_Phdr& s) { s.p_type = PT_NOTE; });
  EXPECT_EQ(refused_by(patch), "program_headers");
}

TEST(ProgramHeadersRule, RefusesASecondExecutableSegmentAndNone) {
  ElfPatch second = good();
  second.segment(PT_LOAD, 2, [](Elf64_Phdr& s) { s.p_flags = PF_R | PF_X; });
  EXPECT_EQ(refused_by(second), "program_headers");

  ElfPatch none = good();
  none.segment(PT_LOAD, 1, [](Elf64_Phdr& s) { s.p_flags = PF_R; });
  EXPECT_EQ(refused_by(none), "program_headers");
}

TEST(ProgramHeadersRule, RefusesUnreadableSegments) {
  for (const std::uint32_t flags : {0u, std::uint32_t{PF_X}, std::uint32_t{PF_W}, 0x10000004u}) {
    ElfPatch patch = good();
    patch.segment(PT_LOAD, 2, [&](Elf64_Phdr& s) { s.p_flags = flags; });
    EXPECT_EQ(refused_by(patch), "program_headers") << flags;
  }
}

// --- segments_in_file

struct BadLoad {
  const char* what;
  std::size_t nth;
  void (*change)(Elf64_Phdr&);
};

class SegmentsInFileRule : public testing::TestWithParam<BadLoad> {};

TEST_P(SegmentsInFileRule, RefusesALoadThat) {
  ElfPatch patch = good();
  patch.segment(PT_LOAD, GetParam().nth, GetParam().change);
  EXPECT_EQ(refused_by(patch), "segments_in_file");
}

INSTANTIATE_TEST_SUITE_P(
    ElfRules, SegmentsInFileRule,
    testing::Values(
        BadLoad{"StartsBehindTheFile", 2, [](Elf64_Phdr& s) { s.p_offset += 0x100000; }},
        BadLoad{"EndsBehindTheFile", 3,
                [](Elf64_Phdr& s) { s.p_filesz = s.p_memsz = s.p_filesz + 0x100000; }},
        BadLoad{"WrapsInTheFile", 2, [](Elf64_Phdr& s) { s.p_offset = ~std::uint64_t{0xfff}; }},
        BadLoad{"WrapsInMemory", 3, [](Elf64_Phdr& s) { s.p_memsz = ~std::uint64_t{0}; }},
        BadLoad{"LiesInTheUpperHalf", 3, [](Elf64_Phdr& s) { s.p_vaddr += kTop; }},
        BadLoad{"ReachesAbove4GiB", 3, [](Elf64_Phdr& s) { s.p_memsz = std::uint64_t{4} << 30; }},
        BadLoad{"IsLargerInTheFile", 3, [](Elf64_Phdr& s) { s.p_memsz = s.p_filesz - 1; }},
        BadLoad{"IsEmpty", 2, [](Elf64_Phdr& s) { s.p_filesz = s.p_memsz = 0; }},
        BadLoad{"AddsZerosToConstants", 2, [](Elf64_Phdr& s) { s.p_memsz += 8; }},
        BadLoad{"OverlapsThePagesBefore", 3,
                [](Elf64_Phdr& s) { s.p_vaddr = 0x3000 | (s.p_vaddr & 0xfff); }},
        BadLoad{"ComesBeforeTheOneBefore", 3,
                [](Elf64_Phdr& s) { s.p_vaddr = 0x1000 | (s.p_vaddr & 0xfff); }},
        BadLoad{"IsMisplacedInItsPage", 3, [](Elf64_Phdr& s) { s.p_vaddr += 8; }},
        BadLoad{"HasNoAlignment", 2, [](Elf64_Phdr& s) { s.p_align = 0; }},
        BadLoad{"HasAnOddAlignment", 2, [](Elf64_Phdr& s) { s.p_align = 0x1800; }},
        BadLoad{"IsAlignedBelowAPage", 2, [](Elf64_Phdr& s) { s.p_align = 8; }},
        BadLoad{"IsAlignedAboveAllPages", 0, [](Elf64_Phdr& s) { s.p_align = 1 << 22; }},
        BadLoad{"LeavesOutTheHeaders", 0, [](Elf64_Phdr& s) { s.p_filesz = s.p_memsz = 500; }},
        BadLoad{"MakesTheHeadersWritable", 0, [](Elf64_Phdr& s) { s.p_flags = PF_R | PF_W; }},
        BadLoad{"StartsBehindTheHeaders", 0, [](Elf64_Phdr& s) { s.p_offset = 0x1000; }}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(SegmentsInFileRule, RefusesATruncatedFile) {
  const Elf64_Phdr data = good().segment(PT_LOAD, 3);
  EXPECT_EQ(refused_by(good_elf().substr(0, data.p_offset + data.p_filesz - 1)),
            "segments_in_file");
}

TEST(SegmentsInFileRule, RefusesADynamicSegmentOutsideWritableData) {
  const auto with = [](auto change) {
    ElfPatch patch = good();
    patch.segment(PT_DYNAMIC, 0, change);
    return refused_by(patch);
  };
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_vaddr = kTop; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_offset += 16; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_memsz = ~std::uint64_t{0}; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_filesz = 0; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_flags = PF_R; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_offset = s.p_vaddr = 0x40; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) {
              s.p_offset -= 4;
              s.p_vaddr -= 4;
            }),
            "segments_in_file");
}

TEST(SegmentsInFileRule, RefusesNotesOutsideConstantData) {
  const auto with = [](auto change) {
    ElfPatch patch = good();
    patch.segment(PT_NOTE, 0, change);
    return refused_by(patch);
  };
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_memsz = s.p_filesz = 0x10000; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_vaddr += 4; }), "segments_in_file");
  const Elf64_Phdr data = good().segment(PT_LOAD, 3);
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_vaddr = s.p_offset = 0x800000; }), "segments_in_file");
  ElfPatch writable = good();
  writable.segment(PT_NOTE, 0, [&](Elf64_Phdr& s) {
    s.p_offset = data.p_offset;
    s.p_vaddr = data.p_vaddr;
    s.p_filesz = s.p_memsz = 16;
  });
  EXPECT_EQ(refused_by(writable), "segments_in_file");
}

TEST(SegmentsInFileRule, RefusesRelroOutsideWritableData) {
  const auto with = [](auto change) {
    ElfPatch patch = good();
    patch.segment(PT_GNU_RELRO, 0, change);
    return refused_by(patch);
  };
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_vaddr = 0x1000; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_memsz += 0x1000; }), "segments_in_file");
  EXPECT_EQ(with([](Elf64_Phdr& s) { s.p_memsz = ~std::uint64_t{0}; }), "segments_in_file");
}

// --- writable_code, executable_stack, interpreter, thread_local_data

TEST(WritableCodeRule, RefusesTextLinkedWritable) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,--omagic"})), "writable_code");
}

TEST(WritableCodeRule, RefusesExecutableData) {
  ElfPatch patch = good();
  patch.segment(PT_LOAD, 3, [](Elf64_Phdr& s) { s.p_flags = PF_R | PF_W | PF_X; });
  EXPECT_EQ(refused_by(patch), "writable_code");
}

TEST(ExecutableStackRule, RefusesAnExecutableStack) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,-z,execstack"})), "executable_stack");
}

TEST(ExecutableStackRule, RefusesAFileThatDoesNotSay) {
  ElfPatch patch = good();
  patch.segment(PT_GNU_STACK, 0, [](Elf64_Phdr& s) { s.p_type = PT_NULL; });
  EXPECT_EQ(refused_by(patch), "executable_stack");
}

TEST(InterpreterRule, RefusesAFileThatNamesItsLoader) {
  ArtefactRecipe program = linked_with({"-Wl,--dynamic-linker=/loader,-E,-e,nur_module"});
  program.shared = false;
  EXPECT_EQ(refused_by(program), "interpreter");
}

TEST(ThreadLocalDataRule, RefusesAThreadLocalVariable) {
  ArtefactRecipe recipe;
  recipe.more_source = R"(
    __attribute__((tls_model("initial-exec"))) static __thread int counter = 1;
    __attribute__((used, retain)) static int next(void) { return counter++; }
  )";
  EXPECT_EQ(refused_by(recipe), "thread_local_data");
}

TEST(ThreadLocalDataRule, RefusesAThreadLocalSymbol) {
  ElfPatch patch = good();
  patch.symbol(1, [](Elf64_Sym& s) { s.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_TLS); });
  EXPECT_EQ(refused_by(patch), "thread_local_data");
}

}  // namespace
}  // namespace nur
