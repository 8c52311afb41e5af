#include "compiler/c_units.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <unordered_map>

namespace nur {
namespace {

constexpr std::string_view kPrefix = "w2c_m_";
constexpr std::string_view kInstance = "(w2c_m*";
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Function {
  std::string_view name;  // w2c_m_f12, w2c_m_e0, w2c_m_e0_0 or w2c_m_s
  std::string_view prototype;
  std::string_view definition;
  std::vector<std::size_t> callees;  // functions it names, itself perhaps included
  std::size_t unit = kNone;
  bool is_entry = false;  // entry.c calls it
  bool is_static = false;
};

// The word in front of `at`.
std::string_view name_before(std::string_view text, std::size_t at) {
  const std::size_t space = text.find_last_of(" \n", at == 0 ? 0 : at - 1);
  const std::size_t begin = space == std::string_view::npos ? 0 : space + 1;
  return text.substr(begin, at - begin);
}

std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

std::unexpected<Error> unexpected_text(std::string_view what) {
  return fail(ErrorKind::internal,
              "this wasm2c writes other C than expected: {}; use wasm2c 1.0.36", what);
}

// A source file: definitions of functions, and everything else between them.
struct Definitions {
  std::vector<Function> functions;
  std::vector<std::string_view> others;
};

bool is_entry(std::string_view name) {
  // w2c_m_e0_0 is the exported function itself, w2c_m_e0 and w2c_m_s what is called from outside.
  name.remove_prefix(kPrefix.size());
  if (name == "s") return true;
  return name.starts_with('e') && name.find('_') == std::string_view::npos;
}

Result<void> read_definitions(std::string_view text, Definitions& into) {
  constexpr std::string_view kInclude = "#include \"m-impl.h\"\n";
  constexpr std::string_view kEnd = "\n}\n";
  std::size_t done = 0;
  if (const std::size_t include = text.find(kInclude); include != std::string_view::npos) {
    done = include + kInclude.size();
  }
  for (std::size_t at = text.find(kInstance, done); at != std::string_view::npos;
       at = text.find(kInstance, done)) {
    const std::size_t begin = line_begin(text, at);
    const std::size_t body = text.find_first_of("{;", at);
    if (body == std::string_view::npos || text[body] != '{' || text[begin] == ' ') {
      return unexpected_text("a function has no body");
    }
    const std::size_t end = text.find(kEnd, body);
    if (end == std::string_view::npos) return unexpected_text("a function has no end");
    const std::size_t after = end + kEnd.size();
    const std::string_view name = name_before(text, at);
    if (name.starts_with(kPrefix)) {
      into.others.push_back(text.substr(done, begin - done));
      Function function;
      function.name = name;
      function.definition = text.substr(begin, after - begin);
      function.is_entry = is_entry(name);
      into.functions.push_back(std::move(function));
    } else {
      into.others.push_back(text.substr(done, after - done));
    }
    done = after;
  }
  into.others.push_back(text.substr(done));
  return {};
}

using Index = std::unordered_map<std::string_view, std::size_t>;

// Takes the prototypes out of the header and gives them to their functions.
std::string take_prototypes(std::string_view header, std::vector<Function>& functions,
                            const Index& index) {
  std::string rest;
  std::size_t done = 0;
  for (std::size_t at = header.find(kInstance); at != std::string_view::npos;
       at = header.find(kInstance, at + 1)) {
    const auto found = index.find(name_before(header, at));
    const std::size_t end = header.find_first_of("{;", at);
    if (found == index.end() || end == std::string_view::npos || header[end] != ';') continue;
    const std::size_t begin = line_begin(header, at);
    functions[found->second].prototype = header.substr(begin, end + 1 - begin);
    rest += header.substr(done, begin - done);
    done = end + 1;
  }
  rest += header.substr(done);
  return rest;
}

// The functions that a text names, each once, in order.
std::vector<std::size_t> named_in(std::string_view text, const Index& index) {
  std::vector<std::size_t> named;
  for (std::size_t at = text.find(kPrefix); at != std::string_view::npos;
       at = text.find(kPrefix, at + kPrefix.size())) {
    std::size_t end = at + kPrefix.size();
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
      ++end;
    }
    const auto found = index.find(text.substr(at, end - at));
    if (found != index.end()) named.push_back(found->second);
  }
  std::sort(named.begin(), named.end());
  named.erase(std::unique(named.begin(), named.end()), named.end());
  return named;
}

// FNV-1a: the same everywhere, and depends on the name alone.
std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash ^ (hash >> 32);
}

Effort effort_for(std::uint64_t bytes, const CutOptions& options) {
  if (bytes >= options.huge_function_bytes) return Effort::least;
  if (bytes >= options.large_function_bytes) return Effort::reduced;
  return Effort::full;
}

// Gives every function its unit, counting from `first`, or 0; returns the efforts of the former.
std::vector<Effort> place(std::vector<Function>& functions, std::size_t first,
                          const CutOptions& options) {
  std::uint64_t total = 0;
  for (const Function& function : functions) total += function.definition.size();
  const std::uint64_t unit_bytes =
      std::clamp(std::bit_floor(total / 8), options.unit_bytes_min, options.unit_bytes_max);
  // One function in `spacing` may begin a unit, so that cuts stay where they are when functions
  // grow a little.
  const std::uint64_t average =
      std::max<std::uint64_t>(total / std::max<std::size_t>(functions.size(), 1), 1);
  const std::uint64_t spacing =
      std::bit_floor(std::max<std::uint64_t>(unit_bytes / 2 / average, 1));

  std::vector<Effort> efforts;
  std::size_t open = kNone;
  std::uint64_t open_bytes = 0;
  for (Function& function : functions) {
    if (function.is_entry) {  // lies beside tables and types
      function.unit = 0;
      continue;
    }
    const std::uint64_t bytes = function.definition.size();
    const Effort effort = effort_for(bytes, options);
    if (effort != Effort::full) {
      function.unit = first + efforts.size();
      efforts.push_back(effort);
      continue;
    }
    const bool may_cut = open_bytes >= unit_bytes / 2 && hash_of(function.name) % spacing == 0;
    const bool must_cut = open_bytes + bytes > unit_bytes * 3 / 2;
    if (open == kNone || may_cut || must_cut) {
      open = first + efforts.size();
      open_bytes = 0;
      efforts.push_back(Effort::full);
    }
    function.unit = open;
    open_bytes += bytes;
  }
  return efforts;
}

// `others` has what the first unit's text beside functions names.
void decide_linkage(std::vector<Function>& functions, const std::vector<std::size_t>& others) {
  std::vector<bool> named_elsewhere(functions.size(), false);
  for (const Function& function : functions) {
    for (const std::size_t callee : function.callees) {
      if (functions[callee].unit != function.unit) named_elsewhere[callee] = true;
    }
  }
  for (const std::size_t callee : others) {
    if (functions[callee].unit != 0) named_elsewhere[callee] = true;
  }
  for (std::size_t i = 0; i < functions.size(); ++i) {
    functions[i].is_static = !functions[i].is_entry && !named_elsewhere[i];
  }
}

void add(CUnit& unit, std::string_view piece) {
  if (piece.empty()) return;
  unit.pieces.push_back(piece);
  unit.bytes += piece.size();
}

// Prototypes come first: of the functions that a unit has, and of those that it names.
std::vector<CUnit> put_together(const std::vector<Function>& functions,
                                const std::vector<std::string_view>& others,
                                const std::vector<std::size_t>& named_by_others,
                                std::vector<Effort> efforts) {
  std::vector<CUnit> units(efforts.size());
  std::vector<std::vector<std::size_t>> needed(units.size());
  needed[0] = named_by_others;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    auto& list = needed[functions[i].unit];
    list.push_back(i);
    list.insert(list.end(), functions[i].callees.begin(), functions[i].callees.end());
  }
  for (std::size_t i = 0; i < units.size(); ++i) {
    units[i].effort = efforts[i];
    add(units[i], "#include \"m-impl.h\"\n");
    std::sort(needed[i].begin(), needed[i].end());
    needed[i].erase(std::unique(needed[i].begin(), needed[i].end()), needed[i].end());
    for (const std::size_t function : needed[i]) {
      if (functions[function].prototype.empty()) continue;  // exports: those are in m.h
      if (functions[function].is_static) add(units[i], "static ");
      add(units[i], functions[function].prototype);
      add(units[i], "\n");
    }
  }
  for (const std::string_view other : others) add(units[0], other);
  for (const Function& function : functions) {
    CUnit& unit = units[function.unit];
    add(unit, "\n");
    if (function.is_static) add(unit, "static ");
    add(unit, function.definition);
  }
  return units;
}

}  // namespace

Result<CUnits> cut_into_units(const GeneratedC& generated, const CutOptions& options) {
  Definitions definitions;
  std::uint64_t total = 0;
  for (const std::string& source : generated.sources) {
    NUR_TRY(read_definitions(source, definitions));
    total += source.size();
  }
  std::vector<Function>& functions = definitions.functions;

  Index index;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    if (!index.emplace(functions[i].name, i).second) {
      return unexpected_text("a function is defined twice");
    }
  }
  CUnits units;
  units.header = take_prototypes(generated.header, functions, index);
  for (Function& function : functions) {
    function.callees = named_in(function.definition, index);
    if (!function.is_entry && function.prototype.empty()) {
      return unexpected_text("a function has no prototype");
    }
  }
  std::vector<std::size_t> named_by_others;
  for (const std::string_view other : definitions.others) {
    const std::vector<std::size_t> named = named_in(other, index);
    named_by_others.insert(named_by_others.end(), named.begin(), named.end());
  }

  const bool has_large = std::any_of(functions.begin(), functions.end(), [&](const Function& f) {
    return effort_for(f.definition.size(), options) != Effort::full;
  });
  std::vector<Effort> efforts{Effort::full};
  if (total <= options.whole_bytes_max && !has_large) {
    for (Function& function : functions) function.unit = 0;
  } else {
    const std::vector<Effort> placed = place(functions, 1, options);
    efforts.insert(efforts.end(), placed.begin(), placed.end());
  }
  decide_linkage(functions, named_by_others);
  units.units = put_together(functions, definitions.others, named_by_others, std::move(efforts));
  return units;
}

}  // namespace nur
