#include "compiler/segment_net.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(WithSegments, GivesEveryAccessByMovabsItsSegment) {
  EXPECT_EQ(with_segments("f:\n\tmovabsl\t2415919104, %eax\n\tmovabsb\t%al, 2415919105\n\tret\n"),
            "f:\n\tmovabsl\t%gs:2415919104, %eax\n\tmovabsb\t%al, %gs:2415919105\n\tret\n");
  EXPECT_EQ(with_segments("\tmovabsq\t%rax, 6710886401"), "\tmovabsq\t%rax, %gs:6710886401");
}

TEST(WithSegments, LeavesNumbersAndSegmentsAlone) {
  const std::string text =
      "\tmovabsq\t$2415919104, %rax\n\tmovabsl\t%gs:2415919104, %eax\n\tmovabsq\t$-7, %r10\n"
      "\tmovl\t%gs:4, %eax\n\tmovabs\n\tmovabsq\t";
  EXPECT_EQ(with_segments(text), text);
}

}  // namespace
}  // namespace nur
