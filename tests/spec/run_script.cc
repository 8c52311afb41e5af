#include "tests/spec/run_script.h"

#include <algorithm>
#include <map>
#include <memory>

#include "compiler/wasm/limits.h"
#include "compiler/wasm/rewrite.h"
#include "tests/spec/live_module.h"
#include "tests/spec/traps.h"
#include "tests/spec/values.h"

namespace nur::spec {
namespace {

// What a command said does not hold.
template <class... Args>
std::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorKind::invalid_input, format, std::forward<Args>(args)...);
}

std::string describe(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::returned:
      return "returned";
    case Outcome::Kind::exited:
      return "exited";
    case Outcome::Kind::trapped:
      return fmt::format("trapped: {}", nur::to_string(outcome.trap));
    case Outcome::Kind::expired:
      return "expired";
    case Outcome::Kind::overspent:
      return "overspent";
  }
  return "";
}

Result<void> expect_trap(const Outcome& outcome, std::string_view why) {
  if (outcome.kind != Outcome::Kind::trapped || !is_expected_trap(why, outcome.trap)) {
    return wrong("{}, expected the trap {}", describe(outcome), why);
  }
  return {};
}

class ScriptRunner {
 public:
  ScriptRunner(const Workshop& workshop, const TrapGuard& guard)
      : workshop_(workshop), guard_(guard) {}

  Result<void> run(const Command& command) {
    switch (command.kind) {
      case Command::Kind::module:
        return make_module(command);
      case Command::Kind::register_module:
        registered_[command.register_as] = NUR_TRY(find_module(command.name));
        return {};
      case Command::Kind::action:
        return expect_return(command);
      case Command::Kind::assert_return:
        return expect_return(command);
      case Command::Kind::assert_trap:
      case Command::Kind::assert_exhaustion:
        return expect_trap(NUR_TRY(perform(command.action)).outcome, command.why);
      case Command::Kind::assert_invalid:
      case Command::Kind::assert_malformed:
        return expect_refusal(command);
      case Command::Kind::assert_unlinkable:
        return expect_unlinkable(command);
      case Command::Kind::assert_uninstantiable:
        return expect_uninstantiable(command);
    }
    return {};
  }

  // A module that is not made: what follows must not meet the one before it.
  void leave_out(const Command& command) {
    if (command.kind == Command::Kind::module) forget(command);
  }

 private:
  struct Performed {
    Outcome outcome;
    FunctionType type;
    std::vector<nur_value> values;
  };

  void forget(const Command& command) {
    latest_ = nullptr;
    if (command.name) named_.erase(*command.name);
  }

  Result<void> make_module(const Command& command) {
    forget(command);
    const std::string bytes = NUR_TRY(read_bytes(command.file));
    LinkedModule linked = NUR_TRY(link_bytes(bytes));
    std::unique_ptr<LiveModule> made =
        NUR_TRY(LiveModule::make(std::move(linked), workshop_, guard_));
    const Outcome started = made->start();
    if (started.kind != Outcome::Kind::returned) return wrong("start {}", describe(started));
    latest_ = made.get();
    if (command.name) named_[*command.name] = latest_;
    modules_.push_back(std::move(made));
    return {};
  }

  static Result<std::string> read_bytes(const Path& file) {
    return read_file(file, ModuleLimits{}.module_bytes);
  }

  Result<LinkedModule> link_bytes(std::string_view bytes) {
    const WasmModule module = NUR_TRY(read_module(bytes));
    return link(module, [this](const WasmImport& import, const External&) -> Result<External> {
      if (import.module == "spectest") return find_in_spectest(import.name);
      const auto found = registered_.find(import.module);
      if (found == registered_.end()) {
        return fail(ErrorKind::not_found, "unknown import {}.{}", import.module, import.name);
      }
      return found->second->find_export(import.name);
    });
  }

  Result<LiveModule*> find_module(const std::optional<std::string>& name) {
    if (!name) {
      if (latest_ == nullptr) return wrong("there is no module");
      return latest_;
    }
    const auto found = named_.find(*name);
    if (found == named_.end()) return wrong("there is no module {}", *name);
    return found->second;
  }

  Result<Performed> perform(const Action& action) {
    LiveModule* const module = NUR_TRY(find_module(action.module_name));
    const External found = NUR_TRY(
        module->find_export(action.reads_global ? getter_name(action.field) : action.field));
    Performed performed;
    performed.type = found.type;
    if (found.kind != ExternalKind::function ||
        found.type.parameters.size() != action.arguments.size()) {
      return wrong("{} is no function of {} parameters", action.field, action.arguments.size());
    }
    performed.values.resize(
        std::max({action.arguments.size(), found.type.results.size(), std::size_t{1}}));
    for (std::size_t i = 0; i < action.arguments.size(); ++i) {
      if (action.arguments[i].type != found.type.parameters[i]) {
        return wrong("parameter {} is of another type", i);
      }
      performed.values[i] = NUR_TRY(value_of(action.arguments[i]));
    }
    performed.outcome = module->call(found.entry, performed.values.data());
    return performed;
  }

  Result<void> expect_return(const Command& command) {
    const Performed performed = NUR_TRY(perform(command.action));
    if (performed.outcome.kind != Outcome::Kind::returned) {
      return wrong("{}: {}", command.action.field, describe(performed.outcome));
    }
    if (command.kind == Command::Kind::action) return {};
    if (performed.type.results.size() != command.expected.size()) {
      return wrong("{}: {} results, expected {}", command.action.field,
                   performed.type.results.size(), command.expected.size());
    }
    for (std::size_t i = 0; i < command.expected.size(); ++i) {
      if (performed.type.results[i] == command.expected[i].type &&
          matches(command.expected[i], performed.values[i])) {
        continue;
      }
      return wrong("{}: result {} is {}, expected {}", command.action.field, i,
                   to_string(performed.type.results[i], performed.values[i]),
                   to_string(command.expected[i]));
    }
    return {};
  }

  Result<void> expect_refusal(const Command& command) {
    const Result<void> taken =
        is_text(command) ? take_text(command.file) : take_binary(command.file);
    if (taken) return wrong("is taken, expected: {}", command.why);
    if (taken.error().kind != ErrorKind::invalid_input &&
        taken.error().kind != ErrorKind::limit_exceeded) {
      return taken;
    }
    return {};
  }

  static bool is_text(const Command& command) { return command.file.extension() == ".wat"; }

  Result<void> take_binary(const Path& file) {
    const std::string bytes = NUR_TRY(read_bytes(file));
    return validate(bytes, workshop_);
  }

  Result<void> take_text(const Path& file) {
    NUR_TRY(read_wasm(file, workshop_.toolchain, workshop_.interrupt));
    return {};
  }

  Result<void> expect_unlinkable(const Command& command) {
    const std::string bytes = NUR_TRY(read_bytes(command.file));
    const Result<LinkedModule> linked = link_bytes(bytes);
    if (linked) return wrong("can be linked, expected: {}", command.why);
    if (!linked.error().message.starts_with(command.why)) {
      return wrong("{}, expected: {}", linked.error().message, command.why);
    }
    return {};
  }

  // nurc refuses segments that do not fit before there is an instance; what start functions do is
  // seen when they run.
  Result<void> expect_uninstantiable(const Command& command) {
    const std::string bytes = NUR_TRY(read_bytes(command.file));
    LinkedModule linked = NUR_TRY(link_bytes(bytes));
    const WasmModule module = NUR_TRY(read_module(linked.bytes));
    if (const Result<RewrittenModule> rewritten = rewrite(module); !rewritten) {
      const std::string_view message = rewritten.error().message;
      const std::string_view means =
          message.starts_with("element segment") ? "out of bounds table access"
          : message.starts_with("data segment")  ? "out of bounds memory access"
                                                 : message;
      if (means != command.why) return wrong("{}, expected: {}", message, command.why);
      return {};
    }
    const std::unique_ptr<LiveModule> made =
        NUR_TRY(LiveModule::make(std::move(linked), workshop_, guard_));
    return expect_trap(made->start(), command.why);
  }

  const Workshop& workshop_;
  const TrapGuard& guard_;
  // In the order they were made: later ones import from earlier ones.
  std::vector<std::unique_ptr<LiveModule>> modules_;
  std::map<std::string, LiveModule*> named_;
  std::map<std::string, LiveModule*, std::less<>> registered_;
  LiveModule* latest_ = nullptr;
};

}  // namespace

Report run_script(const std::vector<Command>& commands, const std::string& label,
                  const SkippedLines& skips, const Workshop& workshop, const TrapGuard& guard) {
  Report report;
  ScriptRunner runner(workshop, guard);
  SkippedLines unused = skips;
  for (const Command& command : commands) {
    const bool assertion = is_assertion(command.kind);
    if (assertion) ++report.assertions;
    if (skips.contains(command.line)) {
      unused.erase(command.line);
      runner.leave_out(command);
      if (assertion) ++report.skipped;
      continue;
    }
    const Result<void> held = runner.run(command);
    if (held) {
      if (assertion) ++report.passed;
      continue;
    }
    if (!assertion) ++report.assertions;
    report.failures.push_back(fmt::format("{}:{}: {}: {}", label, command.line,
                                          to_string(command.kind), held.error().message));
  }
  for (const auto& [line, reason] : unused) {
    ++report.assertions;
    report.failures.push_back(
        fmt::format("{}:{}: skips.txt names a line without a command", label, line));
  }
  return report;
}

}  // namespace nur::spec
