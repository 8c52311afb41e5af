// What a guest can call: plain functions over its memory and its parameters.
//
// They run on the host's stack while the guest's is parked, so they are ordinary C++; they answer
// with what shall happen to the guest, and never throw.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "host/sandbox/guest_memory.h"
#include "nur/abi.h"

namespace nur {

// What follows a host call.
struct HostReply {
  enum class Kind : std::uint8_t {
    resume,  // results are in the values; the guest goes on
    trap,    // `code` is an enum nur_trap
    exit,    // the guest is done; `code` is its exit status (WASI proc_exit)
    sleep,   // like resume, but not before `wake`; others are served meanwhile
    // The guest waits until its task is woken (waker.h), or until `wake`. Then the same function is
    // asked again, with the same parameters: it must not have touched them.
    wait,
    // The same for something that is the client's to do: while it takes its time the guest owes
    // nothing, so its time-out stands still. The front ends clients that are too slow.
    wait_for_client,
  };
  Kind kind = Kind::resume;
  std::uint32_t code = 0;
  TimePoint wake{};

  static HostReply resume() { return {}; }
  static HostReply trap(nur_trap reason) {
    return {Kind::trap, static_cast<std::uint32_t>(reason), {}};
  }
  static HostReply exit(std::uint32_t status) { return {Kind::exit, status, {}}; }
  static HostReply sleep(TimePoint wake) { return {Kind::sleep, 0, wake}; }
  static HostReply wait(TimePoint until = TimePoint::max()) { return {Kind::wait, 0, until}; }
  static HostReply wait_for_client(TimePoint until = TimePoint::max()) {
    return {Kind::wait_for_client, 0, until};
  }
  [[nodiscard]] bool waits() const { return kind == Kind::wait || kind == Kind::wait_for_client; }
};

// `context` is what the guest ABI bound for this request (a stream, a WASI process). `values` holds
// the parameters and takes the results, from index 0 each; it has room for as many as the import's
// type has parameters or results, whichever is more.
using HostFunction = HostReply (*)(void* context, const GuestMemory& memory, nur_value* values);

}  // namespace nur
