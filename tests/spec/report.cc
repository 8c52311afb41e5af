#include "tests/spec/report.h"

#include <nlohmann/json.hpp>

namespace nur::spec {
namespace {

constexpr std::size_t kReportBytesMax = std::size_t{64} << 20;

}  // namespace

void Report::add(const Report& other) {
  assertions += other.assertions;
  passed += other.passed;
  skipped += other.skipped;
  refused += other.refused;
  unread.insert(unread.end(), other.unread.begin(), other.unread.end());
  failures.insert(failures.end(), other.failures.begin(), other.failures.end());
}

std::string Report::summary() const {
  return fmt::format("assertions={} passed={} failed={} skipped={}", assertions, passed,
                     failures.size(), skipped);
}

Result<void> write_report(const Path& file, const Report& report) {
  const nlohmann::json json{{"assertions", report.assertions}, {"passed", report.passed},
                            {"skipped", report.skipped},       {"refused", report.refused},
                            {"unread", report.unread},         {"failures", report.failures}};
  // Failures quote names of the scripts, which need not be UTF-8.
  return write_file(file, json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

Result<Report> read_report(const Path& file) {
  const std::string text = NUR_TRY(read_file(file, kReportBytesMax));
  try {
    const auto json = nlohmann::json::parse(text);
    Report report;
    report.assertions = json.at("assertions");
    report.passed = json.at("passed");
    report.skipped = json.at("skipped");
    report.refused = json.at("refused");
    report.unread = json.at("unread").get<std::vector<std::string>>();
    report.failures = json.at("failures").get<std::vector<std::string>>();
    return report;
  } catch (const std::exception& error) {
    return fail(ErrorKind::invalid_input, "reading {}: {}", file.string(), error.what());
  }
}

}  // namespace nur::spec
