// The variables that a CGI guest finds about its request.
//
// RFC 3875 section 4.1, in the reading of WAGI (deislabs/wagi, docs/environment_variables.md): the
// same names for any language that can print, and three more that start with X_.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/net/http_message.h"

namespace nur {

struct CgiOptions {
  // The part of the request's path that chose the guest, without a final slash: "/hello". Empty
  // when the whole path is the guest's.
  std::string script_name;
  std::string matched_route;  // X_MATCHED_ROUTE: "/hello/..."
  std::string server_software = "nurhost";
  std::string scheme = "http";
  // Of a body that has not come whole, as the client says: empty where that does not. Otherwise it
  // is measured.
  std::optional<std::string> content_length;
};

// "NAME=value" each, ready for a process's environment; no NUL in any.
//
// AUTH_TYPE and REMOTE_USER are empty: the host authenticates nobody. CONTENT_LENGTH is the length
// of the body, with or without one, unless it is not known yet. PATH_INFO is the path behind
// SCRIPT_NAME, percent-decoded except
// "%00", which would end the value there; X_RAW_PATH_INFO is the same undecoded; PATH_TRANSLATED is
// PATH_INFO, as in WAGI, because there is no folder to translate into. SERVER_NAME and the
// authority in X_FULL_URL are what the client put into Host.
//
// HTTP_* are the request's headers, repeated ones joined by ", " (Cookie by "; "). Left out are
//   Proxy                         programs take HTTP_PROXY for their own proxy (httpoxy)
//   Content-Type, Content-Length  they have variables of their own
//   Transfer-Encoding             already taken off the body
//   names with other characters than letters, digits and '-': X_Y would pass for X-Y
// Authorization and Cookie are handed on: a guest is the site, not a stranger on it.
std::vector<std::string> cgi_environment(const Request& request, const CgiOptions& options);

}  // namespace nur
