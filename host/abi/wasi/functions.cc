// From a call of generated code to a C++ function: numbers out of the values, an errno back into
// them. The list comes from imports.def, and the compiler holds each signature against it.
#include "host/abi/wasi/functions.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "host/abi/wasi/calls.h"

namespace nur {

namespace wasi {
namespace {

template <class T>
T take_parameter(const nur_value& value) {
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    return value.i64;
  } else {
    static_assert(std::is_same_v<T, std::uint32_t>);
    return value.i32;
  }
}

template <class T>
constexpr char kLetter = std::is_same_v<T, std::uint64_t> ? 'I' : 'i';

HostReply answer(nur_value* values, Errno reason, HostReply reply = HostReply::resume()) {
  values[0].i32 = static_cast<std::uint32_t>(reason);
  return reply;
}

HostReply answer(nur_value* values, const Done& done) {
  return answer(values, done ? Errno::success : done.error());
}

HostReply answer(nur_value* values, const WasiResult<HostReply>& reply) {
  if (reply && reply->waits()) return *reply;  // asked again, with the parameters as they are
  return reply ? answer(values, Errno::success, *reply) : answer(values, reply.error());
}

// proc_exit: no result, nobody left to take one.
HostReply answer(nur_value*, HostReply reply) { return reply; }

template <auto kFunction>
struct Binding;

template <class Return, class... Parameters,
          Return (*kFunction)(WasiProcess&, const GuestMemory&, Parameters...)>
struct Binding<kFunction> {
  static constexpr bool matches(std::string_view parameters, std::string_view results) {
    const std::array<char, sizeof...(Parameters) + 1> letters = {kLetter<Parameters>..., '\0'};
    const bool has_result = !std::is_same_v<Return, HostReply>;
    return parameters == std::string_view(letters.data(), sizeof...(Parameters)) &&
           results == (has_result ? "i" : "");
  }

  static HostReply call(void* context, const GuestMemory& memory, nur_value* values) {
    try {
      return apply(*static_cast<WasiProcess*>(context), memory, values,
                   std::index_sequence_for<Parameters...>{});
    } catch (const std::bad_alloc&) {
      // Strings and buffers of ours; nothing of the guest's is half done that it could not redo.
      return answer(values, Errno::nomem);
    }
  }

 private:
  template <std::size_t... kIndex>
  static HostReply apply(WasiProcess& process, const GuestMemory& memory, nur_value* values,
                         std::index_sequence<kIndex...>) {
    return answer(values,
                  kFunction(process, memory, take_parameter<Parameters>(values[kIndex])...));
  }
};

struct Entry {
  std::string_view name;
  HostFunction function;
};

template <auto kFunction>
consteval Entry entry(std::string_view name, std::string_view parameters,
                      std::string_view results) {
  // Not a constant expression when the signatures differ, which names the line of imports.def.
  if (!Binding<kFunction>::matches(parameters, results)) throw "signature differs";
  return {name, &Binding<kFunction>::call};
}

// imports.def lists other modules as well: SECOND(IS_module, skip) is keep for ours only.
#define NUR_WASI_IS_wasi_snapshot_preview1 ~, KEEP
#define NUR_WASI_SECOND(first, second, ...) second
#define NUR_WASI_CHOOSE(...) NUR_WASI_SECOND(__VA_ARGS__)
#define NUR_WASI_JOIN(a, b) a##b
#define NUR_WASI_ENTRY(choice) NUR_WASI_JOIN(NUR_WASI_ENTRY_, choice)
#define NUR_WASI_ENTRY_SKIP(name, parameters, results)
#define NUR_WASI_ENTRY_KEEP(name, parameters, results) \
  entry<&wasi::name>(#name, parameters, results),
#define NUR_IMPORT(module, name, parameters, results) \
  NUR_WASI_ENTRY(NUR_WASI_CHOOSE(NUR_WASI_IS_##module, SKIP, ~))(name, parameters, results)

constexpr Entry kEntries[] = {
#include "nur/imports.def"
};

}  // namespace
}  // namespace wasi

HostFunction find_wasi_function(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(wasi::kEntries), std::end(wasi::kEntries),
                   [name](const wasi::Entry& candidate) { return candidate.name == name; });
  return found == std::end(wasi::kEntries) ? nullptr : found->function;
}

}  // namespace nur
