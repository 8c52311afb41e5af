#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "host/abi/cgi/environment.h"

namespace nur {
namespace {

Request a_request() {
  Request request;
  request.method = "GET";
  request.target = "/hello/a%20b?x=1&y=%41";
  request.path = "/hello/a%20b";
  request.query = "x=1&y=%41";
  request.headers = {{"Host", "example.org:8080"}, {"User-Agent", "curl/8"}};
  request.client = "192.0.2.7";
  request.server = "127.0.0.1";
  request.server_port = 8080;
  return request;
}

CgiOptions hello() {
  CgiOptions options;
  options.script_name = "/hello";
  options.matched_route = "/hello/...";
  return options;
}

// The value of a variable, or a text that no test expects.
std::string variable(const std::vector<std::string>& environment, std::string_view name) {
  std::string value = "(not set)";
  int found = 0;
  for (const std::string& entry : environment) {
    if (!entry.starts_with(std::string(name) + "=")) continue;
    value = entry.substr(name.size() + 1);
    ++found;
  }
  EXPECT_LE(found, 1) << name;
  return value;
}

std::string variable(const Request& request, std::string_view name) {
  return variable(cgi_environment(request, hello()), name);
}

TEST(CgiEnvironment, TellsAboutTheRequest) {
  const auto environment = cgi_environment(a_request(), hello());

  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"AUTH_TYPE", ""},
           {"CONTENT_LENGTH", "0"},
           {"CONTENT_TYPE", ""},
           {"GATEWAY_INTERFACE", "CGI/1.1"},
           {"PATH_INFO", "/a b"},
           {"PATH_TRANSLATED", "/a b"},
           {"QUERY_STRING", "x=1&y=%41"},
           {"REMOTE_ADDR", "192.0.2.7"},
           {"REMOTE_HOST", "192.0.2.7"},
           {"REMOTE_USER", ""},
           {"REQUEST_METHOD", "GET"},
           {"SCRIPT_NAME", "/hello"},
           {"SERVER_NAME", "example.org"},
           {"SERVER_PORT", "8080"},
           {"SERVER_PROTOCOL", "HTTP/1.1"},
           {"SERVER_SOFTWARE", "nurhost"},
           {"HTTP_HOST", "example.org:8080"},
           {"HTTP_USER_AGENT", "curl/8"},
           {"X_FULL_URL", "http://example.org:8080/hello/a%20b?x=1&y=%41"},
           {"X_MATCHED_ROUTE", "/hello/..."},
           {"X_RAW_PATH_INFO", "/a%20b"},
       }) {
    EXPECT_EQ(variable(environment, name), value) << name;
  }
  EXPECT_EQ(environment.size(), 21u);
}

TEST(CgiEnvironment, TellsAboutTheBody) {
  Request request = a_request();
  request.method = "POST";
  request.body = "a=1";
  request.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
  request.headers.push_back({"Content-Length", "3"});
  request.headers.push_back({"Transfer-Encoding", "chunked"});

  EXPECT_EQ(variable(request, "CONTENT_LENGTH"), "3");
  EXPECT_EQ(variable(request, "CONTENT_TYPE"), "application/x-www-form-urlencoded");
  EXPECT_EQ(variable(request, "HTTP_CONTENT_LENGTH"), "(not set)");
  EXPECT_EQ(variable(request, "HTTP_CONTENT_TYPE"), "(not set)");
  EXPECT_EQ(variable(request, "HTTP_TRANSFER_ENCODING"), "(not set)");
}

TEST(CgiEnvironment, NeverSetsHttpProxy) {
  for (const char* name : {"Proxy", "proxy", "PROXY", "pRoXy"}) {
    Request request = a_request();
    request.headers.push_back({name, "http://attacker.example"});

    EXPECT_EQ(variable(request, "HTTP_PROXY"), "(not set)") << name;
  }
}

TEST(CgiEnvironment, SkipsNamesThatCouldPassForOthers) {
  Request request = a_request();
  request.headers.push_back({"X-User", "real"});
  for (const char* name : {"X_User", "X.User", "X User", "X=User", "X\nUser", "X\xc3\xa4", ""}) {
    request.headers.push_back({name, "forged"});
  }

  for (const std::string& entry : cgi_environment(request, hello())) {
    EXPECT_EQ(entry.find("forged"), std::string::npos) << entry;
  }
  EXPECT_EQ(variable(request, "HTTP_X_USER"), "real");
}

TEST(CgiEnvironment, JoinsRepeatedHeaders) {
  Request request = a_request();
  request.headers.push_back({"Accept", "text/html"});
  request.headers.push_back({"Cookie", "a=1"});
  request.headers.push_back({"ACCEPT", "text/plain"});
  request.headers.push_back({"cookie", "b=2"});

  EXPECT_EQ(variable(request, "HTTP_ACCEPT"), "text/html, text/plain");
  EXPECT_EQ(variable(request, "HTTP_COOKIE"), "a=1; b=2");
}

TEST(CgiEnvironment, HandsOnAuthorization) {
  Request request = a_request();
  request.headers.push_back({"Authorization", "Bearer token"});

  EXPECT_EQ(variable(request, "HTTP_AUTHORIZATION"), "Bearer token");
}

TEST(CgiEnvironment, AHeaderCannotSetAVariableOfTheHost) {
  Request request = a_request();
  request.headers.push_back({"X-Matched-Route", "/admin"});
  request.headers.push_back({"Remote-User", "root"});
  request.headers.push_back({"Script-Name", "/x"});

  EXPECT_EQ(variable(request, "X_MATCHED_ROUTE"), "/hello/...");
  EXPECT_EQ(variable(request, "REMOTE_USER"), "");
  EXPECT_EQ(variable(request, "SCRIPT_NAME"), "/hello");
}

TEST(CgiEnvironment, FindsThePathBehindTheScript) {
  struct Case {
    const char* path;
    const char* script;
    const char* info;
    const char* name;
  };
  for (const Case& c : {
           Case{"/hello", "/hello", "", "/hello"},
           Case{"/hello/", "/hello", "/", "/hello"},
           Case{"/hello/a/b", "/hello", "/a/b", "/hello"},
           Case{"/hello/a//b", "/hello", "/a//b", "/hello"},
           // Not below it: a longer name is another name.
           Case{"/helloworld", "/hello", "/helloworld", ""},
           Case{"/a/b", "", "/a/b", ""},
       }) {
    Request request = a_request();
    request.path = c.path;
    CgiOptions options = hello();
    options.script_name = c.script;
    const auto environment = cgi_environment(request, options);

    EXPECT_EQ(variable(environment, "PATH_INFO"), c.info) << c.path;
    EXPECT_EQ(variable(environment, "SCRIPT_NAME"), c.name) << c.path;
  }
}

TEST(CgiEnvironment, DecodesThePathOnceAndLeavesTheRestAlone) {
  struct Case {
    const char* raw;
    const char* decoded;
  };
  for (const Case& c : {
           Case{"/%41%62c", "/Abc"},
           Case{"/%2f%2F", "///"},
           Case{"/%2541", "/%41"},
           Case{"/100%", "/100%"},
           Case{"/%4", "/%4"},
           Case{"/%zz%4g", "/%zz%4g"},
           Case{"/a+b", "/a+b"},
           Case{"/%c3%a4", "/\xc3\xa4"},
           // Would end the value for every C program.
           Case{"/admin%00.txt", "/admin%00.txt"},
           Case{"/%0a", "/\n"},
       }) {
    Request request = a_request();
    const std::string path = std::string("/hello") + c.raw;
    request.path = path;

    EXPECT_EQ(variable(request, "PATH_INFO"), c.decoded) << c.raw;
    EXPECT_EQ(variable(request, "X_RAW_PATH_INFO"), c.raw);
  }
}

TEST(CgiEnvironment, TakesTheServersNameFromHost) {
  struct Case {
    const char* host;
    const char* name;
  };
  for (const Case& c :
       {Case{"example.org", "example.org"}, Case{"example.org:80", "example.org"},
        Case{"[::1]:8080", "[::1]"}, Case{"[::1]", "[::1]"}, Case{"", "127.0.0.1"}}) {
    Request request = a_request();
    request.headers = {{"host", c.host}};

    EXPECT_EQ(variable(request, "SERVER_NAME"), c.name) << c.host;
  }
}

TEST(CgiEnvironment, WorksWithoutHost) {
  Request request = a_request();
  request.headers.clear();
  request.version_minor = 0;
  request.server = "::1";

  EXPECT_EQ(variable(request, "SERVER_NAME"), "[::1]");
  EXPECT_EQ(variable(request, "SERVER_PROTOCOL"), "HTTP/1.0");
  EXPECT_EQ(variable(request, "X_FULL_URL"), "http://[::1]:8080/hello/a%20b?x=1&y=%41");
}

TEST(CgiEnvironment, HasNoNulInAnyVariable) {
  Request request = a_request();
  request.headers.push_back({"X-Nul", std::string_view("a\0b", 3)});

  for (const std::string& entry : cgi_environment(request, hello())) {
    EXPECT_EQ(entry.find('\0'), std::string::npos) << entry;
  }
}

}  // namespace
}  // namespace nur
