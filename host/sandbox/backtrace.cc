#include "host/sandbox/backtrace.h"

#include <cstring>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"

namespace nur {
namespace {

// At most kInnermost + kOutermost names of kNameBytes, so a trace stays below 5 KiB.
constexpr std::size_t kInnermost = 16;
constexpr std::size_t kOutermost = 4;
constexpr std::size_t kNameBytes = 200;

// Rows of rules that one walk looks at before it gives up. A stack of 1 MiB has at most 131,072
// frames, and a recursion finds its rules in the cache.
constexpr std::uint64_t kRowsMax = 1'000'000;

using Entry = FunctionTable::Entry;

// What is known of one place in the code.
struct Place {
  static constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

  std::uint64_t address = kNowhere;
  Entry entry;  // of the runtime for code that the table does not know
  FrameRule rule;
};

// Remembers the places seen last: a deep stack has few different ones, and is long.
class Places {
 public:
  explicit Places(const FunctionTable& functions) : functions_(functions) {}

  const Place& at(std::uint64_t address) {
    Place& place = cache_[(address ^ address / kCached) % kCached];
    if (place.address != address) place = look_up(address);
    return place;
  }

 private:
  static constexpr std::size_t kCached = 64;

  Place look_up(std::uint64_t address) {
    Place place{address, Entry(), FrameRule()};
    if (const std::optional<Entry> entry = functions_.find(address)) {
      place.entry = *entry;
      place.rule = functions_.rule_at(*entry, address, rows_left_).value_or(FrameRule());
    }
    return place;
  }

  const FunctionTable& functions_;
  std::uint64_t rows_left_ = kRowsMax;
  std::array<Place, kCached> cache_;
};

// One frame after the other, from the innermost to where the host called.
class StackWalk {
 public:
  StackWalk(const GuestCode& code, const GuestRegisters& registers,
            std::span<const std::byte> stack)
      : code_(code),
        stack_(stack),
        stack_begin_(reinterpret_cast<std::uintptr_t>(stack.data())),
        places_(code.functions),
        registers_(registers.general),
        known_(registers.in_call ? (1U << kDwarfRsp | 1U << kDwarfRbp) : 0xffffU),
        program_counter_(registers.program_counter),
        in_call_(registers.in_call) {}

  [[nodiscard]] bool in_guest() const {
    return program_counter_ >= code_.text_begin && program_counter_ < code_.text_end;
  }
  // Where the frame that the walk is at was left.
  const Place& place() { return places_.at(address()); }
  // Goes on while the caller was left at the same place: most of a deep recursion, in one loop.
  // Returns how many frames that were.
  std::uint64_t skip_repeats(const FrameRule& rule) {
    if (!in_call_ || rule.cfa != FrameRule::Cfa::register_offset || rule.base != kDwarfRsp ||
        rule.cfa_offset <= 0 || rule.cfa_offset % sizeof(std::uint64_t) != 0) {
      return 0;
    }
    const auto frame_bytes = static_cast<std::uint64_t>(rule.cfa_offset);
    std::uint64_t skipped = 0;
    while (word_at(registers_[kDwarfRsp] + frame_bytes - sizeof(std::uint64_t)) ==
           program_counter_) {
      const auto frame_pointer = callers_frame_pointer(rule, registers_[kDwarfRsp] + frame_bytes);
      enter_caller(registers_[kDwarfRsp] + frame_bytes, frame_pointer);
      ++skipped;
    }
    return skipped;
  }

  // From there; false when there is no way on.
  bool go_to_caller(const FrameRule& rule) {
    const std::optional<std::uint64_t> cfa = frame_end(rule);
    // Every frame ends above the one inside of it, so this ends.
    if (!cfa || *cfa <= frame_end_ || *cfa % sizeof(std::uint64_t) != 0) return false;
    const std::optional<std::uint64_t> return_address = word_at(*cfa - sizeof(std::uint64_t));
    if (!return_address) return false;

    enter_caller(*cfa, callers_frame_pointer(rule, *cfa));
    program_counter_ = *return_address;
    return true;
  }

 private:
  void enter_caller(std::uint64_t cfa, std::optional<std::uint64_t> frame_pointer) {
    registers_[kDwarfRbp] = frame_pointer.value_or(0);
    registers_[kDwarfRsp] = cfa;
    known_ = 1U << kDwarfRsp | (frame_pointer ? 1U << kDwarfRbp : 0);
    frame_end_ = cfa;
    in_call_ = true;
  }

  // The last instruction of a function may be a call: what it returns to is another function.
  [[nodiscard]] std::uint64_t address() const {
    return program_counter_ - (in_call_ ? 1 : 0) - code_.load_base;
  }

  [[nodiscard]] std::optional<std::uint64_t> word_at(std::uint64_t address) const {
    std::uint64_t word = 0;
    if (address < stack_begin_ || address - stack_begin_ > stack_.size() ||
        stack_.size() - (address - stack_begin_) < sizeof word) {
      return std::nullopt;
    }
    std::memcpy(&word, stack_.data() + (address - stack_begin_), sizeof word);
    return word;
  }

  [[nodiscard]] std::optional<std::uint64_t> register_plus(std::uint8_t number,
                                                           std::int32_t offset) const {
    if ((known_ >> number & 1) == 0) return std::nullopt;
    return registers_[number] + static_cast<std::uint64_t>(std::int64_t{offset});
  }

  [[nodiscard]] std::optional<std::uint64_t> frame_end(const FrameRule& rule) const {
    const std::optional<std::uint64_t> place = register_plus(rule.base, rule.cfa_offset);
    if (!place || rule.cfa == FrameRule::Cfa::unknown) return std::nullopt;
    return rule.cfa == FrameRule::Cfa::memory ? word_at(*place) : place;
  }

  [[nodiscard]] std::optional<std::uint64_t> callers_frame_pointer(const FrameRule& rule,
                                                                   std::uint64_t cfa) const {
    switch (rule.frame_pointer) {
      case FrameRule::FramePointer::same:
        return register_plus(kDwarfRbp, 0);
      case FrameRule::FramePointer::at_cfa:
        return word_at(cfa + static_cast<std::uint64_t>(std::int64_t{rule.frame_pointer_offset}));
      case FrameRule::FramePointer::at_base: {
        const auto place = register_plus(kDwarfRbp, rule.frame_pointer_offset);
        return place ? word_at(*place) : std::nullopt;
      }
      case FrameRule::FramePointer::unknown:
        break;
    }
    return std::nullopt;
  }

  const GuestCode& code_;
  const std::span<const std::byte> stack_;
  const std::uintptr_t stack_begin_;
  Places places_;
  std::array<std::uint64_t, kDwarfGeneralRegisters> registers_;
  std::uint32_t known_;  // a bit for each register
  std::uint64_t program_counter_;
  bool in_call_;
  std::uint64_t frame_end_ = 0;
};

// Functions in the order of the walk, as many as are shown.
class Trace {
 public:
  Trace() { innermost_.reserve(kInnermost); }  // which last_ points into

  // `times` frames of one place.
  void add(const Entry& entry, std::uint64_t times) {
    if (entry.wasm_index == NativeFunction::kNone) return;
    if (last_ != nullptr && last_->entry.wasm_index == entry.wasm_index) {
      // What enters a function is that function, once.
      if (!entry.is_entry) last_->times += times;
      return;
    }
    if (innermost_.size() < kInnermost) {
      last_ = &innermost_.emplace_back(Group{entry, times});
      return;
    }
    // The oldest of the outermost makes room.
    last_ = &outermost_[outermost_count_++ % kOutermost];
    hidden_ += last_->times;
    *last_ = {entry, times};
  }

  [[nodiscard]] std::string text(bool complete) const {
    std::vector<std::string> parts;
    for (const Group& group : innermost_) parts.push_back(group.text());
    if (hidden_ > 0) parts.push_back(fmt::format("... {} more", hidden_));
    for (std::size_t i = outermost_count_; i < outermost_count_ + kOutermost; ++i) {
      const Group& group = outermost_[i % kOutermost];
      if (group.times > 0) parts.push_back(group.text());
    }
    if (!complete && !parts.empty()) parts.emplace_back("?");
    return fmt::format("{}", fmt::join(parts, " <- "));
  }

 private:
  struct Group {
    Entry entry;
    std::uint64_t times = 0;

    [[nodiscard]] std::string text() const {
      const std::string name = entry.name.empty() ? fmt::format("function {}", entry.wasm_index)
                                                  : printable(entry.name, kNameBytes);
      return times == 1 ? name : fmt::format("{} (x {})", name, times);
    }
  };

  std::vector<Group> innermost_;
  std::array<Group, kOutermost> outermost_;  // a ring
  std::size_t outermost_count_ = 0;
  std::uint64_t hidden_ = 0;
  Group* last_ = nullptr;
};

}  // namespace

std::string backtrace_text(const GuestCode& code, const GuestRegisters& registers,
                           std::span<const std::byte> stack) {
  StackWalk walk(code, registers, stack);
  Trace trace;
  bool complete = true;
  while (walk.in_guest()) {
    const Place& place = walk.place();
    trace.add(place.entry, 1 + walk.skip_repeats(place.rule));
    complete = walk.go_to_caller(place.rule);
    if (!complete) break;
  }
  return trace.text(complete);
}

}  // namespace nur
