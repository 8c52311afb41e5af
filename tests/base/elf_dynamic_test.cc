// One test per way to break a rule about what the dynamic segment says.
// With the real tools where they make such a file, by changing a field of a good one where they do
// not. All are sealed again, so that the rule itself refuses.
#include "base/elf_dynamic.h"

#include <gtest/gtest.h>

#include "tests/base/refused_by.h"

namespace nur {
namespace {

using namespace test;

constexpr std::uint64_t kTop = std::uint64_t{1} << 63;

// --- needed, constructors, text_relocations, dynamic_tag

TEST(NeededRule, RefusesAFileLinkedWithTheCLibrary) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,--no-as-needed", "-lc"})), "needed");
}

TEST(ConstructorsRule, RefusesAConstructor) {
  ArtefactRecipe recipe;
  recipe.more_source = "int ran; __attribute__((constructor)) static void first(void) { ran = 1; }";
  EXPECT_EQ(refused_by(recipe), "constructors");
}

TEST(ConstructorsRule, RefusesADestructor) {
  ArtefactRecipe recipe;
  recipe.more_source = "int ran; __attribute__((destructor)) static void last(void) { ran = 1; }";
  EXPECT_EQ(refused_by(recipe), "constructors");
}

TEST(ConstructorsRule, RefusesInitAndFiniFunctions) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,-init,nur_module"})), "constructors");
  EXPECT_EQ(refused_by(linked_with({"-Wl,-fini,nur_module"})), "constructors");
}

TEST(ConstructorsRule, RefusesEveryTagOfTheirs) {
  for (const std::int64_t tag : {DT_INIT, DT_FINI, DT_INIT_ARRAY, DT_FINI_ARRAY, DT_PREINIT_ARRAY,
                                 DT_INIT_ARRAYSZ, DT_FINI_ARRAYSZ, DT_PREINIT_ARRAYSZ}) {
    ElfPatch patch = good();
    patch.dynamic(DT_SYMBOLIC, [&](Elf64_Dyn& d) { d.d_tag = tag; });
    EXPECT_EQ(refused_by(patch), "constructors") << tag;
  }
}

TEST(TextRelocationsRule, RefusesAnAddressInsideCode) {
  ArtefactRecipe recipe;
  recipe.assembly = R"(
    .section .text.here,"axR",@progbits
    here: .quad here
  )";
  recipe.link_flags = {"-Wl,-z,notext"};
  EXPECT_EQ(refused_by(recipe), "text_relocations");
}

TEST(TextRelocationsRule, RefusesTheFlagAlone) {
  ElfPatch patch = good();
  patch.dynamic(DT_FLAGS, [](Elf64_Dyn& d) { d.d_un.d_val |= DF_TEXTREL; });
  EXPECT_EQ(refused_by(patch), "text_relocations");
}

TEST(DynamicTagRule, RefusesASearchPath) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,-rpath,/tmp"})), "dynamic_tag");
  EXPECT_EQ(refused_by(linked_with({"-Wl,--disable-new-dtags,-rpath,/tmp"})), "dynamic_tag");
}

TEST(DynamicTagRule, RefusesAuditorsAndFilters) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,--audit=spy.so"})), "dynamic_tag");
  EXPECT_EQ(refused_by(linked_with({"-Wl,--depaudit=spy.so"})), "dynamic_tag");
  EXPECT_EQ(refused_by(linked_with({"-Wl,--filter=other.so"})), "dynamic_tag");
  EXPECT_EQ(refused_by(linked_with({"-Wl,--auxiliary=other.so"})), "dynamic_tag");
}

TEST(DynamicTagRule, RefusesAName) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,-soname,libc.so.6"})), "dynamic_tag");
}

TEST(DynamicTagRule, RefusesTheOtherHashTable) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,--hash-style=both"})), "dynamic_tag");
}

TEST(DynamicTagRule, RefusesVersionTables) {
  ElfPatch patch = good();
  patch.dynamic(DT_SYMBOLIC, [](Elf64_Dyn& d) { d.d_tag = DT_VERSYM; });
  EXPECT_EQ(refused_by(patch), "dynamic_tag");
}

TEST(DynamicTagRule, RefusesFlagsThatChangeHowItIsLoaded) {
  EXPECT_EQ(refused_by(linked_with({"-Wl,-z,nodelete"})), "dynamic_tag");
  EXPECT_EQ(refused_by(linked_with({"-Wl,-z,global"})), "dynamic_tag");
  EXPECT_EQ(refused_by(linked_with({"-Wl,-z,initfirst"})), "dynamic_tag");
  ElfPatch patch = good();
  patch.dynamic(DT_FLAGS, [](Elf64_Dyn& d) { d.d_un.d_val |= DF_STATIC_TLS; });
  EXPECT_EQ(refused_by(patch), "dynamic_tag");
}

TEST(DynamicTagRule, RefusesATagThatIsThereTwice) {
  ElfPatch patch = good();
  patch.dynamic(DT_SYMBOLIC, [](Elf64_Dyn& d) { d.d_tag = DT_STRTAB; });
  EXPECT_EQ(refused_by(patch), "dynamic_tag");
}

TEST(DynamicTagRule, RefusesTagsWithoutEnd) {
  ElfPatch patch = good();
  const std::uint64_t at = patch.segment(PT_DYNAMIC).p_offset;
  const std::uint64_t room = patch.bytes().size() - at;
  std::string elf = patch.bytes();
  // The last segment's data grows over the rest of the file, all of it tags of ever new numbers.
  elf.resize(at + std::max<std::uint64_t>(room, 0x1000));
  ElfPatch grown(elf);
  const auto grow = [&](Elf64_Phdr& s) { s.p_filesz = s.p_memsz = at + 0x1000 - s.p_offset; };
  grown.segment(PT_LOAD, 3, grow);
  grown.segment(PT_DYNAMIC, 0, grow);
  for (std::uint64_t i = 0; i < 0x1000 / sizeof(Elf64_Dyn); ++i) {
    grown.write(
        at + i * sizeof(Elf64_Dyn),
        Elf64_Dyn{.d_tag = static_cast<Elf64_Sxword>(0x60000000 + i), .d_un = {.d_val = 0}});
  }
  EXPECT_EQ(refused_by(grown), "dynamic_tag");
}

// --- dynamic_tables

TEST(DynamicTablesRule, RefusesADynamicSegmentWithoutEnd) {
  ElfPatch patch = good();
  // ld leaves room behind the first DT_NULL, which is all DT_NULL.
  std::uint64_t used = 0;
  const Elf64_Phdr dynamic = patch.segment(PT_DYNAMIC);
  while (patch.read<Elf64_Dyn>(dynamic.p_offset + used).d_tag != DT_NULL) {
    used += sizeof(Elf64_Dyn);
  }
  patch.segment(PT_DYNAMIC, 0, [&](Elf64_Phdr& s) { s.p_filesz = s.p_memsz = used; });
  EXPECT_EQ(refused_by(patch), "dynamic_tables");
}

TEST(DynamicTablesRule, RefusesAFileWithTheOtherHashTableAlone) {
  const ArtefactRecipe recipe = linked_with({"-Wl,--hash-style=gnu"});
  EXPECT_EQ(refused_by(recipe), "dynamic_tables");
  EXPECT_NE(detail_of(recipe).find("--hash-style=sysv"), std::string::npos);
}

TEST(DynamicTablesRule, RefusesTablesThatAreMissing) {
  for (const std::int64_t tag :
       {DT_HASH, DT_SYMTAB, DT_STRTAB, DT_STRSZ, DT_SYMENT, DT_RELA, DT_RELASZ, DT_RELAENT}) {
    ElfPatch patch = good();
    patch.dynamic(DT_SYMBOLIC, [](Elf64_Dyn& d) { d.d_tag = 0x12345; });
    patch.dynamic(tag, [](Elf64_Dyn& d) { d.d_tag = DT_SYMBOLIC; });
    EXPECT_EQ(refused_by(patch), "dynamic_tables") << tag;
  }
}

TEST(DynamicTablesRule, RefusesTablesOutsideConstantData) {
  const Elf64_Phdr data = good().segment(PT_LOAD, 3);
  const std::uint64_t outside[] = {0x800000, kTop, ~std::uint64_t{0} - 15, data.p_vaddr,
                                   good().segment(PT_LOAD, 0).p_memsz - 4};
  for (const std::int64_t tag : {DT_HASH, DT_SYMTAB, DT_STRTAB, DT_RELA}) {
    for (const std::uint64_t address : outside) {
      ElfPatch patch = good();
      patch.dynamic(tag, [&](Elf64_Dyn& d) { d.d_un.d_ptr = address; });
      EXPECT_EQ(refused_by(patch), "dynamic_tables") << tag << " " << address;
    }
  }
}

TEST(DynamicTablesRule, RefusesTablesThatAreNotAligned) {
  for (const std::int64_t tag : {DT_HASH, DT_SYMTAB, DT_RELA}) {
    ElfPatch patch = good();
    // Shifted bytes would also break what the table says; a copy of it, shifted, does not.
    const std::uint64_t table = patch.table(tag);
    const std::string copy = patch.bytes().substr(table, 0x100);
    const Elf64_Phdr constants = patch.segment(PT_LOAD, 2);
    std::string elf = patch.bytes();
    elf.replace(constants.p_offset + 1, copy.size(), copy);
    ElfPatch moved(elf);
    moved.dynamic(tag, [&](Elf64_Dyn& d) { d.d_un.d_ptr = constants.p_vaddr + 1; });
    EXPECT_EQ(refused_by(moved), "dynamic_tables") << tag;
  }
}

TEST(DynamicTablesRule, RefusesSizesThatReachTooFar) {
  for (const std::int64_t tag : {DT_STRSZ, DT_RELASZ}) {
    for (const std::uint64_t bytes : {std::uint64_t{0x100000 / 24 * 24}, ~std::uint64_t{0},
                                      ~std::uint64_t{0} - ~std::uint64_t{0} % 24}) {
      ElfPatch patch = good();
      patch.dynamic(tag, [&](Elf64_Dyn& d) { d.d_un.d_val = bytes; });
      EXPECT_EQ(refused_by(patch), "dynamic_tables") << tag << " " << bytes;
    }
  }
}

TEST(DynamicTablesRule, RefusesRecordsOfAnotherSize) {
  for (const std::int64_t tag : {DT_SYMENT, DT_RELAENT, DT_RELASZ}) {
    ElfPatch patch = good();
    patch.dynamic(tag, [](Elf64_Dyn& d) { d.d_un.d_val -= 1; });
    EXPECT_EQ(refused_by(patch), "dynamic_tables") << tag;
  }
}

TEST(DynamicTablesRule, RefusesMoreRelativeRelocationsThanThereAre) {
  ElfPatch patch = good();
  patch.dynamic(DT_RELACOUNT, [](Elf64_Dyn& d) { d.d_un.d_val += 1; });
  EXPECT_EQ(refused_by(patch), "dynamic_tables");
}

TEST(DynamicTablesRule, RefusesNamesWithoutEnd) {
  ElfPatch patch = good();
  const auto bytes = static_cast<std::size_t>(std::string_view("nur_module").size());
  patch.write(patch.table(DT_STRTAB) + 1 + bytes, 'x');
  EXPECT_EQ(refused_by(patch), "dynamic_tables");

  ElfPatch empty = good();
  empty.dynamic(DT_STRSZ, [](Elf64_Dyn& d) { d.d_un.d_val = 0; });
  EXPECT_EQ(refused_by(empty), "dynamic_tables");
}

TEST(DynamicTablesRule, RefusesANameOutsideTheNames) {
  for (const std::uint32_t name : {12u, 0xffffffffu}) {
    ElfPatch patch = good();
    patch.symbol(1, [&](Elf64_Sym& s) { s.st_name = name; });
    EXPECT_EQ(refused_by(patch), "dynamic_tables") << name;
  }
}

// DT_HASH of the good file: nbucket, nchain = 2, the buckets, the chains.
TEST(DynamicTablesRule, RefusesHashTablesThatLeadAstray) {
  const auto with = [](std::size_t word, std::uint32_t value) {
    ElfPatch patch = good();
    patch.write(patch.table(DT_HASH) + word * 4, value);
    return refused_by(patch);
  };
  const std::size_t buckets = good().read<std::uint32_t>(good().table(DT_HASH));
  EXPECT_EQ(with(0, 0), "dynamic_tables") << "no buckets";
  EXPECT_EQ(with(0, 0xffffffff), "dynamic_tables") << "buckets behind the segment";
  EXPECT_EQ(with(1, 0), "dynamic_tables") << "no symbols";
  EXPECT_EQ(with(1, 0xffffffff), "dynamic_tables") << "chains behind the segment";
  EXPECT_EQ(with(2, 2), "dynamic_tables") << "a bucket past the last symbol";
  EXPECT_EQ(with(2, 0xffffffff), "dynamic_tables") << "a bucket far away";
  EXPECT_EQ(with(2 + buckets + 1, 1), "dynamic_tables") << "a chain in a circle";
  EXPECT_EQ(with(2 + buckets + 1, 77), "dynamic_tables") << "a chain past the last symbol";
  for (std::size_t i = 0; i < buckets; ++i) {
    if (good().read<std::uint32_t>(good().table(DT_HASH) + (2 + i) * 4) == 0) continue;
    EXPECT_EQ(with(2 + i, 0), "dynamic_tables") << "no way to nur_module";
  }
}

// --- relocation

struct BadRelocation {
  const char* what;
  void (*change)(Elf64_Rela&, const ElfPatch&);
};

class RelocationRule : public testing::TestWithParam<BadRelocation> {};

TEST_P(RelocationRule, RefusesOneThat) {
  ElfPatch patch = good();
  patch.relocation(1, [&](Elf64_Rela& r) { GetParam().change(r, patch); });
  EXPECT_EQ(refused_by(patch), "relocation");
}

INSTANTIATE_TEST_SUITE_P(
    ElfRules, RelocationRule,
    testing::Values(
        BadRelocation{"CallsAResolver",
                      [](Elf64_Rela& r, const ElfPatch&) { r.r_info = R_X86_64_IRELATIVE; }},
        BadRelocation{
            "CopiesASymbol",
            [](Elf64_Rela& r, const ElfPatch&) { r.r_info = ELF64_R_INFO(1, R_X86_64_COPY); }},
        BadRelocation{
            "LooksUpASymbol",
            [](Elf64_Rela& r, const ElfPatch&) { r.r_info = ELF64_R_INFO(1, R_X86_64_64); }},
        BadRelocation{
            "IsRelativeToASymbol",
            [](Elf64_Rela& r, const ElfPatch&) { r.r_info = ELF64_R_INFO(1, R_X86_64_RELATIVE); }},
        BadRelocation{"WritesToCode", [](Elf64_Rela& r, const ElfPatch&) { r.r_offset = 0x1000; }},
        BadRelocation{"WritesToConstants",
                      [](Elf64_Rela& r, const ElfPatch& p) { r.r_offset = p.table(DT_HASH); }},
        BadRelocation{
            "WritesToTheDynamicSegment",
            [](Elf64_Rela& r, const ElfPatch& p) { r.r_offset = p.segment(PT_DYNAMIC).p_vaddr; }},
        BadRelocation{"WritesToTheEndOfTheDynamicSegment",
                      [](Elf64_Rela& r, const ElfPatch& p) {
                        const Elf64_Phdr dynamic = p.segment(PT_DYNAMIC);
                        r.r_offset = dynamic.p_vaddr + dynamic.p_memsz - 8;
                      }},
        BadRelocation{"WritesPastTheEnd",
                      [](Elf64_Rela& r, const ElfPatch& p) {
                        const Elf64_Phdr data = p.segment(PT_LOAD, 3);
                        r.r_offset = data.p_vaddr + data.p_memsz;
                      }},
        BadRelocation{"WritesOutsideTheObject",
                      [](Elf64_Rela& r, const ElfPatch&) { r.r_offset = ~std::uint64_t{7}; }},
        BadRelocation{"IsNotAligned", [](Elf64_Rela& r, const ElfPatch&) { r.r_offset += 4; }},
        BadRelocation{"PointsOutsideTheObject",
                      [](Elf64_Rela& r, const ElfPatch&) { r.r_addend = 0x800000; }},
        BadRelocation{"PointsBelowTheObject",
                      [](Elf64_Rela& r, const ElfPatch&) { r.r_addend = -8; }}),
    [](const auto& test) { return std::string(test.param.what); });

// --- symbols

TEST(UndefinedSymbolRule, RefusesACallToTheCLibrary) {
  ArtefactRecipe recipe;
  recipe.more_source = R"(
    void abort(void);
    __attribute__((used, retain)) static void stop(void) { abort(); }
  )";
  recipe.link_flags = {"-Wl,-z,undefs"};
  EXPECT_EQ(refused_by(recipe), "undefined_symbol");
  EXPECT_NE(detail_of(recipe).find("abort"), std::string::npos);
}

TEST(UndefinedSymbolRule, RefusesAWeakReference) {
  ArtefactRecipe recipe;
  recipe.more_source = R"(
    __attribute__((weak)) void perhaps(void);
    __attribute__((used, retain)) static void (*maybe)(void) = perhaps;
  )";
  EXPECT_EQ(refused_by(recipe), "undefined_symbol");
}

TEST(ExportedSymbolRule, RefusesASecondExport) {
  ArtefactRecipe recipe;
  recipe.more_source = "__attribute__((visibility(\"default\"))) int malloc(void) { return 1; }";
  EXPECT_EQ(refused_by(recipe), "exported_symbol");
  EXPECT_NE(detail_of(recipe).find("malloc"), std::string::npos);
}

TEST(ExportedSymbolRule, RefusesAFileWithoutItsModule) {
  ArtefactRecipe recipe;
  recipe.source = "__attribute__((visibility(\"default\"))) int other(void) { return 1; }";
  EXPECT_EQ(refused_by(recipe), "exported_symbol");
}

TEST(ExportedSymbolRule, RefusesAFileThatExportsNothing) {
  ArtefactRecipe recipe;
  recipe.source = "__attribute__((used, retain)) static int other(void) { return 1; }";
  EXPECT_EQ(refused_by(recipe), "exported_symbol");
}

TEST(ExportedSymbolRule, RefusesAModuleThatIsAFunction) {
  ArtefactRecipe recipe;
  recipe.source = "__attribute__((visibility(\"default\"))) int nur_module(void) { return 1; }";
  EXPECT_EQ(refused_by(recipe), "exported_symbol");
}

TEST(ExportedSymbolRule, RefusesAModuleOfAnotherSize) {
  ArtefactRecipe recipe;
  recipe.source = R"(
    __attribute__((used, retain)) static int other(void) { return 1; }
    __attribute__((visibility("default"))) const long nur_module[5] = {1};
  )";
  EXPECT_EQ(refused_by(recipe), "exported_symbol");
}

TEST(ExportedSymbolRule, RefusesAModuleAtAnAbsoluteAddress) {
  ElfPatch patch = good();
  patch.symbol(1, [](Elf64_Sym& s) { s.st_shndx = SHN_ABS; });
  EXPECT_EQ(refused_by(patch), "exported_symbol");
}

TEST(ExportedSymbolRule, RefusesAModuleThatIsNoPlainGlobalObject) {
  const auto with = [](auto change) {
    ElfPatch patch = good();
    patch.symbol(1, change);
    return refused_by(patch);
  };
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_info = ELF64_ST_INFO(STB_WEAK, STT_OBJECT); }),
            "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT); }),
            "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE); }),
            "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_other = STV_PROTECTED; }), "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_size = 56; }), "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_value += 4; }), "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_value = 0; }), "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_value = 0x800000; }), "exported_symbol");
  EXPECT_EQ(with([](Elf64_Sym& s) { s.st_value = ~std::uint64_t{7}; }), "exported_symbol");
}

TEST(IfuncRule, RefusesAnExportedResolver) {
  ArtefactRecipe recipe;
  recipe.more_source = R"(
    static int one(void) { return 1; }
    static void* resolve(void) { return one; }
    int chosen(void) __attribute__((ifunc("resolve"), visibility("default")));
  )";
  EXPECT_EQ(refused_by(recipe), "ifunc");
}

TEST(IfuncRule, LeavesAHiddenResolverToTheRelocationRule) {
  ArtefactRecipe recipe;
  recipe.more_source = R"(
    static int one(void) { return 1; }
    static void* resolve(void) { return one; }
    int chosen(void) __attribute__((ifunc("resolve"), visibility("hidden")));
    __attribute__((used, retain)) static int (*table[])(void) = {chosen};
  )";
  EXPECT_EQ(refused_by(recipe), "relocation");
}

TEST(UniqueSymbolRule, RefusesAUniqueObject) {
  ArtefactRecipe recipe;
  recipe.assembly = R"(
    .data
    .globl only
    .type only, @gnu_unique_object
    .size only, 4
    only: .long 1
  )";
  EXPECT_EQ(refused_by(recipe), "unique_symbol");
}

}  // namespace
}  // namespace nur
