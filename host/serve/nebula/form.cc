#include "host/serve/nebula/form.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/log.h"

namespace nur {
namespace {

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

bool is_form(const Request& request) {
  const std::string_view* const type = request.header("Content-Type");
  if (type == nullptr) return false;
  std::string_view essence = type->substr(0, type->find(';'));
  while (essence.ends_with(' ') || essence.ends_with('\t')) essence.remove_suffix(1);
  return equal_ignoring_case(essence, kFormType);
}

std::optional<char> byte_of(std::string_view digits) {
  unsigned value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  return static_cast<char>(value);
}

// As browsers write it: '+' for a space, %XX for any byte; a '%' that is neither stays.
std::string decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && text.size() - i > 2) {
      if (const std::optional<char> byte = byte_of(text.substr(i + 1, 2))) {
        result += *byte;
        i += 2;
        continue;
      }
    }
    result += text[i] == '+' ? ' ' : text[i];
  }
  return result;
}

std::unexpected<Response> unprocessable(std::string_view why) {
  return std::unexpected(host_response(422, why));
}

}  // namespace

std::expected<NebulaForm, Response> parse_nebula_form(const Request& request) {
  if (!is_form(request)) {
    return std::unexpected(
        host_response(415, fmt::format("send the form with Content-Type: {}", kFormType)));
  }
  std::map<std::string, std::optional<std::string>, std::less<>> fields = {{"function_name", {}},
                                                                           {"input", {}},
                                                                           {"module_type", {}},
                                                                           {"num_calls", {}},
                                                                           {"base_image", {}}};
  std::string_view rest = request.body;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto known = fields.find(decoded(pair.substr(0, equals)));
    if (known == fields.end()) continue;
    if (known->second) return unprocessable("the form has " + known->first + " twice");
    known->second = decoded(pair.substr(std::min(equals + 1, pair.size())));
  }
  for (const char* const needed : {"function_name", "input", "module_type"}) {
    if (!fields[needed]) return unprocessable(fmt::format("the form has no {}", needed));
  }

  NebulaForm form;
  form.function_name = *fields["function_name"];
  form.input = *fields["input"];
  const std::string& runner = *fields["module_type"];
  if (runner != "Wasm" && runner != "Docker") {
    return unprocessable(
        fmt::format("module_type is Wasm or Docker, not {}", printable(runner, 100)));
  }
  if (runner == "Docker") form.runner = NebulaForm::Runner::docker;
  if (const std::optional<std::string>& calls = fields["num_calls"]) {
    const char* const end = calls->data() + calls->size();
    const auto parsed = std::from_chars(calls->data(), end, form.calls);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return unprocessable(
          fmt::format("num_calls is from 0 to 255, not {}", printable(*calls, 100)));
    }
  }
  if (fields["base_image"]) form.base_image = *fields["base_image"];
  return form;
}

}  // namespace nur
