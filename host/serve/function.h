// What a tenant calls a function: a loaded module under a name, ready to take requests.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "host/abi/handle/handle_call.h"
#include "host/abi/stream/nur_stream.h"
#include "host/artefact/loaded_module.h"
#include "host/outbound/outbound_policy.h"
#include "host/sandbox/host_function.h"
#include "host/sandbox/instance_pool.h"
#include "host/serve/function_settings.h"
#include "host/serve/host_module.h"

namespace nur {

class Function {
 public:
  // Errors: those of LoadedModule::load; invalid_input when an import is not offered by this host
  // or the ABI's exports are not there, or its outbound rules make no sense; limit_exceeded when it
  // needs more memory than allowed.
  static Result<std::unique_ptr<Function>> load(
      std::string name, VerifiedArtefact artefact, FunctionSettings settings,
      std::span<const HostModule> offered = standard_host_modules(), std::uint32_t number = 0);

  [[nodiscard]] const std::string& name() const { return name_; }
  // What it is called between processes.
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] const LoadedModule& module() const { return *module_; }
  [[nodiscard]] GuestAbi abi() const { return module_->manifest().guest_abi; }
  [[nodiscard]] const FunctionSettings& settings() const { return settings_; }
  [[nodiscard]] const FunctionLimits& limits() const { return settings_.limits; }
  // Where it may connect to.
  [[nodiscard]] const OutboundPolicy& outbound() const { return outbound_; }
  [[nodiscard]] std::span<const HostFunction> host_functions() const { return host_functions_; }
  // Whether a WASI guest ever asks for its environment.
  [[nodiscard]] bool reads_environment() const { return reads_environment_; }
  // Of functions with GuestAbi::nur.
  [[nodiscard]] const StreamEntries& stream_entries() const { return stream_entries_; }
  // Of functions with GuestAbi::handle.
  [[nodiscard]] const HandleEntries& handle_entries() const { return handle_entries_; }
  [[nodiscard]] bool is_full() const { return pool_.leased() >= pool_.leased_max(); }
  // Whether a handle function ever reads a body. One that does not is answered when the body has
  // come, so that its client can keep the connection.
  [[nodiscard]] bool asks_for_body() const { return asks_for_body_; }

  Result<Lease> acquire() { return pool_.acquire(); }
  // Fewer than half of the instances that it may have are in use.
  [[nodiscard]] bool is_mostly_free() const { return pool_.leased() < pool_.leased_max() / 2; }

 private:
  Function(std::string name, std::unique_ptr<LoadedModule> module, FunctionSettings settings,
           std::uint32_t number);

  std::string name_;
  std::uint32_t number_;
  std::unique_ptr<LoadedModule> module_;
  const FunctionSettings settings_;
  OutboundPolicy outbound_;
  InstancePool pool_;
  std::vector<HostFunction> host_functions_;  // one per import
  bool reads_environment_ = false;
  StreamEntries stream_entries_;
  HandleEntries handle_entries_;
  bool asks_for_body_ = false;
};

}  // namespace nur
