// Modules made of bytes, for tests: well-formed ones part by part, malformed ones section by
// section.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace nur::test {

inline std::string raw(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

inline std::string leb(std::uint64_t value) {
  std::string text;
  while (value >= 0x80) {
    text.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  text.push_back(static_cast<char>(value));
  return text;
}

inline std::string name(std::string_view text) { return leb(text.size()) + std::string(text); }

inline std::string vec(const std::vector<std::string>& items) {
  std::string text = leb(items.size());
  for (const std::string& item : items) text += item;
  return text;
}

inline std::string section(int id, const std::string& payload) {
  return raw({id}) + leb(payload.size()) + payload;
}

inline std::string preamble() { return raw({0, 'a', 's', 'm', 1, 0, 0, 0}); }

inline std::string module_of(const std::vector<std::string>& sections) {
  std::string text = preamble();
  for (const std::string& found : sections) text += found;
  return text;
}

// Value types as the binary format writes them.
inline constexpr char kI32 = 0x7f;
inline constexpr char kI64 = 0x7e;
inline constexpr char kF32 = 0x7d;
inline constexpr char kF64 = 0x7c;
inline constexpr char kV128 = 0x7b;

inline std::string i32_const(std::uint32_t value) {
  // A fifth byte would need the sign's copies; tests use values below 2^28.
  std::string text = raw({0x41});
  while (value >= 0x40) {
    text.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  text.push_back(static_cast<char>(value));
  return text;
}

// Adds parts in any order; bytes() puts the sections in theirs.
class ModuleBuilder {
 public:
  // Index of the type.
  int type(const std::string& parameters, const std::string& results) {
    types_.push_back(raw({0x60}) + name(parameters) + name(results));
    return static_cast<int>(types_.size()) - 1;
  }
  ModuleBuilder& import_function(std::string_view module, std::string_view field, int type) {
    return import(module, field, leb(0).append(leb(static_cast<std::uint64_t>(type))));
  }
  // `description`: kind and type.
  ModuleBuilder& import(std::string_view module, std::string_view field,
                        const std::string& description) {
    imports_.push_back(name(module) + name(field) + description);
    return *this;
  }
  // `body`: instructions with the last end; `locals`: the vector of groups.
  ModuleBuilder& function(int type, const std::string& body, const std::string& locals = raw({0})) {
    functions_.push_back(leb(static_cast<std::uint64_t>(type)));
    const std::string code = locals + body;
    bodies_.push_back(leb(code.size()) + code);
    return *this;
  }
  ModuleBuilder& table(const std::string& type_and_limits) {
    tables_.push_back(type_and_limits);
    return *this;
  }
  ModuleBuilder& memory(const std::string& limits) {
    memories_.push_back(limits);
    return *this;
  }
  ModuleBuilder& global(const std::string& type_and_initializer) {
    globals_.push_back(type_and_initializer);
    return *this;
  }
  // `kind`: 0 function, 1 table, 2 memory, 3 global.
  ModuleBuilder& exported(std::string_view field, int kind, int index) {
    exports_.push_back(name(field) + raw({kind}) + leb(static_cast<std::uint64_t>(index)));
    return *this;
  }
  ModuleBuilder& start(int function) {
    start_ = leb(static_cast<std::uint64_t>(function));
    return *this;
  }
  ModuleBuilder& element(const std::string& segment) {
    elements_.push_back(segment);
    return *this;
  }
  ModuleBuilder& data_count(int count) {
    data_count_ = leb(static_cast<std::uint64_t>(count));
    return *this;
  }
  // Active at `offset`.
  ModuleBuilder& data_at(std::uint32_t offset, const std::string& bytes) {
    return data(raw({0}) + i32_const(offset) + raw({0x0b}) + name(bytes));
  }
  ModuleBuilder& data(const std::string& segment) {
    data_.push_back(segment);
    return *this;
  }
  // After all other sections.
  ModuleBuilder& custom(std::string_view section_name, const std::string& payload) {
    customs_.push_back(section(0, name(section_name) + payload));
    return *this;
  }

  [[nodiscard]] std::string bytes() const {
    std::string text = preamble();
    const auto add = [&text](int id, const std::vector<std::string>& items) {
      if (!items.empty()) text += section(id, vec(items));
    };
    add(1, types_);
    add(2, imports_);
    add(3, functions_);
    add(4, tables_);
    add(5, memories_);
    add(6, globals_);
    add(7, exports_);
    if (!start_.empty()) text += section(8, start_);
    add(9, elements_);
    if (!data_count_.empty()) text += section(12, data_count_);
    add(10, bodies_);
    add(11, data_);
    for (const std::string& custom : customs_) text += custom;
    return text;
  }

 private:
  std::vector<std::string> types_, imports_, functions_, bodies_, tables_, memories_, globals_,
      exports_, elements_, data_, customs_;
  std::string start_;
  std::string data_count_;
};

// One function () -> () with this body; a memory of a page and a table of ten.
inline std::string module_with_body(const std::string& body) {
  ModuleBuilder builder;
  builder.function(builder.type("", ""), body);
  builder.memory(raw({0, 1})).table(raw({0x70, 0, 10}));
  return builder.bytes();
}

// Something of everything that nur runs.
inline std::string rich_module() {
  ModuleBuilder builder;
  const int nothing = builder.type("", "");
  const int write = builder.type({kI32, kI32}, "");
  const int add = builder.type({kI32, kI32}, {kI32});
  builder.import_function("nur", "nur_send", write);
  builder.function(nothing, raw({0x02, 0x40, 0x03, 0x40, 0x0c, 0x01, 0x0b, 0x0b, 0x0b}));
  builder.function(add, raw({0x20, 0, 0x20, 1, 0x6a, 0x0b}), raw({2, 1, kI32, 2, kV128}));
  builder.function(nothing,
                   raw({0x41, 0, 0xfd, 0x00, 0, 0, 0xfd, 0x15, 3, 0x1a, 0x41, 0,    0x41, 0,
                        0x41, 0, 0xfc, 0x08, 1, 0, 0xfc, 0x09, 1, 0xd2, 1,    0x1a, 0x0b}));
  builder.function(nothing, raw({0x41, 0, 0x04, 0x40, 0x05, 0x0b, 0x41, 0, 0x0e, 1, 0, 0, 0x0b}));
  builder.function(nothing, raw({0x41, 0, 0x11, 0, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x1a, 0x0b}));
  builder.table(raw({0x70, 1, 10, 20})).table(raw({0x6f, 0, 1}));
  builder.memory(raw({1, 1, 2}));
  builder.global(raw({kI32, 1, 0x41, 7, 0x0b}))
      .global(raw({kI64, 0, 0x42, 1, 0x42, 2, 0x7c, 0x0b}));
  builder.exported("memory", 2, 0).exported("add", 0, 2).exported("stack", 3, 0);
  builder.exported("run", 0, 1);
  builder.start(1);
  builder.element(raw({0, 0x41, 1, 0x0b, 2, 1, 2}));
  builder.element(raw({5, 0x70, 2, 0xd2, 1, 0x0b, 0xd0, 0x70, 0x0b}));
  builder.data_count(2).data_at(100, "hello");
  builder.data(raw({1}) + name("passive"));
  builder.custom("name", raw({0}) + name(name("rich")) + raw({1}) +
                             name(vec({leb(1) + name("loops"), leb(2) + name("adds")})));
  builder.custom("producers", "whatever");
  return builder.bytes();
}

}  // namespace nur::test
