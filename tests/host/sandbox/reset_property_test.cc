// After every request, whatever it did and however it ended, an instance is as it was: every byte
// of memory, globals and tables. Random requests of modules of several shapes, reset in every way.
//
// NUR_RESET_REQUESTS sets how many requests there are in all (./dev test reset: 100,000); the seed
// is fixed.
#include <cstdlib>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/guest.h"

namespace nur {
namespace {

using test::load_wat;
using test::OneCall;
using test::run_guest;

constexpr std::string_view kBody = R"(
  (type $none (func))
  (global $a (mut i32) (i32.const 40))
  (global $b (mut i64) (i64.const -1))
  (global $c (mut f64) (f64.const 0.5))
  (func $zero) (func $one)
  (elem (table $t) (i32.const 1) func $one $zero $one)
  (elem $passive func $zero $one $one $zero $one $zero $zero $one)
  (data $bytes "\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f")
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32) (call $host (local.get 0) (local.get 1)))
  (func (export "read") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "store_wide") (param i32 i32)
    (i64.store (local.get 0) (i64.extend_i32_u (local.get 1))))
  (func (export "scatter") (param $at i32) (param $step i32) (param $count i32)
    (loop $next
      (i32.store8 (local.get $at) (local.get $count))
      (local.set $at (i32.add (local.get $at) (local.get $step)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func (export "fill") (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32)
    (memory.init $bytes (local.get 0) (i32.const 2) (local.get 1)))
  (func (export "drop") (data.drop $bytes) (elem.drop $passive))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "table_set") (param i32) (table.set $t (local.get 0) (ref.func $one)))
  (func (export "table_null") (param i32) (table.set $t (local.get 0) (ref.null func)))
  (func (export "table_fill") (param i32 i32)
    (table.fill $t (local.get 0) (ref.func $zero) (local.get 1)))
  (func (export "table_init") (param i32 i32)
    (table.init $t $passive (local.get 0) (i32.const 1) (local.get 1)))
  (func (export "table_copy") (param i32 i32 i32)
    (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table_grow") (param i32) (result i32)
    (table.grow $t (ref.func $one) (local.get 0)))
  (func (export "globals") (param i32)
    (global.set $a (local.get 0)) (global.set $b (i64.extend_i32_u (local.get 0)))
    (global.set $c (f64.convert_i32_u (local.get 0))))
  (func (export "indirect") (param i32) (call_indirect $t (type $none) (local.get 0)))
  (func (export "unreachable") (unreachable))
  (func $deep (export "deep") (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
  (func (export "spin") (loop $again (br $again))))
)";

struct Shape {
  std::uint32_t pages;
  std::uint32_t pages_max;
  std::uint32_t table;
  std::uint32_t table_max;
  std::uint32_t image_pieces;
  std::uint32_t globals;
};

constexpr Shape kShapes[] = {
    {1, 3, 10, 20, 1, 0},         // a small one
    {8, 12, 300, 900, 2, 0},      // tables of several pages
    {24, 30, 2000, 4000, 3, 50},  // more than may stay resident
    {20, 24, 10, 10, 30, 2000},   // an image in many pieces, globals of several pages
};

std::string wat_of(const Shape& shape) {
  std::string wat = fmt::format(
      "(module (import \"nur\" \"nur_log\" (func $host (param i32 i32)))\n"
      "(memory (export \"memory\") {} {})\n(table $t {} {} funcref)\n",
      shape.pages, shape.pages_max, shape.table, shape.table_max);
  const std::uint32_t distance = shape.pages * NUR_WASM_PAGE_BYTES / (shape.image_pieces + 1);
  for (std::uint32_t i = 1; i <= shape.image_pieces; ++i) {
    wat += fmt::format("(data (i32.const {}) \"piece {} of the image\")\n", i * distance, i);
  }
  for (std::uint32_t i = 0; i < shape.globals; ++i) {
    wat += fmt::format("(global $g{0} (export \"g{0}\") (mut i64) (i64.const {0}))\n", i);
  }
  if (shape.globals > 0) {
    wat += fmt::format(
        "(func (export \"far_globals\") (global.set $g{} (i64.const -1)) (global.set $g{} "
        "(i64.const -2)))\n",
        shape.globals / 2, shape.globals - 1);
  }
  wat += kBody;
  return wat;
}

HostReply write_to_guest(void*, const GuestMemory& memory, nur_value* values) {
  const auto place = memory.writable(values[0].i32, values[1].i32);
  if (!place) return HostReply::trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  std::memset(place->data(), 0x5a, place->size());
  return HostReply::resume();
}

std::uint64_t requests_in_all() {
  const char* const asked = std::getenv("NUR_RESET_REQUESTS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 20'000;
}

// Random requests to one instance.
class Requests {
 public:
  Requests(const LoadedModule& module, const Shape& shape, std::mt19937_64& random)
      : module_(module), shape_(shape), random_(random) {}

  void serve(Instance& instance) {
    for (std::uint64_t step = below(10); step > 0; --step) {
      if (!step_of(instance)) return;
    }
  }
  [[nodiscard]] std::uint64_t traps() const { return traps_; }
  [[nodiscard]] std::uint64_t timeouts() const { return timeouts_; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  // Inside the initial memory, mostly; some beyond.
  std::uint64_t address() { return below(shape_.pages * NUR_WASM_PAGE_BYTES + 2000); }
  std::uint64_t index() { return below(shape_.table_max + 2); }
  std::uint64_t length() { return below(4) == 0 ? below(300'000) : below(9000); }

  // False when it ended the request.
  bool step_of(Instance& instance) {
    switch (below(22)) {
      case 0:
        return call(instance, "read", {address()});
      case 1:
      case 2:
      case 3:
        return call(instance, "store", {address(), below(UINT32_MAX)});
      case 4:
        return call(instance, "store_wide", {address(), 1});
      case 5:
        return call(instance, "scatter", {address(), below(9000), 1 + below(30)});
      case 6:
        return call(instance, "fill", {address(), below(256), length()});
      case 7:
        return call(instance, "copy", {address(), address(), length()});
      case 8:
        return call(instance, "init", {address(), below(14)});
      case 9:
        return call(instance, "grow", {below(3)});
      case 10:
        return call(instance, "poll_stream", {address(), length()});
      case 11:
        return call(instance, "table_set", {index()});
      case 12:
        return call(instance, "table_null", {index()});
      case 13:
        return call(instance, "table_fill", {index(), below(40)});
      case 14:
        return call(instance, "table_init", {index(), below(8)});
      case 15:
        return call(instance, "table_copy", {index(), index(), below(50)});
      case 16:
        return call(instance, "table_grow", {below(100)});
      case 17:
        if (shape_.globals > 0 && !call(instance, "far_globals", {})) return false;
        return call(instance, "globals", {below(UINT32_MAX)});
      case 18:
        return call(instance, "indirect", {index()});
      case 19:
        return call(instance, "drop", {});
      case 20:
        return below(4) != 0 || call(instance, below(2) == 0 ? "unreachable" : "deep", {0});
      default:
        return below(30) != 0 || call(instance, "spin", {}, Milliseconds(1));
    }
  }

  bool call(Instance& instance, std::string_view name, std::vector<std::uint64_t> arguments,
            Milliseconds timeout = std::chrono::seconds(60)) {
    OneCall one(module_.manifest(), name, std::move(arguments));
    const std::vector<HostFunction> functions{write_to_guest};
    const Outcome outcome = run_guest(instance, one, functions, timeout);
    traps_ += outcome.kind == Outcome::Kind::trapped ? 1 : 0;
    timeouts_ += outcome.kind == Outcome::Kind::expired ? 1 : 0;
    return outcome.kind == Outcome::Kind::returned;
  }

  const LoadedModule& module_;
  const Shape& shape_;
  std::mt19937_64& random_;
  std::uint64_t traps_ = 0;
  std::uint64_t timeouts_ = 0;
};

// What an instance holds when it is fresh, copied.
struct Contents {
  explicit Contents(Instance& instance)
      : area(instance.area().begin(), instance.area().end()),
        memory(instance.memory().range(0, instance.memory().size())->begin(),
               instance.memory().range(0, instance.memory().size())->end()) {}
  [[nodiscard]] bool are_in(Instance& instance) const {
    return instance.memory().size() == memory.size() &&
           std::memcmp(instance.memory().range(0, memory.size())->data(), memory.data(),
                       memory.size()) == 0 &&
           std::memcmp(instance.area().data(), area.data(), area.size()) == 0;
  }

  std::vector<std::byte> area;
  std::vector<std::byte> memory;
};

// nullopt: as the function's history has it.
class ResetProperty : public ::testing::TestWithParam<std::optional<ResetStrategy>> {};

TEST_P(ResetProperty, EveryByteIsAsItWasAfterEveryRequest) {
  std::mt19937_64 random(20260 + (GetParam() ? static_cast<std::uint64_t>(*GetParam()) : 9));
  const Result<PageScanner> scanner = PageScanner::open();
  if (GetParam() == ResetStrategy::scan && !scanner) GTEST_SKIP() << scanner.error().message;
  SandboxLimits limits;
  limits.reset = GetParam();
  limits.scanner = scanner ? &*scanner : nullptr;
  const std::uint64_t requests = requests_in_all() / (5 * std::size(kShapes)) + 1;
  std::uint64_t traps = 0;
  std::uint64_t timeouts = 0;
  for (const Shape& shape : kShapes) {
    const auto module = load_wat(wat_of(shape));
    ResetHistory history = Instance::history_for(*module, limits);
    Requests some(*module, shape, random);
    std::vector<std::unique_ptr<Instance>> instances;
    std::vector<Contents> fresh;
    for (std::uint64_t request = 0; request < requests; ++request) {
      // Later instances begin with what the earlier ones have learned.
      if (instances.size() < 3 && request % 40 == 0) {
        instances.push_back(*Instance::create(*module, limits, history));
        fresh.emplace_back(*instances.back());
        ASSERT_EQ(fresh.back().memory, fresh.front().memory);
      }
      const std::size_t which = random() % instances.size();
      Instance& instance = *instances[which];
      some.serve(instance);
      ASSERT_TRUE(instance.reset());
      ASSERT_TRUE(fresh[which].are_in(instance))
          << "request " << request << " of " << shape.pages << " pages, reset by "
          << to_string(history.strategy());
      OneCall behind(module->manifest(), "read",
                     {shape.pages * NUR_WASM_PAGE_BYTES + random() % 4096});
      ASSERT_EQ(run_guest(instance, behind).trap, NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
      ASSERT_TRUE(instance.reset());
    }
    traps += some.traps();
    timeouts += some.timeouts();
  }
  EXPECT_GT(traps, requests / 4);
  EXPECT_GT(timeouts, 0U);
}

INSTANTIATE_TEST_SUITE_P(Strategies, ResetProperty,
                         ::testing::Values(std::optional<ResetStrategy>(), ResetStrategy::learned,
                                           ResetStrategy::copy_all, ResetStrategy::scan,
                                           ResetStrategy::discard),
                         [](const auto& test) {
                           return test.param ? std::string(to_string(*test.param)) : "chosen";
                         });

}  // namespace
}  // namespace nur
