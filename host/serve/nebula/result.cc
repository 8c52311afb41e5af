#include "host/serve/nebula/result.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nur {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const NebulaResult& result) {
  return {{"metrics",
           {{"startup_time", result.startup_us},
            {"start_since_epoch", result.start_since_epoch},
            {"total_runtime", result.total_us},
            {"end_since_epoch", result.start_since_epoch + result.total_us},
            {"startup_percentage", result.startup_percentage()}}},
          {"result", result.result},
          {"func_type", result.func_type},
          {"func_name", result.function},
          {"input", result.input},
          {"base_image", result.base_image}};
}

std::string milliseconds(double microseconds) {
  return fmt::format("{:.2f} ms", microseconds / 1000);
}

// "3 calls, average startup 0.01 ms, runtime 0.02 ms, total 0.03 ms".
std::string average(const NebulaTimes& times) {
  if (times.calls == 0) return "0 calls";
  const auto count = static_cast<double>(times.calls);
  const auto startup = static_cast<double>(times.startup_us);
  const auto total = static_cast<double>(times.total_us);
  return fmt::format("{} call{}, average startup {}, runtime {}, total {}", times.calls,
                     times.calls == 1 ? "" : "s", milliseconds(startup / count),
                     milliseconds((total - startup) / count), milliseconds(total / count));
}

}  // namespace

double NebulaResult::startup_percentage() const {
  if (total_us == 0) return 0;
  return std::round(100 * static_cast<double>(startup_us) / static_cast<double>(total_us));
}

std::string to_json(const NebulaResult& result) { return text_of(json_of(result)); }

std::optional<NebulaResult> nebula_result_of(std::string_view json) {
  const Json parsed = Json::parse(json, nullptr, false);
  const auto text = [](const Json& object, const char* key, std::string& value) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) return false;
    value = found->get<std::string>();
    return true;
  };
  const auto number = [](const Json& object, const char* key, std::uint64_t& value) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) return false;
    value = found->get<std::uint64_t>();
    return true;
  };
  if (!parsed.is_object()) return std::nullopt;
  const auto metrics = parsed.find("metrics");
  if (metrics == parsed.end() || !metrics->is_object()) return std::nullopt;
  NebulaResult result;
  const bool whole =
      number(*metrics, "startup_time", result.startup_us) &&
      number(*metrics, "total_runtime", result.total_us) &&
      number(*metrics, "start_since_epoch", result.start_since_epoch) &&
      text(parsed, "result", result.result) && text(parsed, "func_type", result.func_type) &&
      text(parsed, "func_name", result.function) && text(parsed, "input", result.input) &&
      text(parsed, "base_image", result.base_image);
  if (!whole) return std::nullopt;
  return result;
}

std::string headless_json(std::span<const NebulaResult> results) {
  Json list = Json::array();
  for (const NebulaResult& result : results) list.push_back(json_of(result));
  return text_of({{"results", std::move(list)}});
}

NebulaTimes& NebulaTimes::operator+=(const NebulaTimes& other) {
  calls += other.calls;
  startup_us += other.startup_us;
  total_us += other.total_us;
  return *this;
}

NebulaTimes& NebulaTimes::operator-=(const NebulaTimes& other) {
  calls -= other.calls;
  startup_us -= other.startup_us;
  total_us -= other.total_us;
  return *this;
}

std::string history_html(std::span<const NebulaResult> results) {
  NebulaTimes wasm;
  NebulaTimes docker;
  for (const NebulaResult& result : results) {
    const NebulaTimes times{
        .calls = 1, .startup_us = result.startup_us, .total_us = result.total_us};
    if (result.func_type == "Wasm") wasm += times;
    if (result.func_type == "Docker") docker += times;
  }
  std::string html = history_head_html(wasm, docker);
  for (const NebulaResult& result : results) html += history_item_html(result);
  return html += kHistoryTail;
}

std::string history_head_html(const NebulaTimes& wasm, const NebulaTimes& docker) {
  return fmt::format("<div id=\"function-results\">\n<p>Wasm: {}</p>\n<p>Docker: {}</p>\n<ol>\n",
                     average(wasm), average(docker));
}

std::string history_item_html(const NebulaResult& result) {
  return fmt::format(
      "<li><p>{} =&gt; {}</p><p>{} ({}), function {}</p>"
      "<p>Startup {}, runtime {}, total {}</p>"
      "<div style=\"background:#3a3\"><div style=\"background:#c33;height:4px;width:{}%\"></div>"
      "</div></li>\n",
      html_escaped(result.input), html_escaped(result.result), html_escaped(result.func_type),
      html_escaped(result.base_image), html_escaped(result.function),
      milliseconds(static_cast<double>(result.startup_us)),
      milliseconds(static_cast<double>(result.total_us - result.startup_us)),
      milliseconds(static_cast<double>(result.total_us)), result.startup_percentage());
}

std::string call_html(const NebulaResult& result) {
  return fmt::format("<div><h1>{}, input: {}</h1><p>Result was: {}</p></div>",
                     html_escaped(result.function), html_escaped(result.input),
                     html_escaped(result.result));
}

std::string timed_call_html(const NebulaResult& result) {
  return fmt::format(
      "<div><h1>{}, input: {}</h1><p>Result was: {}</p><p>Total: {}</p><p>Startup: {}</p></div>",
      html_escaped(result.function), html_escaped(result.input), html_escaped(result.result),
      milliseconds(static_cast<double>(result.total_us)),
      milliseconds(static_cast<double>(result.startup_us)));
}

std::string failure_html(std::string_view what) {
  return fmt::format("<p>Whoops! Error!</p> <p style=\"color:red;\">{}</p>", html_escaped(what));
}

std::string html_escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace nur
