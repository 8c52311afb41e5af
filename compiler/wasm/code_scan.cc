#include "compiler/wasm/code_scan.h"

#include <limits>

#include "compiler/wasm/opcodes.h"
#include "compiler/wasm/section_reader.h"

namespace nur {
namespace {

constexpr std::uint8_t kEmptyBlockType = 0x40;
constexpr std::uint32_t kMultiMemoryBit = 0x40;  // in the alignment of a memory access
constexpr std::size_t kBlockTypeBytesMax = 5;    // a 33-bit LEB128

std::unexpected<Error> unknown_opcode(const SectionReader& reader, std::size_t at,
                                      std::string_view prefix, std::uint32_t opcode) {
  return reader.malformed(at, "unknown opcode {}{:#04x}", prefix, opcode);
}

// A block type: empty, one value type, or the index of a function type.
Result<void> read_block_type(SectionReader& reader, const WasmModule& module,
                             FeatureSet& features) {
  const std::size_t at = reader.offset();
  const std::uint8_t first = NUR_TRY(reader.peek("block type"));
  if (first == kEmptyBlockType) {
    NUR_TRY(reader.byte("block type"));
    return {};
  }
  const bool negative_in_one_byte = (first & 0xc0) == 0x40;
  if (negative_in_one_byte) {
    NUR_TRY(read_value_type(reader, features));
    return {};
  }
  const std::int64_t index = NUR_TRY(reader.s64("block type"));
  if (reader.offset() - at > kBlockTypeBytesMax || index < 0 ||
      index > std::numeric_limits<std::uint32_t>::max()) {
    return reader.malformed(at, "block type is no type index of 33 bits");
  }
  if (static_cast<std::uint64_t>(index) >= module.types.size()) {
    return reader.malformed(at, "block type index {} is out of range, there are {}", index,
                            module.types.size());
  }
  features.add(Feature::multi_value);
  return {};
}

}  // namespace

Result<void> CodeScanner::scan(std::uint32_t function, FunctionBody& body) {
  const std::string section = fmt::format("code section: function {}", function);
  SectionReader reader(body.bytes, body.offset, section);
  if (body.bytes.size() > limits_.function_body_bytes) {
    return fail(ErrorKind::limit_exceeded, "function {}: {} bytes of code, the limit is {}",
                function, body.bytes.size(), limits_.function_body_bytes);
  }
  const std::size_t parameters = module_.type_of(function).parameters.size();
  body.locals = NUR_TRY(declared_locals(reader, parameters));
  local_count_ = parameters + body.locals;
  NUR_TRY(instructions(reader));
  return reader.finish();
}

Result<std::uint32_t> CodeScanner::declared_locals(SectionReader& reader, std::size_t parameters) {
  const std::uint32_t groups = NUR_TRY(reader.count("number of groups of locals"));
  std::uint64_t locals = 0;
  for (std::uint32_t group = 0; group < groups; ++group) {
    const std::size_t at = reader.offset();
    locals += NUR_TRY(reader.u32("number of locals"));
    NUR_TRY(read_value_type(reader, features_));
    if (locals > std::numeric_limits<std::uint32_t>::max()) {
      return reader.malformed(at, "2^32 or more locals");
    }
  }
  if (parameters + locals > limits_.locals) {
    return reader.over_limit(parameters + locals, "parameters and locals", limits_.locals);
  }
  return static_cast<std::uint32_t>(locals);
}

Result<void> CodeScanner::instructions(SectionReader& reader) {
  open_.assign(1, Frame::block);
  while (!open_.empty()) {
    const std::size_t at = reader.offset();
    const std::uint8_t opcode = NUR_TRY(reader.byte("an instruction (a block is not closed)"));
    const Instruction found = instruction(opcode);
    if (found.feature) features_.add(*found.feature);
    switch (found.immediate) {
      case Immediate::none:
        break;
      case Immediate::unknown:
        if (const auto refused = refused_instruction(opcode)) {
          return refuse_feature(refused->feature, refused->name, at);
        }
        return unknown_opcode(reader, at, "", opcode);
      case Immediate::bulk_prefix: {
        const std::uint32_t second = NUR_TRY(reader.u32("opcode after 0xfc"));
        const Instruction bulk = bulk_instruction(second);
        if (bulk.immediate == Immediate::unknown) {
          if (const auto refused = refused_bulk_instruction(second)) {
            return refuse_feature(refused->feature, refused->name, at);
          }
          return unknown_opcode(reader, at, "0xfc ", second);
        }
        if (bulk.feature) features_.add(*bulk.feature);
        NUR_TRY(immediates(reader, bulk, at));
        break;
      }
      case Immediate::vector_prefix: {
        const std::uint32_t second = NUR_TRY(reader.u32("opcode after 0xfd"));
        const Instruction vector = vector_instruction(second);
        if (vector.immediate == Immediate::unknown) {
          if (const auto refused = refused_vector_instruction(second)) {
            return refuse_feature(refused->feature, refused->name, at);
          }
          return unknown_opcode(reader, at, "0xfd ", second);
        }
        NUR_TRY(immediates(reader, vector, at));
        break;
      }
      default:
        NUR_TRY(immediates(reader, found, at));
    }
  }
  return {};
}

Result<void> CodeScanner::immediates(SectionReader& reader, Instruction instruction,
                                     std::size_t at) {
  switch (instruction.immediate) {
    case Immediate::unknown:
    case Immediate::none:
    case Immediate::bulk_prefix:
    case Immediate::vector_prefix:
      return {};
    case Immediate::block:
      return enter(reader, Frame::block);
    case Immediate::if_:
      return enter(reader, Frame::if_);
    case Immediate::else_:
      if (open_.back() != Frame::if_) return reader.malformed(at, "else without if");
      open_.back() = Frame::else_;
      return {};
    case Immediate::end:
      open_.pop_back();
      return {};
    case Immediate::label:
      NUR_TRY(reader.index("label", open_.size()));
      return {};
    case Immediate::label_table:
      return label_table(reader, at);
    case Immediate::function:
      NUR_TRY(reader.index("function", module_.functions.size()));
      return {};
    case Immediate::function_reference: {
      const std::uint32_t function = NUR_TRY(reader.index("function", module_.functions.size()));
      if (module_.is_reference_declared(function)) return {};
      return reader.malformed(at, "ref.func {}, which occurs nowhere outside function bodies",
                              function);
    }
    case Immediate::indirect_call:
      NUR_TRY(reader.index("type", module_.types.size()));
      NUR_TRY(reader.index("table", module_.tables.size()));
      return {};
    case Immediate::select_types:
      return select_types(reader, at);
    case Immediate::local:
      NUR_TRY(reader.index("local", local_count_));
      return {};
    case Immediate::global:
      NUR_TRY(reader.index("global", module_.globals.size()));
      return {};
    case Immediate::table:
      NUR_TRY(reader.index("table", module_.tables.size()));
      return {};
    case Immediate::memory_access:
      return memory_access(reader, at);
    case Immediate::memory:
      return memory(reader, at);
    case Immediate::i32:
      NUR_TRY(reader.s32("i32.const"));
      return {};
    case Immediate::i64:
      NUR_TRY(reader.s64("i64.const"));
      return {};
    case Immediate::bytes4:
      NUR_TRY(reader.take(4, "f32.const"));
      return {};
    case Immediate::bytes8:
      NUR_TRY(reader.take(8, "f64.const"));
      return {};
    case Immediate::bytes16:
      NUR_TRY(reader.take(16, "v128.const"));
      return {};
    case Immediate::heap_type:
      NUR_TRY(read_heap_type(reader, features_));
      return {};
    case Immediate::data_memory:
      NUR_TRY(data_segment(reader, at));
      return memory(reader, at);
    case Immediate::data:
      return data_segment(reader, at);
    case Immediate::memory_memory:
      NUR_TRY(memory(reader, at));
      return memory(reader, at);
    case Immediate::element_table:
      NUR_TRY(reader.index("element segment", module_.element_segments.size()));
      NUR_TRY(reader.index("table", module_.tables.size()));
      return {};
    case Immediate::element:
      NUR_TRY(reader.index("element segment", module_.element_segments.size()));
      return {};
    case Immediate::table_table:
      NUR_TRY(reader.index("table", module_.tables.size()));
      NUR_TRY(reader.index("table", module_.tables.size()));
      return {};
    case Immediate::shuffle:
      for (int index = 0; index < 16; ++index) NUR_TRY(lane(reader, instruction.lanes));
      return {};
    case Immediate::lane:
      return lane(reader, instruction.lanes);
    case Immediate::memory_access_lane:
      NUR_TRY(memory_access(reader, at));
      return lane(reader, instruction.lanes);
  }
  return {};
}

Result<void> CodeScanner::enter(SectionReader& reader, Frame frame) {
  NUR_TRY(read_block_type(reader, module_, features_));
  // The function's own frame does not count.
  if (open_.size() > limits_.nesting) {
    return reader.over_limit(open_.size(), "nested blocks", limits_.nesting);
  }
  open_.push_back(frame);
  return {};
}

Result<void> CodeScanner::label_table(SectionReader& reader, std::size_t at) {
  const std::uint32_t targets = NUR_TRY(reader.count("number of br_table targets"));
  if (targets > limits_.branch_table_targets) {
    return reader.over_limit(targets, fmt::format("targets of br_table at offset {:#x}", at),
                             limits_.branch_table_targets);
  }
  // One more: the default.
  for (std::uint32_t target = 0; target <= targets; ++target) {
    NUR_TRY(reader.index("label", open_.size()));
  }
  return {};
}

Result<void> CodeScanner::select_types(SectionReader& reader, std::size_t at) {
  const std::uint32_t types = NUR_TRY(reader.count("number of types of select"));
  if (types != 1) return reader.malformed(at, "select with {} types, expected one", types);
  NUR_TRY(read_value_type(reader, features_));
  return {};
}

Result<void> CodeScanner::memory_access(SectionReader& reader, std::size_t at) {
  const std::uint32_t alignment = NUR_TRY(reader.u32("alignment"));
  if (alignment >= 2 * kMultiMemoryBit) {
    return reader.malformed(at, "alignment of 2^{} bytes", alignment);
  }
  if (alignment & kMultiMemoryBit) {
    return refuse_feature(Feature::multi_memory, "memory access with a memory index", at);
  }
  NUR_TRY(reader.u32("memory offset"));
  return has_memory(reader, at);
}

Result<void> CodeScanner::memory(SectionReader& reader, std::size_t at) {
  const std::uint8_t index = NUR_TRY(reader.byte("memory index"));
  if (index != 0) return refuse_feature(Feature::multi_memory, "memory index other than 0", at);
  return has_memory(reader, at);
}

Result<void> CodeScanner::has_memory(const SectionReader& reader, std::size_t at) const {
  if (!module_.memories.empty()) return {};
  return reader.malformed(at, "an instruction accesses memory, and the module has none");
}

Result<void> CodeScanner::data_segment(SectionReader& reader, std::size_t at) {
  if (!data_count_) {
    return reader.malformed(at, "memory.init and data.drop need a data count section");
  }
  NUR_TRY(reader.index("data segment", *data_count_));
  return {};
}

Result<void> CodeScanner::lane(SectionReader& reader, std::uint8_t lanes) {
  const std::size_t at = reader.offset();
  const std::uint8_t number = NUR_TRY(reader.byte("lane number"));
  if (number >= lanes) return reader.malformed(at, "lane {} of {}", number, lanes);
  return {};
}

}  // namespace nur
