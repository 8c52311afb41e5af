#include "host/config/serverless_toml.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "host/net/socket_address.h"

namespace nur {
namespace {

using std::literals::operator""sv;

constexpr std::array kFileKeys{"listen_address"sv, "applications"sv};
constexpr std::array kFileSynonyms{Synonym{"listen", "listen_address"},
                                   Synonym{"application", "applications"},
                                   Synonym{"app", "applications"}, Synonym{"apps", "applications"}};
constexpr std::array kKeys{"file_path"sv, "method"sv, "url_path"sv, "function"sv, "env"sv};
constexpr std::array kSynonyms{Synonym{"file", "file_path"},  Synonym{"path", "url_path"},
                               Synonym{"url", "url_path"},    Synonym{"route", "url_path"},
                               Synonym{"export", "function"}, Synonym{"entry", "function"},
                               Synonym{"environment", "env"}};

class Reader {
 public:
  explicit Reader(const TomlFile& file) : file_(file) {}

  Result<ServerlessToml> read() {
    const TomlValue& root = file_.root();
    NUR_TRY(file_.expect_keys(root, kFileKeys, kFileSynonyms));
    ServerlessToml result;
    if (const TomlEntry* const address = root.find("listen_address")) {
      result.listen_address = NUR_TRY(file_.text(*address));
      if (const Result<SocketAddress> parsed = parse_address(*result.listen_address); !parsed) {
        return refuse(address->value.place, parsed.error().message);
      }
    }
    if (const TomlEntry* const applications = root.find("applications")) {
      for (const TomlValue* const table : NUR_TRY(file_.tables(*applications))) {
        result.applications.push_back(NUR_TRY(application(*table)));
      }
    }
    warn_of_repeated(result.applications);
    return result;
  }

 private:
  [[nodiscard]] std::unexpected<Error> refuse(TomlPlace place, std::string_view what) const {
    return std::unexpected(file_.error_at(place, what));
  }
  [[nodiscard]] std::string name_of(TomlPlace place) const {
    return fmt::format("{}:{}:{}", file_.path().string(), place.line, place.column);
  }

  Result<const TomlEntry*> needed(const TomlValue& table, std::string_view key) const {
    if (const TomlEntry* const entry = table.find(key)) return entry;
    return refuse(table.place, fmt::format("an application without `{}`", key));
  }

  Result<ServerlessApplication> application(const TomlValue& table) const {
    NUR_TRY(file_.expect_keys(table, kKeys, kSynonyms));
    const TomlEntry* const module = NUR_TRY(needed(table, "file_path"));
    const TomlEntry* const method = NUR_TRY(needed(table, "method"));
    const TomlEntry* const target = NUR_TRY(needed(table, "url_path"));
    ServerlessApplication application;
    application.module = Path(NUR_TRY(file_.text(*module))).lexically_normal();
    application.module_place = name_of(module->value.place);
    application.route.method = NUR_TRY(file_.text(*method));
    application.route.target = NUR_TRY(file_.text(*target));
    application.route_place = name_of(target->value.place);
    if (!application.route.target.starts_with('/')) {
      return refuse(target->value.place, "`url_path` begins with /");
    }
    if (const TomlEntry* const function = table.find("function")) {
      application.route.entry = NUR_TRY(file_.text(*function));
      application.route_place = name_of(function->value.place);
    }
    if (const TomlEntry* const environment = table.find("env")) {
      for (const TomlEntry& value : NUR_TRY(file_.table(*environment))->entries) {
        application.route.environment[value.key] = NUR_TRY(file_.text(value));
      }
    }
    return application;
  }

  static void warn_of_repeated(const std::vector<ServerlessApplication>& applications) {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const ServerlessApplication& application : applications) {
      const HandleRoute& route = application.route;
      if (seen.emplace(route.method, route.target).second) continue;
      spdlog::warn("{}: {} {} is routed already; this one counts", application.route_place,
                   printable(route.method, 64), printable(route.target, 200));
    }
  }

  const TomlFile& file_;
};

}  // namespace

bool is_serverless_toml(const TomlFile& file) {
  return std::ranges::any_of(file.root().entries, [](const TomlEntry& entry) {
    return did_you_mean(entry.key, kFileKeys, kFileSynonyms).has_value() ||
           std::ranges::find(kFileKeys, entry.key) != kFileKeys.end();
  });
}

Result<ServerlessToml> read_serverless_toml(const TomlFile& file) { return Reader(file).read(); }

}  // namespace nur
