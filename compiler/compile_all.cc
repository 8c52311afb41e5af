#include "compiler/compile_all.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace nur {

void compile_all(const std::vector<CompileOptions>& modules, const Toolchain& toolchain,
                 const Interrupt& interrupt, const BuildServices& services,
                 const OnCompiled& on_compiled) {
  std::atomic<std::size_t> next = 0;
  std::mutex reporting;
  const auto work = [&] {
    for (std::size_t i = next++; i < modules.size() && !interrupt.raised(); i = next++) {
      const Result<Artefact> result = compile(modules[i], toolchain, interrupt, services);
      const std::scoped_lock lock(reporting);
      on_compiled(modules[i], result);
    }
  };
  // A child is killed when the thread that started it ends, so each thread waits for its own.
  std::vector<std::jthread> threads;
  const std::size_t count = std::min<std::size_t>(services.slots->count(), modules.size());
  for (std::size_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
}

}  // namespace nur
