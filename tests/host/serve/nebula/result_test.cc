#include "host/serve/nebula/result.h"

#include <array>

#include <gtest/gtest.h>

namespace nur {
namespace {

NebulaResult result() {
  NebulaResult result;
  result.function = "fibonacci";
  result.input = "10";
  result.result = "34";
  result.startup_us = 30;
  result.total_us = 90;
  result.start_since_epoch = 1'700'000'000'000'000;
  return result;
}

TEST(NebulaResult, IsTheJsonThatTheBenchmarkReads) {
  EXPECT_EQ(headless_json(std::array{result()}),
            R"({"results":[{"metrics":{"startup_time":30,"start_since_epoch":1700000000000000,)"
            R"("total_runtime":90,"end_since_epoch":1700000000000090,"startup_percentage":33.0},)"
            R"("result":"34","func_type":"Wasm","func_name":"fibonacci","input":"10",)"
            R"("base_image":"N/A"}]})");
  EXPECT_EQ(headless_json({}), R"({"results":[]})");
}
TEST(NebulaResult, HasAPercentageEvenOfNothing) {
  NebulaResult none = result();
  none.startup_us = none.total_us = 0;
  EXPECT_EQ(none.startup_percentage(), 0);
  none.startup_us = none.total_us = 7;
  EXPECT_EQ(none.startup_percentage(), 100);
}
TEST(NebulaResult, ComesBackFromItsJson) {
  NebulaResult odd = result();
  odd.input = "\"\\\n\t<&>\xc3\xa6";
  const std::optional<NebulaResult> back = nebula_result_of(to_json(odd));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->input, odd.input);
  EXPECT_EQ(back->result, "34");
  EXPECT_EQ(back->startup_us, 30U);
  EXPECT_EQ(back->total_us, 90U);
  EXPECT_EQ(back->start_since_epoch, odd.start_since_epoch);
}
TEST(NebulaResult, ReplacesBytesThatAreNoUtf8) {
  NebulaResult odd = result();
  odd.result = "\xff";
  EXPECT_NE(to_json(odd).find("\"result\":\"\xef\xbf\xbd\""), std::string::npos);
}
TEST(NebulaResult, IsNotReadFromOtherJson) {
  for (const char* const text :
       {"", "{", "[]", "1", "{}", R"({"metrics":1})", R"({"metrics":{"startup_time":"x"}})",
        R"({"metrics":{"startup_time":-1,"total_runtime":1,"start_since_epoch":1}})"}) {
    EXPECT_FALSE(nebula_result_of(text)) << text;
  }
}
TEST(NebulaResult, EscapesWhateverGoesIntoHtml) {
  NebulaResult hostile = result();
  hostile.function = hostile.input = hostile.result = hostile.base_image = hostile.func_type =
      "<script>'\"&</script>";
  for (const std::string& page :
       {history_html(std::array{hostile}), call_html(hostile), timed_call_html(hostile),
        failure_html("<script>'\"&</script>")}) {
    EXPECT_EQ(page.find("<script"), std::string::npos) << page;
    EXPECT_EQ(page.find("'\""), std::string::npos) << page;
    EXPECT_NE(page.find("&lt;script&gt;&#39;&quot;&amp;&lt;/script&gt;"), std::string::npos)
        << page;
  }
}
TEST(NebulaResult, HasThePageOfOneCall) {
  EXPECT_EQ(call_html(result()), "<div><h1>fibonacci, input: 10</h1><p>Result was: 34</p></div>");
  EXPECT_EQ(failure_html("no"), "<p>Whoops! Error!</p> <p style=\"color:red;\">no</p>");
}
TEST(NebulaResult, HasAveragesAboveTheList) {
  NebulaResult other = result();
  other.startup_us = 10;
  other.total_us = 2010;
  const std::string page = history_html(std::array{result(), other});
  EXPECT_NE(page.find("Wasm: 2 calls, average startup 0.02 ms, runtime 1.03 ms, total 1.05 ms"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("Docker: 0 calls"), std::string::npos);
}

}  // namespace
}  // namespace nur
