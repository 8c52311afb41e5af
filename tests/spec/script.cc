#include "tests/spec/script.h"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace nur::spec {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kScriptBytesMax = std::size_t{64} << 20;

constexpr std::array<std::pair<std::string_view, Command::Kind>, 10> kKinds{{
    {"module", Command::Kind::module},
    {"register", Command::Kind::register_module},
    {"action", Command::Kind::action},
    {"assert_return", Command::Kind::assert_return},
    {"assert_trap", Command::Kind::assert_trap},
    {"assert_exhaustion", Command::Kind::assert_exhaustion},
    {"assert_invalid", Command::Kind::assert_invalid},
    {"assert_malformed", Command::Kind::assert_malformed},
    {"assert_unlinkable", Command::Kind::assert_unlinkable},
    {"assert_uninstantiable", Command::Kind::assert_uninstantiable},
}};

constexpr std::array<std::pair<std::string_view, LaneType>, 6> kLanes{{
    {"i8", LaneType::i8},
    {"i16", LaneType::i16},
    {"i32", LaneType::i32},
    {"i64", LaneType::i64},
    {"f32", LaneType::f32},
    {"f64", LaneType::f64},
}};

// Throws std::out_of_range for a name that is not in `table`.
template <class Table>
auto look_up(const Table& table, const std::string& name) {
  for (const auto& [known, value] : table) {
    if (known == name) return value;
  }
  throw std::out_of_range("unknown word " + name);
}

Literal literal_from(const Json& json) {
  Literal literal;
  const std::string type = json.at("type");
  const std::optional<ValueType> known = value_type_from(type);
  if (!known) throw std::out_of_range("unknown type " + type);
  literal.type = *known;
  if (json.contains("lane_type")) literal.lane = look_up(kLanes, json.at("lane_type"));
  if (!json.contains("value")) return literal;
  const Json& value = json.at("value");
  if (value.is_array()) {
    literal.texts = value.get<std::vector<std::string>>();
  } else {
    literal.texts = {value.get<std::string>()};
  }
  return literal;
}

std::vector<Literal> literals_from(const Json& json) {
  std::vector<Literal> literals;
  for (const Json& literal : json) literals.push_back(literal_from(literal));
  return literals;
}

Action action_from(const Json& json) {
  Action action;
  action.reads_global = json.at("type") == "get";
  if (json.contains("module")) action.module_name = json.at("module").get<std::string>();
  action.field = json.at("field");
  if (json.contains("args")) action.arguments = literals_from(json.at("args"));
  return action;
}

Command command_from(const Json& json, const Path& folder) {
  Command command;
  command.kind = look_up(kKinds, json.at("type"));
  command.line = json.at("line");
  if (json.contains("name")) command.name = json.at("name").get<std::string>();
  if (json.contains("as")) command.register_as = json.at("as");
  if (json.contains("filename")) command.file = folder / json.at("filename").get<std::string>();
  if (json.contains("text")) command.why = json.at("text");
  if (json.contains("action")) command.action = action_from(json.at("action"));
  if (json.contains("expected")) command.expected = literals_from(json.at("expected"));
  return command;
}

}  // namespace

std::string_view to_string(Command::Kind kind) {
  for (const auto& [name, known] : kKinds) {
    if (known == kind) return name;
  }
  return "unknown command";
}

bool is_assertion(Command::Kind kind) {
  return kind != Command::Kind::module && kind != Command::Kind::register_module &&
         kind != Command::Kind::action;
}

Result<std::vector<Command>> read_script(const Path& json) {
  const std::string text = NUR_TRY(read_file(json, kScriptBytesMax));
  std::vector<Command> commands;
  try {
    const Json script = Json::parse(text);
    for (const Json& command : script.at("commands")) {
      commands.push_back(command_from(command, json.parent_path()));
    }
  } catch (const std::exception& error) {
    return fail(ErrorKind::invalid_input, "reading {}: {}", json.string(), error.what());
  }
  return commands;
}

}  // namespace nur::spec
