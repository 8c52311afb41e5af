#include "tests/fuzz/compiler/trial.h"

#include <algorithm>

#include "tests/fuzz/compiler/instrument.h"
#include "tests/fuzz/compiler/native_run.h"
#include "tests/fuzz/compiler/plan.h"
#include "tests/fuzz/compiler/transcript.h"
#include "tests/spec/link.h"

namespace nur::fuzz {
namespace {

constexpr std::uint64_t kArguments = 4;  // purpose of a stream, see recipe.cc

Verdict verdict(Verdict::Kind kind, std::string reason) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.reason = std::move(reason);
  return verdict;
}

bool is_machine_trouble(const Error& error) {
  return error.kind == ErrorKind::exhausted || error.kind == ErrorKind::interrupted;
}

// Without numbers, so that refusals can be counted by reason.
std::string without_numbers(std::string_view text) {
  std::string plain;
  for (const char c : text.substr(0, text.find('\n'))) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) plain += c;
    if (digit && !plain.ends_with('#')) plain += '#';
  }
  return plain;
}

// V8 has accepted the module.
Verdict refusal(const Error& error) {
  // refuse_feature's words; its kind is shared with malformed modules.
  const bool is_feature = error.message.ends_with("which nur does not run");
  if (error.kind == ErrorKind::limit_exceeded || is_feature) {
    return verdict(Verdict::Kind::refused_by_nurc, without_numbers(error.message));
  }
  return verdict(Verdict::Kind::finding, "nurc: " + error.message);
}

// The rest of the line that begins with `word`, if there is one.
std::optional<std::string> said(std::string_view transcript, const std::string& word) {
  const std::size_t at = transcript.find("\n" + word + " ");
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t begin = at + word.size() + 2;
  return std::string(transcript.substr(begin, transcript.find('\n', begin) - begin));
}

// Tables, memories and globals that a module imports become its own.
Result<std::string> with_own_state(std::string_view bytes) {
  const WasmModule module = NUR_TRY(read_module(bytes));
  if (module.imports.size() == module.imported_functions) return std::string(bytes);
  spec::LinkedModule linked =
      NUR_TRY(spec::link(module, [](const WasmImport&, const spec::External& wanted) {
        return Result<spec::External>(wanted);
      }));
  return std::move(linked.bytes);
}

class Trial {
 public:
  Trial(const Recipe& recipe, const Bench& bench) : recipe_(recipe), bench_(bench) {}

  Result<Verdict> run(std::string_view bytes) {
    const Result<std::string> own = with_own_state(bytes);
    if (!own) {
      if (const auto refused = NUR_TRY(ask_v8_whether_valid(bytes))) return *refused;
      return refusal(own.error());
    }
    const WasmModule module = NUR_TRY(read_module(*own));
    Verdict result = NUR_TRY(hold_against(module, recipe_.canonical_nans));
    if (result.kind != Verdict::Kind::finding || recipe_.canonical_nans) return result;
    // What is left when no NaN has bits of an engine's choice is no matter of NaNs.
    Verdict canonical = NUR_TRY(hold_against(module, true));
    if (canonical.kind == Verdict::Kind::finding) return canonical;
    result.kind = Verdict::Kind::nan_dependent;
    return result;
  }

 private:
  Result<std::optional<Verdict>> ask_v8_whether_valid(std::string_view bytes) {
    const Path file = bench_.folder / "plain.wasm";
    NUR_TRY(write_file(file, bytes));
    CallPlan nothing;
    nothing.has_start = true;  // so it is not instantiated either
    const std::string answer = NUR_TRY(bench_.v8.ask(to_json_line(nothing, file.string())));
    if (const auto why = said(answer, "refused")) {
      return verdict(Verdict::Kind::refused_by_v8, without_numbers(*why));
    }
    return std::optional<Verdict>();
  }

  Result<Verdict> hold_against(const WasmModule& module, bool canonical_nans) {
    const CallPlan plan = make_plan(module, recipe_.stream(kArguments));
    const std::string for_v8 =
        NUR_TRY(instrument(module, {canonical_nans, recipe_.hang_limit, true}));
    const std::string for_nur =
        NUR_TRY(instrument(module, {canonical_nans, recipe_.hang_limit, false}));

    const Path v8_file = bench_.folder / "v8.wasm";
    NUR_TRY(write_file(v8_file, for_v8));
    const std::string v8 = NUR_TRY(bench_.v8.ask(to_json_line(plan, v8_file.string())));
    if (const auto why = said(v8, "refused")) {
      return verdict(Verdict::Kind::refused_by_v8, without_numbers(*why));
    }
    if (const auto why = said(v8, "broken")) return fail(ErrorKind::internal, "v8_side: {}", *why);
    if (v8.starts_with("\nlost ")) return fail(ErrorKind::internal, "node died: {}", v8.substr(1));
    const std::optional<std::string> uninstantiable = said(v8, "uninstantiable");

    const Path artefact = bench_.folder / "module.so";
    if (const Result<void> built = build(for_nur, artefact); !built) {
      if (is_machine_trouble(built.error())) return std::unexpected(built.error());
      // nurc refuses segments that do not fit, which is what V8 says when it instantiates.
      if (uninstantiable && built.error().kind == ErrorKind::invalid_input) {
        return verdict(Verdict::Kind::refused_by_v8, without_numbers(*uninstantiable));
      }
      return refusal(built.error());
    }
    if (uninstantiable) {
      return verdict(Verdict::Kind::finding, "nurc takes it, V8: " + *uninstantiable);
    }
    const Result<std::string> nur = run_native(artefact, plan, bench_.folder);
    if (!nur && is_machine_trouble(nur.error())) return std::unexpected(nur.error());
    if (!nur) return verdict(Verdict::Kind::finding, nur.error().message);

    const Comparison comparison =
        compare(parse_transcript(*nur), parse_transcript(v8), !canonical_nans);
    Verdict result;
    result.calls = comparison.calls;
    result.traps = comparison.traps;
    result.incomparable = comparison.incomparable;
    if (comparison.mismatch.empty()) return result;
    result.kind = Verdict::Kind::finding;
    result.reason = comparison.mismatch;
    result.nur_transcript = *nur;
    result.v8_transcript = v8.substr(1);
    return result;
  }

  Result<void> build(const std::string& bytes, const Path& artefact) {
    const WasmModule module = NUR_TRY(read_module(bytes));
    CompileOptions options;
    options.build = recipe_.build;
    options.nurc_version = "fuzz";
    const SharedObject object = NUR_TRY(
        build_module(module, bytes, GuestAbi::typed, options, bench_.toolchain, bench_.interrupt));
    return write_file(artefact, object.bytes);
  }

  const Recipe& recipe_;
  const Bench& bench_;
};

}  // namespace

std::string_view to_string(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::agreed:
      return "agreed";
    case Verdict::Kind::not_made:
      return "not made";
    case Verdict::Kind::refused_by_v8:
      return "refused by v8";
    case Verdict::Kind::refused_by_nurc:
      return "refused by nurc";
    case Verdict::Kind::nan_dependent:
      return "differs in bits of NaNs";
    case Verdict::Kind::finding:
      return "finding";
  }
  return "";
}

Result<void> check_v8(const Bench& bench) {
  const Path file = bench.folder / "empty.wasm";
  NUR_TRY(write_file(file, std::string_view("\0asm\1\0\0\0", 8)));
  const std::string answer = NUR_TRY(bench.v8.ask(to_json_line({}, file.string())));
  if (answer == "\n") return {};
  return fail(ErrorKind::internal, "node cannot run modules (it needs version 18 or newer): {}",
              answer.substr(1));
}

Result<Verdict> try_module(std::string_view bytes, const Recipe& recipe, const Bench& bench) {
  return Trial(recipe, bench).run(bytes);
}

}  // namespace nur::fuzz
