#include "compiler/frame_rules.h"

#include <limits>
#include <optional>

#include "base/bytes.h"

namespace nur {
namespace {

constexpr std::uint32_t kCieId = 0xffffffff;

// DWARF 4, table 7.23; the three primary ones have an operand in their low six bits.
enum Opcode : std::uint8_t {
  kNop = 0x00,
  kAdvanceLoc1 = 0x02,
  kAdvanceLoc2 = 0x03,
  kAdvanceLoc4 = 0x04,
  kOffsetExtended = 0x05,
  kRestoreExtended = 0x06,
  kUndefined = 0x07,
  kSameValue = 0x08,
  kRegister = 0x09,
  kRememberState = 0x0a,
  kRestoreState = 0x0b,
  kDefCfa = 0x0c,
  kDefCfaRegister = 0x0d,
  kDefCfaOffset = 0x0e,
  kDefCfaExpression = 0x0f,
  kExpression = 0x10,
  kOffsetExtendedSf = 0x11,
  kDefCfaSf = 0x12,
  kDefCfaOffsetSf = 0x13,
  kGnuArgsSize = 0x2e,
  kAdvanceLoc = 0x40,
  kOffset = 0x80,
  kRestore = 0xc0,
};

// Expressions of one base register and an offset: DW_OP_breg0 + register, then DW_OP_deref.
constexpr std::uint8_t kOpBreg0 = 0x70;
constexpr std::uint8_t kOpDeref = 0x06;

struct Cie {
  std::uint64_t code_factor = 1;
  std::int64_t data_factor = 1;
  std::string_view instructions;
};

struct BaseOffset {
  std::uint8_t base = 0;
  std::int32_t offset = 0;
  bool dereferenced = false;
};

std::optional<std::int32_t> fitting(std::int64_t value) {
  if (value < std::numeric_limits<std::int32_t>::min() ||
      value > std::numeric_limits<std::int32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(value);
}

std::optional<BaseOffset> simple_expression(std::string_view expression) {
  ByteReader reader(expression);
  const std::optional<std::uint8_t> operation = reader.byte();
  const std::optional<std::int64_t> offset = reader.leb128<std::int64_t>();
  if (!operation || *operation < kOpBreg0 || *operation >= kOpBreg0 + kDwarfGeneralRegisters ||
      !offset || !fitting(*offset)) {
    return std::nullopt;
  }
  BaseOffset found{static_cast<std::uint8_t>(*operation - kOpBreg0), *fitting(*offset), false};
  if (reader.at_end()) return found;
  if (reader.byte() != kOpDeref || !reader.at_end()) return std::nullopt;
  found.dereferenced = true;
  return found;
}

// Runs the instructions of a CIE and then of one of its FDEs.
class FrameProgram {
 public:
  explicit FrameProgram(const Cie& cie) : cie_(cie) {}

  // False at the first instruction that is not understood.
  bool run(std::string_view instructions) {
    ByteReader reader(instructions);
    while (!reader.at_end()) {
      if (!step(reader)) return false;
    }
    return true;
  }

  // What restore instructions go back to.
  void set_initial() { initial_ = rule_; }

  // From here on nothing is known.
  void give_up() { set_cfa(kDwarfGeneralRegisters, 0); }

  std::vector<FrameRow> take_rows() {
    put_row();
    return std::move(rows_);
  }

 private:
  void put_row() {
    if (!rows_.empty() && rows_.back().rule == rule_) return;
    if (!rows_.empty() && rows_.back().offset == location_) {
      rows_.back().rule = rule_;
    } else {
      rows_.push_back({location_, rule_});
    }
  }

  bool advance(std::optional<std::uint64_t> delta) {
    if (!delta) return false;
    put_row();
    const std::uint64_t to = location_ + *delta * cie_.code_factor;
    if (to > std::numeric_limits<std::uint32_t>::max()) return false;
    location_ = static_cast<std::uint32_t>(to);
    return true;
  }

  void set_cfa(std::uint64_t base, std::int64_t offset) {
    const std::optional<std::int32_t> small = fitting(offset);
    const bool known = base < kDwarfGeneralRegisters && small;
    rule_.cfa = known ? FrameRule::Cfa::register_offset : FrameRule::Cfa::unknown;
    rule_.base = known ? static_cast<std::uint8_t>(base) : kDwarfRsp;
    rule_.cfa_offset = known ? *small : 0;
  }

  void set_frame_pointer(FrameRule::FramePointer place, std::int64_t offset = 0) {
    const std::optional<std::int32_t> small = fitting(offset);
    rule_.frame_pointer = small ? place : FrameRule::FramePointer::unknown;
    rule_.frame_pointer_offset = small.value_or(0);
  }

  // A rule for a register; only rbp's matters.
  bool saved(std::optional<std::uint64_t> register_number, std::optional<std::int64_t> factored) {
    if (!register_number || !factored) return false;
    if (*register_number == kDwarfRbp) {
      set_frame_pointer(FrameRule::FramePointer::at_cfa, *factored * cie_.data_factor);
    }
    return true;
  }
  bool restored(std::optional<std::uint64_t> register_number) {
    if (!register_number) return false;
    if (*register_number == kDwarfRbp) {
      rule_.frame_pointer = initial_.frame_pointer;
      rule_.frame_pointer_offset = initial_.frame_pointer_offset;
    }
    return true;
  }
  bool placed(std::optional<std::uint64_t> register_number, FrameRule::FramePointer place) {
    if (!register_number) return false;
    if (*register_number == kDwarfRbp) set_frame_pointer(place);
    return true;
  }

  static std::optional<std::int64_t> positive(std::optional<std::uint64_t> value) {
    if (!value || *value > std::uint64_t{std::numeric_limits<std::int32_t>::max()}) {
      return std::nullopt;
    }
    return static_cast<std::int64_t>(*value);
  }
  static std::optional<std::int64_t> bounded(std::optional<std::int64_t> value) {
    if (!value || !fitting(*value)) return std::nullopt;
    return value;
  }

  static std::optional<std::string_view> block(ByteReader& reader) {
    const std::optional<std::uint64_t> bytes = reader.leb128<std::uint64_t>();
    return bytes ? reader.take(*bytes) : std::nullopt;
  }

  bool step(ByteReader& reader) {
    const std::uint8_t code = *reader.byte();
    const std::uint8_t operand = code & 0x3f;
    const auto number = [&] { return reader.leb128<std::uint64_t>(); };
    const auto signed_number = [&] { return bounded(reader.leb128<std::int64_t>()); };
    switch (code & 0xc0) {
      case kAdvanceLoc:
        return advance(operand);
      case kOffset:
        return saved(operand, positive(number()));
      case kRestore:
        return restored(operand);
      default:
        break;
    }
    switch (code) {
      case kNop:
        return true;
      case kAdvanceLoc1:
        return advance(reader.byte());
      case kAdvanceLoc2:
        return advance(reader.little_endian<std::uint16_t>());
      case kAdvanceLoc4:
        return advance(reader.little_endian<std::uint32_t>());
      case kOffsetExtended: {
        const auto register_number = number();
        return saved(register_number, positive(number()));
      }
      case kOffsetExtendedSf: {
        const auto register_number = number();
        return saved(register_number, signed_number());
      }
      case kRestoreExtended:
        return restored(number());
      case kUndefined:
        return placed(number(), FrameRule::FramePointer::unknown);
      case kSameValue:
        return placed(number(), FrameRule::FramePointer::same);
      case kRegister:
        return placed(number(), FrameRule::FramePointer::unknown) && number().has_value();
      case kRememberState:
        remembered_.push_back(rule_);
        return true;
      case kRestoreState:
        if (remembered_.empty()) return false;
        rule_ = remembered_.back();
        remembered_.pop_back();
        return true;
      case kDefCfa:
      case kDefCfaSf: {
        const auto base = number();
        const auto offset = code == kDefCfa ? positive(number()) : signed_number();
        if (!base || !offset) return false;
        set_cfa(*base, code == kDefCfa ? *offset : *offset * cie_.data_factor);
        return true;
      }
      case kDefCfaRegister: {
        const auto base = number();
        if (!base) return false;
        set_cfa(*base, rule_.cfa_offset);
        return true;
      }
      case kDefCfaOffset:
      case kDefCfaOffsetSf: {
        const auto offset = code == kDefCfaOffset ? positive(number()) : signed_number();
        if (!offset) return false;
        if (rule_.cfa == FrameRule::Cfa::register_offset) {
          set_cfa(rule_.base, code == kDefCfaOffset ? *offset : *offset * cie_.data_factor);
        }
        return true;
      }
      case kDefCfaExpression: {
        const std::optional<std::string_view> expression = block(reader);
        if (!expression) return false;
        const std::optional<BaseOffset> simple = simple_expression(*expression);
        set_cfa(simple ? simple->base : kDwarfGeneralRegisters, simple ? simple->offset : 0);
        if (simple && simple->dereferenced) rule_.cfa = FrameRule::Cfa::memory;
        return true;
      }
      case kExpression: {
        const auto register_number = number();
        const std::optional<std::string_view> expression = block(reader);
        if (!register_number || !expression) return false;
        if (*register_number != kDwarfRbp) return true;
        const std::optional<BaseOffset> simple = simple_expression(*expression);
        if (simple && !simple->dereferenced && simple->base == kDwarfRbp) {
          set_frame_pointer(FrameRule::FramePointer::at_base, simple->offset);
        } else {
          set_frame_pointer(FrameRule::FramePointer::unknown);
        }
        return true;
      }
      case kGnuArgsSize:
        return number().has_value();
      default:
        return false;
    }
  }

  const Cie& cie_;
  FrameRule rule_;
  FrameRule initial_;
  std::uint32_t location_ = 0;
  std::vector<FrameRule> remembered_;
  std::vector<FrameRow> rows_;
};

std::optional<Cie> read_cie(ByteReader reader) {
  Cie cie;
  const std::optional<std::uint8_t> version = reader.byte();
  const std::optional<std::uint8_t> augmentation_end = reader.byte();
  if (!version || augmentation_end != 0)
    return std::nullopt;  // with augmentation: not .debug_frame
  if (*version >= 4 && reader.take(2) != std::string_view("\x08\0", 2)) return std::nullopt;
  const auto code_factor = reader.leb128<std::uint32_t>();
  const auto data_factor = reader.leb128<std::int32_t>();
  const auto return_address =
      *version == 1 ? std::optional<std::uint32_t>(reader.byte()) : reader.leb128<std::uint32_t>();
  if (!code_factor || !data_factor || !return_address) return std::nullopt;
  cie.code_factor = *code_factor;
  cie.data_factor = *data_factor;
  cie.instructions = *reader.take(reader.remaining());
  return cie;
}

}  // namespace

Result<std::map<std::uint64_t, std::vector<FrameRow>>> read_frame_rules(
    std::string_view debug_frame) {
  const auto malformed = [](std::size_t offset) {
    return fail(ErrorKind::internal, "the compiler's .debug_frame cannot be read at offset {}",
                offset);
  };
  std::map<std::uint64_t, std::vector<FrameRow>> frames;
  std::map<std::uint32_t, Cie> cies;
  ByteReader reader(debug_frame);
  while (!reader.at_end()) {
    const std::size_t start = reader.offset();
    const auto length = reader.little_endian<std::uint32_t>();
    const auto body = length ? reader.take(*length) : std::nullopt;
    if (!body) return malformed(start);
    ByteReader entry(*body);
    const auto id = entry.little_endian<std::uint32_t>();
    if (!id) return malformed(start);
    if (*id == kCieId) {
      const std::optional<Cie> cie = read_cie(entry);
      if (!cie) return malformed(start);
      cies.emplace(static_cast<std::uint32_t>(start), *cie);
      continue;
    }
    const auto cie = cies.find(*id);
    const auto address = entry.little_endian<std::uint64_t>();
    const auto bytes = entry.little_endian<std::uint64_t>();
    if (cie == cies.end() || !address || !bytes) return malformed(start);
    FrameProgram program(cie->second);
    bool understood = program.run(cie->second.instructions);
    program.set_initial();
    understood = understood && program.run(*entry.take(entry.remaining()));
    if (!understood) program.give_up();
    frames.insert_or_assign(*address, program.take_rows());
  }
  return frames;
}

}  // namespace nur
