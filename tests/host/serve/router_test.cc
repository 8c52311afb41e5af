#include "host/serve/router.h"

#include <gtest/gtest.h>

namespace nur {
namespace {

TEST(Router, FindsAFunctionByTheFirstSegment) {
  for (const char* path : {"/hello", "/hello/", "/hello/a/b"}) {
    const std::optional<Route> route = route_of(path);
    ASSERT_TRUE(route) << path;
    EXPECT_EQ(route->kind, Route::Kind::function);
    EXPECT_EQ(route->name, "hello");
    EXPECT_EQ(route->script_name, "/hello");
  }
}

TEST(Router, FindsACallBelowApi) {
  const std::optional<Route> route = route_of("/api/fib/10");

  ASSERT_TRUE(route);
  EXPECT_EQ(route->kind, Route::Kind::api);
  EXPECT_EQ(route->name, "fib");
  EXPECT_EQ(route->input, "10");
}

TEST(Router, DecodesNamesAndInput) {
  EXPECT_EQ(route_of("/%F0%9F%90%84%20cowsay")->name, "\xf0\x9f\x90\x84 cowsay");
  EXPECT_EQ(route_of("/api/add/3%2C4/x")->input, "3,4/x");
  EXPECT_EQ(route_of("/%F0%9F%90%84%20cowsay/x")->script_name, "/%F0%9F%90%84%20cowsay");
}

TEST(Router, TakesAnEmptyInput) {
  EXPECT_EQ(route_of("/api/fib")->input, "");
  EXPECT_EQ(route_of("/api/fib/")->input, "");
}

TEST(Router, LeavesAFunctionCalledApiReachable) {
  EXPECT_EQ(route_of("/api")->name, "api");
  EXPECT_EQ(route_of("/api")->kind, Route::Kind::function);
}

TEST(Router, FindsNothingInOtherPaths) {
  for (const char* path : {"", "/", "//hello", "hello", "*", "/api//10", "/api/", "/%zz", "/%4",
                           "/a%00b", "/api/fib/%"}) {
    EXPECT_FALSE(route_of(path)) << path;
  }
}

}  // namespace
}  // namespace nur
