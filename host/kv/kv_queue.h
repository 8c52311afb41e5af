// Requests that wait for the store, and whose turn it is. Each function of each worker has a line
// of its own, and the lines take turns: one that asks for much waits behind itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/kv/kv_message.h"

namespace nur {

class KvQueue {
 public:
  struct Entry {
    std::uint64_t asker = 0;  // a connection
    KvRequest request{};
  };

  // At the end of its line.
  void push(Entry entry);
  // Those whose turn it is, one of a line at a time, of askers that `may_be_asked_for`.
  std::vector<Entry> take(std::size_t entries_max,
                          const std::function<bool(std::uint64_t asker)>& may_be_asked_for);
  // It is the next one again. Several are put back last first.
  void put_back(Entry entry);
  // The first of its line, when that has its next turn.
  void put_back_for_later(Entry entry);
  // Nothing of it is left.
  void forget(std::uint64_t asker);

 private:
  using Name = std::pair<std::uint64_t, std::string>;  // asker, namespace
  struct Line {
    Name name;
    std::deque<KvRequest> requests;
  };
  using Place = std::list<Line>::iterator;
  Place line_of(const Entry& entry);

  std::list<Line> turns_;  // none is empty; whoever pushes bounds their requests
  std::map<Name, Place> lines_;
};

}  // namespace nur
