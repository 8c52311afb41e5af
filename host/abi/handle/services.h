// What a handle function reaches through its calls beside what it sets: the rest of its request,
// the key-value store, and HTTP elsewhere. What is nullptr it has not.
#pragma once

#include <string_view>

#include "host/kv/kv_client.h"
#include "host/net/exchange.h"
#include "host/outbound/http_client.h"
#include "host/sandbox/waker.h"

namespace nur {

struct HandleServices {
  Exchange* exchange = nullptr;
  Wakeable* guest = nullptr;  // woken when what it waits for has come
  KvClient* kv = nullptr;
  std::string_view space;  // of the store: the function's name
  HttpClient* http = nullptr;
  HttpClient::Pool* http_pool = nullptr;
  const OutboundPolicy* policy = nullptr;
};

}  // namespace nur
