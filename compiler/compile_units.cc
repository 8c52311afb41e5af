#include "compiler/compile_units.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "compiler/object_cache.h"
#include "compiler/profile.h"
#include "compiler/segment_net.h"
#include "compiler/unit_key.h"

namespace nur {
namespace {

constexpr char kEntrySource[] = "entry.c";
constexpr std::size_t kUnitBytesMax = std::size_t{1} << 30;

std::string object_of(const std::string& source) {
  return Path(source).replace_extension(".o").string();
}

// wasm2c has taken the module: what a tool refuses from here on is no fault of the module's.
Result<void> compile_unit(const Path& folder, const std::string& source,
                          const std::vector<std::string>& flags, const Toolchain& toolchain,
                          const Interrupt& interrupt) {
  const std::string assembly = Path(source).replace_extension(".s").string();
  Command command;
  command.folder = folder;
  // Warnings are for people who write code; here only errors matter.
  command.arguments = {toolchain.compiler.path.string(), "-x", "c", "-w", "-DNDEBUG", "-I."};
  command.arguments.insert(command.arguments.end(), flags.begin(), flags.end());
  command.arguments.push_back("-ffile-prefix-map=" + folder.string() + "=.");
  command.arguments.insert(command.arguments.end(), {"-S", source, "-o", assembly});
  NUR_TRY(run_trusted_process(command, interrupt));

  std::string text = NUR_TRY(read_output(folder / assembly, kUnitBytesMax));
  NUR_TRY(write_file(folder / assembly, with_segments(std::move(text))));
  command.arguments = {toolchain.compiler.path.string(), "-c", assembly, "-o", object_of(source)};
  NUR_TRY(run_trusted_process(command, interrupt));
  return {};
}

// A unit that the compiler does its best for counts and is compiled by its counts; entry.c, and
// what is compiled in a hurry, is not.
ProfileMode profile_mode(const Path& folder, const SourceUnit& unit, ProfileMode asked) {
  if (unit.effort != Effort::full || unit.source == kEntrySource) return ProfileMode::none;
  std::error_code ignored;
  const bool has_counts = std::filesystem::exists(folder / gcda_of(unit.source), ignored);
  return asked == ProfileMode::use && !has_counts ? ProfileMode::none : asked;
}

}  // namespace

Result<std::vector<std::string>> compile_units(const CSources& sources, const BuildOptions& options,
                                               const Toolchain& toolchain,
                                               const Interrupt& interrupt,
                                               const BuildServices& services) {
  std::vector<SourceUnit> units = sources.units;
  units.push_back({kEntrySource, 0, Effort::full});
  if (services.observer != nullptr) services.observer->units_found(units.size());

  std::string common;
  if (services.cache != nullptr) {
    const auto slot = services.take_slot();
    common = NUR_TRY(common_key(sources, c_flags(options, Effort::full, toolchain.family),
                                services.compiler_identity, toolchain, interrupt));
  }
  // Whether the object came from the cache.
  const auto make_object = [&](const SourceUnit& unit) -> Result<bool> {
    const auto slot = services.take_slot();
    std::vector<std::string> flags = c_flags(options, unit.effort, toolchain.family);
    const ProfileMode profile = profile_mode(sources.folder, unit, options.profile);
    const std::vector<std::string> more = profile_flags(profile);
    flags.insert(flags.end(), more.begin(), more.end());
    const Path object = sources.folder / object_of(unit.source);
    std::string key;
    if (services.cache != nullptr) {
      std::string text = NUR_TRY(read_file(sources.folder / unit.source, kUnitBytesMax));
      if (profile == ProfileMode::use) {
        text += NUR_TRY(read_file(sources.folder / gcda_of(unit.source), kUnitBytesMax));
      }
      key = unit_key(common, flags, text);
      if (const std::optional<std::string> kept = services.cache->find(key)) {
        NUR_TRY(write_file(object, *kept));
        return true;
      }
    }
    NUR_TRY(compile_unit(sources.folder, unit.source, flags, toolchain, interrupt));
    if (services.cache != nullptr) {
      services.cache->store(key, NUR_TRY(read_output(object, kUnitBytesMax)));
    }
    return false;
  };

  // The largest first, so that no long one is left over for the end.
  std::vector<std::size_t> order(units.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return units[a].bytes > units[b].bytes; });
  std::vector<Result<void>> results(units.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size() && !failed; i = next++) {
      const Result<bool> from_cache = make_object(units[order[i]]);
      if (!from_cache) {
        results[order[i]] = std::unexpected(from_cache.error());
        failed = true;
      } else if (services.observer != nullptr) {
        services.observer->unit_done(*from_cache);
      }
    }
  };
  {
    // A child is killed when the thread that started it ends, so each thread waits for its own.
    const std::size_t count = services.slots == nullptr ? 1 : services.slots->count();
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(count, units.size()); ++i) threads.emplace_back(work);
    work();
  }

  std::vector<std::string> objects;
  for (std::size_t i = 0; i < units.size(); ++i) {
    NUR_TRY(results[i]);
    objects.push_back(object_of(units[i].source));
  }
  return objects;
}

}  // namespace nur
