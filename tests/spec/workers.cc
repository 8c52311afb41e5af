#include "tests/spec/workers.h"

#include <chrono>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

namespace nur::spec {
namespace {

using Clock = std::chrono::steady_clock;

struct Worker {
  const Job* job;
  ScratchDir folder;
  Clock::time_point since;
};

Report failed(const Job& job, std::string_view why) {
  Report report;
  report.assertions = 1;
  report.failures = {fmt::format("{}: {}", job.label, why)};
  return report;
}

Path report_file(const Path& folder) { return folder / "report"; }

[[noreturn]] void work(const Job& job, const Path& folder) {
  const Report report = job.run(folder);
  const bool written = write_report(report_file(folder), report).has_value();
  // No destructors: what they would undo is the parent's.
  ::_exit(written ? 0 : 1);
}

Report report_of(const Worker& worker, int status) {
  if (WIFSIGNALED(status)) {
    return failed(*worker.job, fmt::format("its process died of signal {}", WTERMSIG(status)));
  }
  const Result<Report> report = read_report(report_file(worker.folder.path()));
  return report ? *report : failed(*worker.job, report.error().message);
}

}  // namespace

Result<Report> run_jobs(const std::vector<Job>& jobs, int at_once, const Interrupt& interrupt,
                        const std::function<void(const Job&, const Report&, double)>& done) {
  Report total;
  std::map<pid_t, Worker> workers;
  std::size_t next = 0;
  while (next < jobs.size() || !workers.empty()) {
    if (next < jobs.size() && workers.size() < static_cast<std::size_t>(at_once)) {
      const Job& job = jobs[next++];
      ScratchDir folder = NUR_TRY(ScratchDir::create("nur-spec-"));
      const pid_t child = ::fork();
      if (child < 0)
        return fail(ErrorKind::exhausted, "{}", system_error_text("starting a process"));
      if (child == 0) work(job, folder.path());
      workers.emplace(child, Worker{&job, std::move(folder), Clock::now()});
      continue;
    }
    int status = 0;
    const pid_t child = ::waitpid(-1, &status, 0);
    const auto worker = workers.find(child);
    if (worker == workers.end()) continue;
    const Report report = report_of(worker->second, status);
    const std::chrono::duration<double> seconds = Clock::now() - worker->second.since;
    done(*worker->second.job, report, seconds.count());
    total.add(report);
    workers.erase(worker);
    if (interrupt.raised()) next = jobs.size();
  }
  if (interrupt.raised()) return fail(ErrorKind::interrupted, "interrupted");
  return total;
}

}  // namespace nur::spec
