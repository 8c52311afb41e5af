#include "host/net/llhttp_head.h"

#include <algorithm>
#include <llhttp.h>
#include <utility>

namespace nur {
namespace {

// Receives llhttp's callbacks for one head. The head is passed in one piece, so that spans of one
// element touch and a view can cover them.
struct Reading {
  HeadView& view;
  bool name_open = false;
  bool whole = false;
};

Reading& reading_of(llhttp_t* parser) { return *static_cast<Reading*>(parser->data); }

void extend(std::string_view& view, const char* at, std::size_t bytes) {
  const char* begin = view.empty() ? at : view.data();
  view = {begin, static_cast<std::size_t>(at + bytes - begin)};
}

int on_target(llhttp_t* parser, const char* at, std::size_t bytes) {
  extend(reading_of(parser).view.target, at, bytes);
  return HPE_OK;
}

int on_field_name(llhttp_t* parser, const char* at, std::size_t bytes) {
  Reading& reading = reading_of(parser);
  if (!std::exchange(reading.name_open, true)) reading.view.fields.emplace_back();
  extend(reading.view.fields.back().name, at, bytes);
  return HPE_OK;
}

int on_field_name_complete(llhttp_t* parser) {
  reading_of(parser).name_open = false;
  return HPE_OK;
}

int on_field_value(llhttp_t* parser, const char* at, std::size_t bytes) {
  Reading& reading = reading_of(parser);
  if (reading.view.fields.empty()) return HPE_USER;
  extend(reading.view.fields.back().value, at, bytes);
  return HPE_OK;
}

int on_head_complete(llhttp_t* parser) {
  reading_of(parser).whole = true;
  // Bodies are not its business here.
  return HPE_PAUSED;
}

const llhttp_settings_t& head_settings() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_url = on_target;
    made.on_header_field = on_field_name;
    made.on_header_field_complete = on_field_name_complete;
    made.on_header_value = on_field_value;
    made.on_headers_complete = on_head_complete;
    return made;
  }();
  return settings;
}

std::optional<std::string> read(std::string_view head, llhttp_type_t type, HeadView& view) {
  view.target = {};
  view.fields.clear();
  Reading reading{view};
  llhttp_t parser;
  llhttp_init(&parser, type, &head_settings());
  parser.data = &reading;
  const llhttp_errno_t error = llhttp_execute(&parser, head.data(), head.size());
  if (error != HPE_PAUSED || !reading.whole) {
    const char* const reason = llhttp_get_error_reason(&parser);
    return reason != nullptr ? reason : "it has no end";
  }
  view.status = parser.status_code;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_request_with_llhttp(std::string_view head, HeadView& view) {
  return read(head, HTTP_REQUEST, view);
}

std::optional<std::string> read_response_with_llhttp(std::string_view head, HeadView& view) {
  return read(head, HTTP_RESPONSE, view);
}

bool is_method_of_llhttp(std::string_view method) {
#define NUR_METHOD(number, name, text) #text,
  constexpr std::string_view kMethods[] = {HTTP_METHOD_MAP(NUR_METHOD)};
#undef NUR_METHOD
  return std::ranges::find(kMethods, method) != std::end(kMethods);
}

}  // namespace nur
