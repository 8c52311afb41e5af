#include "host/kv/kv_queue.h"

namespace nur {

KvQueue::Place KvQueue::line_of(const Entry& entry) {
  Name name(entry.asker, entry.request.space);
  const auto found = lines_.find(name);
  if (found != lines_.end()) return found->second;
  const Place made = turns_.insert(turns_.end(), Line{name, {}});
  lines_.emplace(std::move(name), made);
  return made;
}

void KvQueue::push(Entry entry) {
  const Place line = line_of(entry);
  line->requests.push_back(std::move(entry.request));
}

std::vector<KvQueue::Entry> KvQueue::take(
    std::size_t entries_max, const std::function<bool(std::uint64_t asker)>& may_be_asked_for) {
  std::vector<Entry> taken;
  std::size_t passed = 0;  // lines in a row that have to wait
  while (taken.size() < entries_max && passed < turns_.size()) {
    const Place line = turns_.begin();
    const std::uint64_t asker = line->name.first;
    if (may_be_asked_for(asker)) {
      passed = 0;
      taken.push_back({asker, std::move(line->requests.front())});
      line->requests.pop_front();
    } else {
      ++passed;
    }
    if (line->requests.empty()) {
      lines_.erase(line->name);
      turns_.erase(line);
    } else {
      turns_.splice(turns_.end(), turns_, line);
    }
  }
  return taken;
}

void KvQueue::put_back(Entry entry) {
  const Place line = line_of(entry);
  line->requests.push_front(std::move(entry.request));
  turns_.splice(turns_.begin(), turns_, line);
}

void KvQueue::put_back_for_later(Entry entry) {
  const Place line = line_of(entry);
  line->requests.push_front(std::move(entry.request));
}

void KvQueue::forget(std::uint64_t asker) {
  for (auto line = turns_.begin(); line != turns_.end();) {
    if (line->name.first == asker) {
      lines_.erase(line->name);
      line = turns_.erase(line);
    } else {
      ++line;
    }
  }
}

}  // namespace nur
