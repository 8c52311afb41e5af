#include "tests/host/net/second_reader.h"

#include <llhttp.h>
#include <utility>

namespace nur {
namespace {

// Receives llhttp's callbacks for one head. The head is passed in one piece, so that spans of one
// element touch and a view can cover them.
struct Reading {
  HeadView view;
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
  return HPE_PAUSED;
}

std::optional<HeadView> read(std::string_view head, llhttp_type_t type) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = on_target;
  settings.on_header_field = on_field_name;
  settings.on_header_field_complete = on_field_name_complete;
  settings.on_header_value = on_field_value;
  settings.on_headers_complete = on_head_complete;

  Reading reading;
  llhttp_t parser;
  llhttp_init(&parser, type, &settings);
  parser.data = &reading;
  const llhttp_errno_t error = llhttp_execute(&parser, head.data(), head.size());
  if (error != HPE_PAUSED || !reading.whole) return std::nullopt;
  reading.view.status = parser.status_code;
  reading.view.version_minor = parser.http_minor;
  return reading.view;
}

}  // namespace

std::optional<HeadView> read_request_with_llhttp(std::string_view head) {
  return read(head, HTTP_REQUEST);
}

std::optional<HeadView> read_response_with_llhttp(std::string_view head) {
  return read(head, HTTP_RESPONSE);
}

}  // namespace nur
