#include "host/serve/nebula/form.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nur {
namespace {

std::expected<NebulaForm, Response> parsed(
    std::string_view body, std::string_view type = "application/x-www-form-urlencoded") {
  Request request;
  request.method = "POST";
  if (!type.empty()) request.headers = {{"content-type", type}};
  request.body = body;
  return parse_nebula_form(request);
}

void expect_refused(std::string_view body, int status, std::string_view what) {
  const auto form = parsed(body);
  ASSERT_FALSE(form) << body;
  EXPECT_EQ(form.error().status, status) << body;
  EXPECT_NE(form.error().body.find(what), std::string::npos) << form.error().body;
}

TEST(NebulaForm, HasDefaultsForWhatMayBeLeftOut) {
  const auto form = parsed("function_name=fibonacci&input=10&module_type=Wasm");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->function_name, "fibonacci");
  EXPECT_EQ(form->input, "10");
  EXPECT_EQ(form->runner, NebulaForm::Runner::wasm);
  EXPECT_EQ(form->calls, 1);
  EXPECT_EQ(form->base_image, "debian");
}
TEST(NebulaForm, TakesEveryFieldInAnyOrder) {
  const auto form =
      parsed("num_calls=255&base_image=ubuntu&module_type=Docker&input=&function_name=a&other=1");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->runner, NebulaForm::Runner::docker);
  EXPECT_EQ(form->calls, 255);
  EXPECT_EQ(form->base_image, "ubuntu");
  EXPECT_EQ(form->input, "");
}
TEST(NebulaForm, DecodesAsBrowsersEncode) {
  const auto form = parsed("function_name=a+b%2Bc&input=%C3%A6%00%&module_type=Wasm");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->function_name, "a b+c");
  EXPECT_EQ(form->input, std::string("\xc3\xa6\0%", 4));
}
TEST(NebulaForm, TakesAContentTypeWithParametersInAnyCase) {
  EXPECT_TRUE(parsed("function_name=a&input=1&module_type=Wasm",
                     "Application/X-WWW-Form-URLEncoded ; charset=utf-8"));
}
TEST(NebulaForm, RefusesAnotherContentType) {
  for (const char* const type : {"application/json", "text/plain", "multipart/form-data", ""}) {
    const auto form = parsed("function_name=a&input=1&module_type=Wasm", type);
    ASSERT_FALSE(form) << type;
    EXPECT_EQ(form.error().status, 415) << type;
  }
}
TEST(NebulaForm, RefusesAMissingField) {
  expect_refused("input=1&module_type=Wasm", 422, "no function_name");
  expect_refused("function_name=a&module_type=Wasm", 422, "no input");
  expect_refused("function_name=a&input=1", 422, "no module_type");
  expect_refused("", 422, "no function_name");
}
TEST(NebulaForm, RefusesAFieldThatIsThereTwice) {
  expect_refused("function_name=a&input=1&input=2&module_type=Wasm", 422, "input twice");
}
TEST(NebulaForm, RefusesAnUnknownModuleType) {
  expect_refused("function_name=a&input=1&module_type=wasm", 422, "Wasm or Docker, not wasm");
}
TEST(NebulaForm, RefusesANumberOfCallsThatIsNone) {
  for (const char* const calls : {"256", "-1", "x", "", "1.5", "1%20"}) {
    expect_refused(fmt::format("function_name=a&input=1&module_type=Wasm&num_calls={}", calls), 422,
                   "num_calls is from 0 to 255");
  }
}

}  // namespace
}  // namespace nur
