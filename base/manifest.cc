#include "base/manifest.h"

#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

namespace nur {
namespace {

// Keys keep the order in which they are written.
using OrderedJson = nlohmann::ordered_json;
// Read with a sorted map: finding a key stays cheap however many there are.
using Json = nlohmann::json;

constexpr std::uint32_t kMemoryPagesMax = 65536;
constexpr std::size_t kSha256HexBytes = 64;

// --- writing

OrderedJson names_of(const std::vector<ValueType>& types) {
  OrderedJson names = OrderedJson::array();
  for (const ValueType type : types) names.push_back(to_string(type));
  return names;
}

void add_type(OrderedJson& object, const FunctionType& type) {
  object["parameters"] = names_of(type.parameters);
  object["results"] = names_of(type.results);
}

OrderedJson import_json(const ManifestImport& import) {
  OrderedJson object = {{"module", import.module}, {"name", import.name}};
  add_type(object, import.type);
  return object;
}

OrderedJson export_json(const ManifestExport& exported) {
  OrderedJson object = {{"name", exported.name}, {"kind", to_string(exported.kind)}};
  if (exported.kind == ExternalKind::function) {
    add_type(object, exported.type);
    object["entry"] = exported.entry;
  }
  return object;
}

// --- reading

// The parser keeps its own stack, so depth costs it a bit a level; what is too deep, or says a key
// twice, is dropped while it is read and refused afterwards.
class ShapeCheck {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& value) {
    using Event = Json::parse_event_t;
    if (static_cast<std::size_t>(depth) >= kManifestDepthMax) fault_ = "nested too deeply";
    if (fault_ != nullptr) return false;
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key && !keys_.back().insert(value.get_ref<const std::string&>()).second) {
      fault_ = "a key that is there twice";
    }
    return fault_ == nullptr;
  }

  [[nodiscard]] const char* fault() const { return fault_; }

 private:
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
  const char* fault_ = nullptr;
};

Result<Json> parse_object(std::string_view text) {
  if (text.size() > kManifestBytesMax) {
    return fail(ErrorKind::invalid_input, "manifest: {} bytes, at most {} are read", text.size(),
                kManifestBytesMax);
  }
  // The parser takes a NUL for the end and would ignore what follows.
  if (text.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::invalid_input, "manifest: not JSON");
  }
  ShapeCheck shape;
  const Json json = Json::parse(
      text.begin(), text.end(),
      [&](int depth, Json::parse_event_t event, Json& value) { return shape(depth, event, value); },
      /*allow_exceptions=*/false);
  if (shape.fault() != nullptr) {
    return fail(ErrorKind::invalid_input, "manifest: {}", shape.fault());
  }
  if (json.is_discarded()) return fail(ErrorKind::invalid_input, "manifest: not JSON");
  if (!json.is_object()) return fail(ErrorKind::invalid_input, "manifest: not a JSON object");
  return json;
}

// One JSON object and where it stands, so that an error names the key: "exports[2].entry".
class ObjectReader {
 public:
  static Result<ObjectReader> of(const Json& json, std::string path) {
    if (!json.is_object()) {
      return fail(ErrorKind::invalid_input, "manifest: {} is not an object", path);
    }
    return ObjectReader(json, std::move(path));
  }
  explicit ObjectReader(const Json& root) : json_(&root) {}

  [[nodiscard]] std::string path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }

  // Null when the key is not there.
  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = json_->find(key);
    return found == json_->end() ? nullptr : &*found;
  }

  [[nodiscard]] Result<const Json*> get(const char* key) const {
    if (const Json* value = find(key)) return value;
    return fail(ErrorKind::invalid_input, "manifest: {} is missing", path_of(key));
  }

  [[nodiscard]] Result<std::string> string(const char* key) const {
    const Json* const value = NUR_TRY(get(key));
    if (!value->is_string()) return wrong(key, "a string");
    return value->get_ref<const std::string&>();
  }

  [[nodiscard]] Result<bool> boolean(const char* key) const {
    const Json* const value = NUR_TRY(get(key));
    if (!value->is_boolean()) return wrong(key, "true or false");
    return value->get<bool>();
  }

  [[nodiscard]] Result<std::uint32_t> number(
      const char* key, std::uint32_t max = std::numeric_limits<std::uint32_t>::max()) const {
    const Json* const value = NUR_TRY(get(key));
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > max) {
      return wrong(key, fmt::format("a whole number from 0 to {}", max));
    }
    return static_cast<std::uint32_t>(value->get<std::uint64_t>());
  }

  // `from` maps a name to a value, or to nothing.
  template <class From>
  [[nodiscard]] auto named(const char* key, std::string_view wanted, From from) const
      -> Result<typename decltype(from(std::string_view()))::value_type> {
    const std::string name = NUR_TRY(string(key));
    const auto value = from(name);
    if (!value) return wrong(key, wanted);
    return *value;
  }

  // `read` is given each element's own reader.
  template <class Element, class Read>
  [[nodiscard]] Result<std::vector<Element>> objects(const char* key, Read read) const {
    const Json* const array = NUR_TRY(get(key));
    if (!array->is_array()) return wrong(key, "an array");
    std::vector<Element> elements;
    elements.reserve(array->size());
    for (const Json& json : *array) {
      const ObjectReader reader =
          NUR_TRY(of(json, fmt::format("{}[{}]", path_of(key), elements.size())));
      elements.push_back(NUR_TRY(read(reader)));
    }
    return elements;
  }

  [[nodiscard]] Result<std::vector<ValueType>> value_types(const char* key) const {
    const Json* const array = NUR_TRY(get(key));
    if (!array->is_array()) return wrong(key, "an array");
    std::vector<ValueType> types;
    types.reserve(array->size());
    for (const Json& json : *array) {
      const std::optional<ValueType> type =
          json.is_string() ? value_type_from(json.get_ref<const std::string&>()) : std::nullopt;
      if (!type) return wrong(key, "an array of value types");
      types.push_back(*type);
    }
    return types;
  }

  [[nodiscard]] std::unexpected<Error> wrong(std::string_view key, std::string_view wanted) const {
    return fail(ErrorKind::invalid_input, "manifest: {} is not {}", path_of(key), wanted);
  }

 private:
  ObjectReader(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {}

  const Json* json_;
  std::string path_;  // empty for the outermost object
};

std::optional<ExternalKind> external_kind_from(std::string_view name) {
  for (const ExternalKind kind :
       {ExternalKind::function, ExternalKind::table, ExternalKind::memory, ExternalKind::global}) {
    if (to_string(kind) == name) return kind;
  }
  return std::nullopt;
}

std::optional<ValueType> reference_type_from(std::string_view name) {
  const std::optional<ValueType> type = value_type_from(name);
  const bool reference = type == ValueType::funcref || type == ValueType::externref;
  return reference ? type : std::nullopt;
}

std::optional<std::string> sha256_hex_from(std::string_view text) {
  const bool hex = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (text.size() != kSha256HexBytes || !hex) return std::nullopt;
  return std::string(text);
}

Result<FunctionType> read_type(const ObjectReader& object) {
  FunctionType type;
  type.parameters = NUR_TRY(object.value_types("parameters"));
  type.results = NUR_TRY(object.value_types("results"));
  return type;
}

Result<ManifestImport> read_import(const ObjectReader& object) {
  ManifestImport import;
  import.module = NUR_TRY(object.string("module"));
  import.name = NUR_TRY(object.string("name"));
  import.type = NUR_TRY(read_type(object));
  return import;
}

Result<ManifestExport> read_export(const ObjectReader& object) {
  ManifestExport exported;
  exported.name = NUR_TRY(object.string("name"));
  exported.kind =
      NUR_TRY(object.named("kind", "function, table, memory or global", external_kind_from));
  if (exported.kind == ExternalKind::function) {
    exported.type = NUR_TRY(read_type(object));
    exported.entry = NUR_TRY(object.number("entry"));
  }
  return exported;
}

Result<MemoryLimits> read_memory(const ObjectReader& object) {
  MemoryLimits memory;
  memory.max_pages = NUR_TRY(object.number("max_pages", kMemoryPagesMax));
  memory.initial_pages = NUR_TRY(object.number("initial_pages", memory.max_pages));
  memory.imported = NUR_TRY(object.boolean("imported"));
  return memory;
}

Result<TableLimits> read_table(const ObjectReader& object) {
  TableLimits table;
  table.element = NUR_TRY(object.named("element", "funcref or externref", reference_type_from));
  table.capacity = NUR_TRY(object.number("capacity"));
  table.initial = NUR_TRY(object.number("initial", table.capacity));
  return table;
}

Result<std::map<std::string, std::uint64_t>> read_limits(const Json& json) {
  NUR_TRY(ObjectReader::of(json, "limits"));
  std::map<std::string, std::uint64_t> limits;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number_unsigned()) {
      return fail(ErrorKind::invalid_input, "manifest: limits.{} is not a whole number", name);
    }
    limits.emplace(name, value.get<std::uint64_t>());
  }
  return limits;
}

// Names of exports are unique in WebAssembly (spec 3.4.10); requests are routed by them.
Result<void> check_unique(const std::vector<ManifestExport>& exports) {
  std::set<std::string_view> names;
  for (const ManifestExport& exported : exports) {
    if (!names.insert(exported.name).second) {
      return fail(ErrorKind::invalid_input, "manifest: exports has \"{}\" twice", exported.name);
    }
  }
  return {};
}

}  // namespace

bool Manifest::imports_function(std::string_view module, std::string_view name) const {
  return std::ranges::any_of(imports, [&](const ManifestImport& import) {
    return import.module == module && import.name == name;
  });
}

const ManifestExport* Manifest::find_function(std::string_view name) const {
  const auto found = std::ranges::find_if(exports, [&](const ManifestExport& exported) {
    return exported.kind == ExternalKind::function && exported.name == name;
  });
  return found == exports.end() ? nullptr : &*found;
}

std::string to_json(const Manifest& manifest) {
  OrderedJson json = {
      {"abi_version", manifest.abi_version}, {"guest_abi", to_string(manifest.guest_abi)},
      {"wasm_sha256", manifest.wasm_sha256}, {"target_cpu", to_string(manifest.target_cpu)},
      {"imports", OrderedJson::array()},     {"exports", OrderedJson::array()},
  };
  for (const ManifestImport& import : manifest.imports) {
    json["imports"].push_back(import_json(import));
  }
  for (const ManifestExport& exported : manifest.exports) {
    json["exports"].push_back(export_json(exported));
  }
  if (manifest.memory) {
    json["memory"] = {{"initial_pages", manifest.memory->initial_pages},
                      {"max_pages", manifest.memory->max_pages},
                      {"imported", manifest.memory->imported}};
  }
  json["tables"] = OrderedJson::array();
  for (const TableLimits& table : manifest.tables) {
    json["tables"].push_back({{"element", to_string(table.element)},
                              {"initial", table.initial},
                              {"capacity", table.capacity}});
  }
  json["has_start"] = manifest.has_start;
  json["nurc_version"] = manifest.nurc_version;
  json["wasm2c_version"] = manifest.wasm2c_version;
  json["compiler"] = manifest.compiler;
  json["flags"] = manifest.flags;
  json["stripped"] = manifest.stripped;
  if (manifest.profile_generate) json["profile_generate"] = true;
  if (!manifest.profile_used.empty()) json["profile_used"] = manifest.profile_used;
  if (!manifest.limits.empty()) json["limits"] = manifest.limits;
  // Names of a module are UTF-8 (spec 5.2.4); a compiler's own text may be anything.
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

Result<Manifest> manifest_from_json(std::string_view text) {
  const Json json = NUR_TRY(parse_object(text));
  const ObjectReader root(json);

  Manifest manifest;
  manifest.abi_version = NUR_TRY(root.number("abi_version"));
  manifest.guest_abi =
      NUR_TRY(root.named("guest_abi", "nur, wasi, handle or typed", guest_abi_from));
  manifest.wasm_sha256 =
      NUR_TRY(root.named("wasm_sha256", "64 lower-case hex digits", sha256_hex_from));
  manifest.target_cpu = NUR_TRY(root.named("target_cpu", "x86-64-v1 to -v4", cpu_level_from));
  manifest.imports = NUR_TRY(root.objects<ManifestImport>("imports", read_import));
  manifest.exports = NUR_TRY(root.objects<ManifestExport>("exports", read_export));
  NUR_TRY(check_unique(manifest.exports));
  if (const Json* memory = root.find("memory")) {
    const ObjectReader object = NUR_TRY(ObjectReader::of(*memory, "memory"));
    manifest.memory = NUR_TRY(read_memory(object));
  }
  manifest.tables = NUR_TRY(root.objects<TableLimits>("tables", read_table));
  manifest.has_start = NUR_TRY(root.boolean("has_start"));
  manifest.nurc_version = NUR_TRY(root.string("nurc_version"));
  manifest.wasm2c_version = NUR_TRY(root.string("wasm2c_version"));
  manifest.compiler = NUR_TRY(root.string("compiler"));
  manifest.flags = NUR_TRY(root.string("flags"));
  if (root.find("stripped") != nullptr) manifest.stripped = NUR_TRY(root.boolean("stripped"));
  if (root.find("profile_generate") != nullptr) {
    manifest.profile_generate = NUR_TRY(root.boolean("profile_generate"));
  }
  if (root.find("profile_used") != nullptr) {
    manifest.profile_used =
        NUR_TRY(root.named("profile_used", "64 lower-case hex digits", sha256_hex_from));
  }
  if (const Json* limits = root.find("limits")) manifest.limits = NUR_TRY(read_limits(*limits));
  return manifest;
}

Result<std::uint32_t> abi_version_from_json(std::string_view text) {
  const Json json = NUR_TRY(parse_object(text));
  return ObjectReader(json).number("abi_version");
}

}  // namespace nur
