#include "host/upload/upload_name.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(UploadName, IsOneSegmentDecodedOnce) {
  const auto expect = [](std::string_view path, std::string_view file, std::string_view function,
                         bool is_module) {
    const auto name = upload_name_of(path);
    ASSERT_TRUE(name) << path << ": " << name.error();
    EXPECT_EQ(name->file, file);
    EXPECT_EQ(name->function, function);
    EXPECT_EQ(name->is_module, is_module);
  };
  expect("/hello.so", "hello.so", "hello", false);
  expect("/hello.wasm", "hello.wasm", "hello", true);
  expect("/a.b.so", "a.b.so", "a.b", false);
  expect("/a.wasm.so", "a.wasm.so", "a.wasm", false);
  expect("/-o.so", "-o.so", "-o", false);
  expect("/a%20b.so", "a b.so", "a b", false);
  expect("/%F0%9F%90%84.so", "🐄.so", "🐄", false);
  expect("/a%2E%73o", "a.so", "a", false);
  // Once.
  expect("/%252e%252e%252fa.so", "%2e%2e%2fa.so", "%2e%2e%2fa", false);
  expect("/a\\b.so", "a\\b.so", "a\\b", false);
  expect("/" + std::string(252, 'a') + ".so", std::string(252, 'a') + ".so", std::string(252, 'a'),
         false);
}

TEST(UploadName, RefusesWhatIsNoNameOfAFunction) {
  const auto expect = [](std::string_view path, std::string_view why) {
    const auto name = upload_name_of(path);
    ASSERT_FALSE(name) << path;
    EXPECT_NE(name.error().find(why), std::string::npos) << path << ": " << name.error();
  };
  for (const char* path : {"", "hello.so", "//hello.so", "/a/b.so", "/../a.so", "/a.so/", "*"}) {
    expect(path, "without folders");
  }
  for (const char* path : {"/..%2fa.so", "/%2e%2e%2fa.so", "/a%2Fb.so", "/%2fetc%2fa.so"}) {
    expect(path, "holds a slash");
  }
  for (const char* path : {"/.so", "/.wasm", "/.hidden.so", "/..so", "/...so", "/%2ehidden.so",
                           "/.nur-upload-0.tmp", "/..", "/."}) {
    expect(path, "begins with a dot");
  }
  for (const char* path : {"/a%.so", "/a%2.so", "/a%zz.so", "/a%00.so", "/a.so%00.txt"}) {
    expect(path, "malformed escape");
  }
  for (const char* path :
       {"/a%0a.so", "/a%1b.so", "/a%7f.so", "/a%ff.so", "/%c0%ae.so", "/%ed%a0%80.so"}) {
    expect(path, "control character, or is not UTF-8");
  }
  for (const char* path :
       {"/hello", "/nur.toml", "/hello.SO", "/hello.so.bak", "/so", "/wasm", "/hello.wat"}) {
    expect(path, "ends neither in .so");
  }
  expect("/" + std::string(253, 'a') + ".so", "longer than 255 bytes");
}

}  // namespace
}  // namespace nur
