#include "host/process/quarantine.h"

namespace nur {

bool Quarantine::on_death(std::uint32_t number, TimePoint now) {
  std::deque<TimePoint>& deaths = deaths_[number];
  deaths.push_back(now);
  while (now - deaths.front() > kWithin) deaths.pop_front();
  if (deaths.size() < kDeaths) return false;
  deaths.clear();
  table_.hold(number, now + kLasts);
  return true;
}

}  // namespace nur
