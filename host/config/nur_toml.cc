#include "host/config/nur_toml.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/log.h"
#include "base/units.h"
#include "host/outbound/outbound_policy.h"

namespace nur {
namespace {

using namespace std::string_view_literals;

constexpr std::array kFileKeys{"manifest_version"sv, "function"sv, "nebula"sv};
constexpr std::array kFileSynonyms{Synonym{"functions", "function"}, Synonym{"fn", "function"}};

constexpr std::array kFunctionKeys{"environment"sv, "args"sv, "limits"sv, "files"sv,
                                   "allow_outbound"sv};
constexpr std::array kFunctionSynonyms{
    Synonym{"env", "environment"},
    Synonym{"variables", "environment"},
    Synonym{"arguments", "args"},
    Synonym{"argv", "args"},
    Synonym{"memory", "limits.memory"},
    Synonym{"memory_max", "limits.memory"},
    Synonym{"timeout", "limits.timeout"},
    Synonym{"cpu", "limits.cpu"},
    Synonym{"cpu_time", "limits.cpu"},
    Synonym{"stack", "limits.stack"},
    Synonym{"body", "limits.body"},
    Synonym{"concurrency", "limits.concurrency"},
    Synonym{"queue", "limits.queue"},
    Synonym{"kv", "limits.kv"},
    Synonym{"kv_max", "limits.kv"},
    Synonym{"limit", "limits"},
    Synonym{"dir", "files"},
    Synonym{"dirs", "files"},
    Synonym{"directories", "files"},
    Synonym{"mounts", "files"},
    Synonym{"outbound", "allow_outbound"},
    Synonym{"allowed_outbound_hosts", "allow_outbound"},
    Synonym{"allow", "allow_outbound"},
};

constexpr std::array kLimitKeys{"memory"sv, "timeout"sv,     "cpu"sv,   "stack"sv,
                                "body"sv,   "concurrency"sv, "queue"sv, "kv"sv};
constexpr std::array kLimitSynonyms{
    Synonym{"memory_max", "memory"},
    Synonym{"max_memory", "memory"},
    Synonym{"cpu_time", "cpu"},
    Synonym{"deadline", "timeout"},
    Synonym{"time", "timeout"},
    Synonym{"body_limit", "body"},
    Synonym{"instances", "concurrency"},
    Synonym{"kv_max", "kv"},
    Synonym{"store", "kv"},
};

constexpr std::array kDirectoryKeys{"source"sv, "target"sv, "mode"sv};
constexpr std::array kDirectorySynonyms{
    Synonym{"host", "source"},  Synonym{"from", "source"}, Synonym{"path", "source"},
    Synonym{"guest", "target"}, Synonym{"to", "target"},   Synonym{"writable", "mode"},
};

constexpr std::array kNebulaKeys{"routes"sv, "first"sv, "clamp"sv, "history"sv, "data"sv};
constexpr std::array kNebulaSynonyms{Synonym{"enabled", "routes"}, Synonym{"limits", "clamp"},
                                     Synonym{"results", "history"}, Synonym{"shadow", "first"}};

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMemoryLeast = 64 * kKiB;  // a page of WebAssembly
constexpr std::uint64_t kMemoryMost = std::uint64_t{4} << 30;
constexpr Nanoseconds kTimeLeast = Milliseconds(1);
constexpr Nanoseconds kTimeMost = std::chrono::hours(24);
constexpr std::uint64_t kStackLeast = 64 * kKiB;
constexpr std::uint64_t kStackMost = std::uint64_t{64} << 20;
constexpr std::uint64_t kStackPage = 4 * kKiB;
constexpr std::uint64_t kBodyMost = std::uint64_t{1} << 30;
// An instance holds a slot of 8 GiB of the 128 TiB of addresses.
constexpr std::uint64_t kConcurrencyMost = 10'000;
constexpr std::uint64_t kQueueMost = 100'000;
constexpr std::uint64_t kKvMost = std::uint64_t{1} << 40;
// A guest has 64 descriptors, and needs some for files.
constexpr std::size_t kDirectoriesMax = 32;
// Of all names and values together; half of what a process takes (host/abi/wasi/process.cc), so
// that there is room for a request's variables.
constexpr std::size_t kStringsBytesMax = 512 * kKiB;

class Reader {
 public:
  Reader(const TomlFile& file, const FunctionSettings& defaults, const GivenSettings& given)
      : file_(file), defaults_(defaults), given_(given) {}

  Result<NurToml> read() {
    const TomlValue& root = file_.root();
    NUR_TRY(file_.expect_keys(root, kFileKeys, kFileSynonyms));
    if (const TomlEntry* const version = root.find("manifest_version")) {
      NUR_TRY(file_.count(*version, 1, 1));
    }
    NurToml result;
    if (const TomlEntry* const functions = root.find("function")) {
      const TomlValue* const table = NUR_TRY(file_.table(*functions));
      for (const TomlEntry& section : table->entries) {
        FunctionSettings settings = NUR_TRY(function(section));
        result.functions.push_back({section.key, section.place, std::move(settings)});
      }
    }
    if (const TomlEntry* const nebula = root.find("nebula")) {
      result.nebula = NUR_TRY(nebula_settings(*nebula));
    }
    return result;
  }

 private:
  std::unexpected<Error> refuse(TomlPlace place, std::string_view what) const {
    return std::unexpected(file_.error_at(place, what));
  }

  Result<FunctionSettings> function(const TomlEntry& section) const {
    const TomlValue& table = *NUR_TRY(file_.table(section));
    NUR_TRY(file_.expect_keys(table, kFunctionKeys, kFunctionSynonyms));
    FunctionSettings settings = defaults_;
    if (const TomlEntry* const entry = table.find("limits")) {
      NUR_TRY(limits(*entry, settings.limits));
    }
    if (const TomlEntry* const entry = table.find("environment")) {
      NUR_TRY(environment(*entry, settings.environment));
    }
    if (const TomlEntry* const entry = table.find("args")) {
      settings.arguments = NUR_TRY(arguments(*entry));
    }
    if (const TomlEntry* const entry = table.find("files")) {
      NUR_TRY(directories(*entry, settings.directories));
    }
    if (const TomlEntry* const entry = table.find("allow_outbound")) {
      NUR_TRY(outbound(*entry, settings.outbound));
    }
    return settings;
  }

  Result<void> limits(const TomlEntry& entry, FunctionLimits& limits) const {
    const TomlValue& table = *NUR_TRY(file_.table(entry));
    NUR_TRY(file_.expect_keys(table, kLimitKeys, kLimitSynonyms));
    if (const TomlEntry* const memory = table.find("memory")) {
      const std::uint64_t bytes = NUR_TRY(file_.size(*memory, kMemoryLeast, kMemoryMost));
      if (!given_.memory) limits.sandbox.memory_bytes_max = bytes;
    }
    if (const TomlEntry* const timeout = table.find("timeout")) {
      const Nanoseconds time = NUR_TRY(file_.duration(*timeout, kTimeLeast, kTimeMost));
      if (!given_.timeout) limits.time.timeout = time;
    }
    if (const TomlEntry* const cpu = table.find("cpu")) {
      const Nanoseconds time = NUR_TRY(file_.duration(*cpu, kTimeLeast, kTimeMost));
      if (!given_.cpu_time) limits.time.cpu_time = time;
    }
    if (const TomlEntry* const stack = table.find("stack")) {
      const std::uint64_t bytes = NUR_TRY(file_.size(*stack, kStackLeast, kStackMost));
      if (bytes % kStackPage != 0) {
        return refuse(stack->value.place, fmt::format("`stack` is a multiple of {}, not {}",
                                                      format_size(kStackPage), format_size(bytes)));
      }
      limits.sandbox.stack_bytes = bytes;
    }
    if (const TomlEntry* const body = table.find("body")) {
      const std::uint64_t bytes = NUR_TRY(file_.size(*body, 0, kBodyMost));
      if (!given_.body) limits.body_bytes_max = bytes;
    }
    if (const TomlEntry* const concurrency = table.find("concurrency")) {
      limits.pool.leased_max = NUR_TRY(file_.count(*concurrency, 1, kConcurrencyMost));
      limits.pool.idle_max = limits.pool.leased_max;
    }
    if (const TomlEntry* const queue = table.find("queue")) {
      limits.waiting_max = NUR_TRY(file_.count(*queue, 0, kQueueMost));
    }
    if (const TomlEntry* const kv = table.find("kv")) {
      const std::uint64_t bytes = NUR_TRY(file_.size(*kv, 0, kKvMost));
      if (!given_.kv) limits.kv_bytes_max = bytes;
    }
    return {};
  }

  Result<void> environment(const TomlEntry& entry, EnvironmentTable& environment) const {
    const TomlValue& table = *NUR_TRY(file_.table(entry));
    std::size_t bytes = 0;
    for (const TomlEntry& variable : table.entries) {
      const std::string value = NUR_TRY(file_.text(variable));
      if (variable.key.empty() || variable.key.find_first_of("=\0"sv) != std::string::npos) {
        return refuse(variable.place,
                      fmt::format("`{}` is no name of a variable: it must not be empty, nor have "
                                  "a '=' or a NUL",
                                  printable(variable.key, 200)));
      }
      if (value.find('\0') != std::string::npos) {
        return refuse(variable.value.place,
                      fmt::format("`{}` has a NUL in its value", printable(variable.key, 200)));
      }
      bytes += variable.key.size() + value.size() + 2;
      if (bytes > kStringsBytesMax) return refuse(variable.place, too_long("environment"));
      // One that is there is the command line's.
      environment.emplace(variable.key, value);
    }
    return {};
  }

  Result<std::vector<std::string>> arguments(const TomlEntry& entry) const {
    std::vector<std::string> texts = NUR_TRY(file_.texts(entry));
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const TomlPlace place = entry.value.list[i].place;
      if (texts[i].find('\0') != std::string::npos) return refuse(place, "an argument has a NUL");
      bytes += texts[i].size() + 1;
      if (bytes > kStringsBytesMax) return refuse(place, too_long("args"));
    }
    return texts;
  }

  static std::string too_long(std::string_view what) {
    return fmt::format("`{}` is longer than {} in all", what, format_size(kStringsBytesMax));
  }

  Result<void> directories(const TomlEntry& entry, std::vector<DirectoryGrant>& grants) const {
    std::vector<DirectoryGrant> found;
    for (const TomlValue* const table : NUR_TRY(file_.tables(entry))) {
      DirectoryGrant grant = NUR_TRY(directory(*table));
      const auto same = [&](const DirectoryGrant& other) {
        return other.guest_path == grant.guest_path;
      };
      if (std::ranges::any_of(found, same)) {
        return refuse(table->place, fmt::format("two directories have the target \"{}\"",
                                                printable(grant.guest_path, 200)));
      }
      found.push_back(std::move(grant));
    }
    for (DirectoryGrant& grant : found) {
      const auto same = [&](const DirectoryGrant& other) {
        return other.guest_path == grant.guest_path;
      };
      // One that is there is the command line's.
      if (std::ranges::none_of(grants, same)) grants.push_back(std::move(grant));
    }
    if (grants.size() > kDirectoriesMax) {
      return refuse(entry.place, fmt::format("{} directories; a function has {} at most",
                                             grants.size(), kDirectoriesMax));
    }
    return {};
  }

  Result<DirectoryGrant> directory(const TomlValue& table) const {
    NUR_TRY(file_.expect_keys(table, kDirectoryKeys, kDirectorySynonyms));
    const TomlEntry* const source = table.find("source");
    const TomlEntry* const target = table.find("target");
    if (source == nullptr || target == nullptr) {
      return refuse(table.place, fmt::format("a directory has no `{}`",
                                             source == nullptr ? "source" : "target"));
    }
    DirectoryGrant grant;
    const Path written = NUR_TRY(file_.text(*source));
    grant.host_path = file_.path().parent_path() / written;
    grant.guest_path = NUR_TRY(file_.text(*target));
    if (written.empty() || grant.guest_path.empty()) {
      const TomlEntry& empty = written.empty() ? *source : *target;
      return refuse(empty.value.place, fmt::format("`{}` is empty", empty.key));
    }
    if (grant.guest_path.find('\0') != std::string::npos) {
      return refuse(target->value.place, "`target` has a NUL");
    }
    std::error_code error;
    if (!std::filesystem::is_directory(grant.host_path, error)) {
      return refuse(source->value.place,
                    fmt::format("{} is no directory that is there", grant.host_path.string()));
    }
    if (const TomlEntry* const mode = table.find("mode")) {
      const std::string text = NUR_TRY(file_.text(*mode));
      if (text != "ro" && text != "rw") {
        return refuse(
            mode->value.place,
            fmt::format("`mode` is \"ro\" (to read) or \"rw\" (to change, too), not \"{}\"",
                        printable(text, 200)));
      }
      grant.writable = text == "rw";
    }
    return grant;
  }

  // Adds to what the command line opens for all functions.
  Result<void> outbound(const TomlEntry& entry, std::vector<std::string>& rules) const {
    const std::vector<std::string> written = NUR_TRY(file_.texts(entry));
    for (std::size_t i = 0; i < written.size(); ++i) {
      const Result<OutboundPolicy> parsed = OutboundPolicy::parse(std::span(&written[i], 1));
      if (!parsed) return refuse(entry.value.list[i].place, parsed.error().message);
    }
    rules.insert(rules.end(), written.begin(), written.end());
    // Together they could be too many only.
    const Result<OutboundPolicy> parsed = OutboundPolicy::parse(rules);
    if (!parsed) return refuse(entry.value.place, parsed.error().message);
    return {};
  }

  Result<NebulaSettings> nebula_settings(const TomlEntry& entry) const {
    const TomlValue& table = *NUR_TRY(file_.table(entry));
    NUR_TRY(file_.expect_keys(table, kNebulaKeys, kNebulaSynonyms));
    NebulaSettings settings;
    if (const TomlEntry* const routes = table.find("routes")) {
      settings.routes = NUR_TRY(file_.boolean(*routes));
    }
    if (const TomlEntry* const first = table.find("first")) {
      settings.first = NUR_TRY(file_.boolean(*first));
    }
    if (const TomlEntry* const clamp = table.find("clamp")) {
      settings.clamps = NUR_TRY(clamps(*clamp));
    }
    if (const TomlEntry* const history = table.find("history")) {
      settings.history = NUR_TRY(file_.boolean(*history));
    }
    if (const TomlEntry* const data = table.find("data")) {
      if (!settings.history) {
        return refuse(data->value.place, "`data` keeps the history, which `history` has none of");
      }
      const std::string written = NUR_TRY(file_.text(*data));
      if (written.empty()) return refuse(data->value.place, "`data` is empty");
      settings.data = file_.path().parent_path() / written;
    }
    return settings;
  }

  Result<InputClamps> clamps(const TomlEntry& entry) const {
    if (entry.value.kind == TomlValue::Kind::boolean) {
      return entry.value.boolean ? nebula_clamps() : InputClamps{};
    }
    if (entry.value.kind != TomlValue::Kind::table) {
      return refuse(entry.value.place,
                    "`clamp` is true, false, or a table of the largest input of each function");
    }
    InputClamps clamps;
    for (const TomlEntry& clamp : entry.value.entries) {
      clamps[clamp.key] = NUR_TRY(file_.count(clamp, 0, INT64_MAX));
    }
    return clamps;
  }

  const TomlFile& file_;
  const FunctionSettings& defaults_;
  const GivenSettings& given_;
};

}  // namespace

Result<NurToml> read_nur_toml(const TomlFile& file, const FunctionSettings& defaults,
                              const GivenSettings& given) {
  return Reader(file, defaults, given).read();
}

}  // namespace nur
