// What a guest has set, as a response of the front's.
#pragma once

#include "base/result.h"
#include "host/abi/handle/handle_call.h"
#include "host/net/http_message.h"

namespace nur {

// Status 200 where none was set, an empty body where none was. A Content-Length of the guest's is
// left to the front, which says the same; names and values are the front's to check, too.
// Errors: invalid_input when nothing was set, or a Content-Length is not the body's.
Result<Response> to_response(HandleResponse set);

// The bytes of a whole response as serverless-wasm sends them: status line, headers and body just
// as they were set, and nothing else.
// Errors: invalid_input when status or body is missing, or would break the head.
Result<std::string> to_bytes(const HandleResponse& set);

}  // namespace nur
