// One .wast file as a list of commands: what wast2json makes of it, read into values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/manifest.h"
#include "base/result.h"

namespace nur::spec {

enum class LaneType { i8, i16, i32, i64, f32, f64 };

// An argument or an expected result as the script writes it: numbers as the decimal text of their
// bits, "nan:canonical" and "nan:arithmetic", references as "null" or a number.
struct Literal {
  ValueType type = ValueType::i32;
  LaneType lane = LaneType::i32;   // of v128
  std::vector<std::string> texts;  // one, or one per lane; none where any value fits
};

struct Action {
  bool reads_global = false;               // "get"; else "invoke"
  std::optional<std::string> module_name;  // the latest module when not given
  std::string field;
  std::vector<Literal> arguments;
};

struct Command {
  enum class Kind {
    module,
    register_module,
    action,
    assert_return,
    assert_trap,
    assert_exhaustion,
    assert_invalid,
    assert_malformed,
    assert_unlinkable,
    assert_uninstantiable,
  };
  Kind kind = Kind::module;
  int line = 0;
  std::optional<std::string> name;  // of a module, or which one to register
  std::string register_as;
  Path file;        // of commands with a module
  std::string why;  // the expected text of traps and refusals
  Action action;
  std::vector<Literal> expected;
};

// "assert_return".
std::string_view to_string(Command::Kind kind);

bool is_assertion(Command::Kind kind);

// Reads what wast2json wrote; module files are beside `json`.
// Errors: not_found; invalid_input for commands this reader does not know.
Result<std::vector<Command>> read_script(const Path& json);

}  // namespace nur::spec
