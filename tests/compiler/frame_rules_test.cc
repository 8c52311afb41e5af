// Call frame information: written as assembler, as a compiler would, and bytes that nobody wrote.
#include "compiler/frame_rules.h"

#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "base/artefact_file.h"
#include "base/file.h"

namespace nur {
namespace {

FrameRule from_register(std::uint8_t base, std::int32_t offset) {
  FrameRule rule;
  rule.cfa = FrameRule::Cfa::register_offset;
  rule.base = base;
  rule.cfa_offset = offset;
  return rule;
}

FrameRule with_saved_rbp(FrameRule rule, std::int32_t offset) {
  rule.frame_pointer = FrameRule::FramePointer::at_cfa;
  rule.frame_pointer_offset = offset;
  return rule;
}

// The .debug_frame of a function at address 0x1000 with these directives in it.
std::string debug_frame(const std::string& body) {
  const ScratchDir scratch = *ScratchDir::create("nur-frames-");
  const std::string folder = scratch.path().string();
  EXPECT_TRUE(write_file(scratch.path() / "f.s",
                         "  .cfi_sections .debug_frame\n  .text\n  .globl f\n  .type f,@function\n"
                         "f:\n  .cfi_startproc\n" +
                             body + "  ret\n  .cfi_endproc\n  .size f,.-f\n"));
  const std::string command = "cd '" + folder +
                              "' && g++ -c f.s -o f.o && g++ -shared -nostdlib "
                              "-Wl,-Ttext=0x1000,--build-id=none f.o -o f.so 2>/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  const std::string elf = *read_file(scratch.path() / "f.so", std::size_t{1} << 20);
  return std::string(find_section(elf, ".debug_frame"));
}

std::vector<FrameRow> rows_of(const std::string& body) {
  const auto frames = read_frame_rules(debug_frame(body));
  EXPECT_TRUE(frames) << frames.error().message;
  EXPECT_EQ(frames->size(), 1U);
  const auto found = frames->find(0x1000);
  return found == frames->end() ? std::vector<FrameRow>() : found->second;
}

TEST(FrameRules, BeginWithTheReturnAddressOnTheStack) {
  EXPECT_EQ(rows_of("nop\n"), (std::vector<FrameRow>{{0, from_register(kDwarfRsp, 8)}}));
}

TEST(FrameRules, FollowPushesAndPops) {
  EXPECT_EQ(rows_of("  push %rbx\n  .cfi_adjust_cfa_offset 8\n  .cfi_rel_offset rbx, 0\n"
                    "  sub $4096, %rsp\n  .cfi_adjust_cfa_offset 4096\n"
                    "  add $4096, %rsp\n  .cfi_adjust_cfa_offset -4096\n"
                    "  pop %rbx\n  .cfi_adjust_cfa_offset -8\n  .cfi_restore rbx\n"),
            (std::vector<FrameRow>{{0, from_register(kDwarfRsp, 8)},
                                   {1, from_register(kDwarfRsp, 16)},
                                   {8, from_register(kDwarfRsp, 4112)},
                                   {15, from_register(kDwarfRsp, 16)},
                                   {16, from_register(kDwarfRsp, 8)}}));
}

TEST(FrameRules, FollowAFramePointer) {
  EXPECT_EQ(rows_of("  push %rbp\n  .cfi_def_cfa_offset 16\n  .cfi_offset rbp, -16\n"
                    "  mov %rsp, %rbp\n  .cfi_def_cfa_register rbp\n"
                    "  leave\n  .cfi_def_cfa rsp, 8\n  .cfi_restore rbp\n"),
            (std::vector<FrameRow>{{0, from_register(kDwarfRsp, 8)},
                                   {1, with_saved_rbp(from_register(kDwarfRsp, 16), -16)},
                                   {4, with_saved_rbp(from_register(kDwarfRbp, 16), -16)},
                                   {5, from_register(kDwarfRsp, 8)}}));
}

TEST(FrameRules, RememberAndRestoreAState) {
  EXPECT_EQ(rows_of("  push %rbp\n  .cfi_def_cfa_offset 16\n  .cfi_offset rbp, -16\n"
                    "  .cfi_remember_state\n  pop %rbp\n  .cfi_def_cfa_offset 8\n"
                    "  .cfi_same_value rbp\n  ret\n  .cfi_restore_state\n  nop\n"),
            (std::vector<FrameRow>{{0, from_register(kDwarfRsp, 8)},
                                   {1, with_saved_rbp(from_register(kDwarfRsp, 16), -16)},
                                   {2, from_register(kDwarfRsp, 8)},
                                   {3, with_saved_rbp(from_register(kDwarfRsp, 16), -16)}}));
}

// What gcc writes for a frame that it aligns to more than 16 bytes.
TEST(FrameRules, FollowARealignedFrame) {
  FrameRule realigned;
  realigned.cfa = FrameRule::Cfa::memory;
  realigned.base = kDwarfRbp;
  realigned.cfa_offset = -8;
  realigned.frame_pointer = FrameRule::FramePointer::at_base;
  FrameRule without_cfa = from_register(10, 0);
  FrameRule saved = without_cfa;
  saved.frame_pointer = FrameRule::FramePointer::at_base;
  EXPECT_EQ(rows_of("  lea 8(%rsp), %r10\n  .cfi_def_cfa r10, 0\n"
                    "  mov %rsp, %rbp\n  .cfi_escape 0x10,0x6,0x2,0x76,0\n"
                    "  push %r10\n  .cfi_escape 0xf,0x3,0x76,0x78,0x6\n"),
            (std::vector<FrameRow>{
                {0, from_register(kDwarfRsp, 8)}, {5, without_cfa}, {8, saved}, {10, realigned}}));
}

TEST(FrameRules, AreUnknownForOtherExpressionsAndInstructions) {
  const std::vector<FrameRow> sum =
      rows_of("  nop\n  .cfi_escape 0xf,0x5,0x77,0x8,0x76,0x0,0x22\n");  // rsp + 8 + rbp
  ASSERT_EQ(sum.size(), 2U);
  EXPECT_EQ(sum[1].rule.cfa, FrameRule::Cfa::unknown);
  const std::vector<FrameRow> vendor = rows_of("  nop\n  .cfi_escape 0x3e\n  nop\n");
  EXPECT_EQ(vendor.back().rule.cfa, FrameRule::Cfa::unknown);
  const std::vector<FrameRow> lost = rows_of("  nop\n  .cfi_undefined rbp\n");
  EXPECT_EQ(lost.back().rule.frame_pointer, FrameRule::FramePointer::unknown);
}

TEST(FrameRules, OfNothingAreNone) { EXPECT_TRUE(read_frame_rules("")->empty()); }

TEST(FrameRules, RefuseASectionThatIsCut) {
  const std::string section = debug_frame("  nop\n");
  for (std::size_t bytes = 1; bytes < section.size(); ++bytes) {
    const auto frames = read_frame_rules(std::string_view(section).substr(0, bytes));
    // Whole entries are no cut.
    if (frames) {
      EXPECT_TRUE(frames->empty()) << bytes;
    } else {
      EXPECT_NE(frames.error().message.find(".debug_frame"), std::string::npos);
    }
  }
}

TEST(FrameRules, SurviveTenThousandChangedSections) {
  const std::string section = debug_frame(
      "  push %rbp\n  .cfi_def_cfa_offset 16\n  .cfi_offset rbp, -16\n"
      "  .cfi_remember_state\n  pop %rbp\n  .cfi_escape 0xf,0x3,0x76,0x78,0x6\n"
      "  ret\n  .cfi_restore_state\n  nop\n");
  std::mt19937 random(20260131);
  std::size_t refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string changed = section;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    if (!read_frame_rules(changed)) ++refused;
  }
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace nur
