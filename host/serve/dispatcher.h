// From a request to the task that answers it, with an instance, or with the patience to wait for
// one.
#pragma once

#include <unordered_map>

#include "host/net/exchange.h"
#include "host/serve/guest_task.h"
#include "host/serve/quarantine_table.h"
#include "host/serve/registry.h"
#include "host/serve/scheduler.h"
#include "host/serve/waiting_room.h"

namespace nur {

class Dispatcher final : public RequestHandler {
 public:
  // All outlive the dispatcher. Destroying it drops who waits and the tasks that are not done,
  // without an answer: the server goes first.
  Dispatcher(const TaskContext& context, const Registry& registry,
             const QuarantineTable& quarantine);

  void handle(Exchange& exchange) override;
  [[nodiscard]] bool takes_early(const Request& request) override;
  [[nodiscard]] std::optional<std::size_t> body_bytes_max(const Request& request) override;
  // A request that means this function, whatever its path is.
  void handle_at(Exchange& exchange, Function& function, Route route) {
    dispatch(exchange, function, std::move(route), nullptr);
  }
  // Bytes of a connection without HTTP, for a function of the nur ABI.
  void handle_raw(Exchange& exchange, Function& function);

  // Answers `exchange` as a request for /api/FUNCTION/INPUT, whatever its path is. Leaves in
  // `started`, which outlives the exchange, when the guest begins, if it does.
  void call(Exchange& exchange, const std::string& function, std::string input, TimePoint* started);

 private:
  [[nodiscard]] bool is_quarantined(Exchange& exchange, const Function& function);
  void dispatch(Exchange& exchange, Function& function, Route route, TimePoint* started);
  // Answers it, starts it, or has it wait.
  void receive(const Arrival& arrival, TimePoint now);
  void start(const Arrival& arrival, Lease lease, TimePoint now);
  void leave(const Arrival& arrival);
  void admit_soon();
  void admit();
  void make_way_soon();
  void make_way();

  const TaskContext context_;
  const Registry& registry_;
  const QuarantineTable& quarantine_;
  Scheduler scheduler_;
  WaitingRoom waiting_;
  Timer admission_;
  // By function, requests for which there was not even room to wait, since make_way().
  std::unordered_map<const Function*, std::size_t> turned_away_;
  TimePoint made_way_at_{};
  Timer making_way_;
};

}  // namespace nur
