// What the guests of a worker can reach beyond it, shared by all of its functions. What is allowed
// to whom is each function's (OutboundPolicy).
#pragma once

#include <memory>

#include "host/abi/handle/tcp_sockets.h"
#include "host/kv/kv_client.h"
#include "host/outbound/http_client.h"
#include "host/outbound/resolver.h"

namespace nur {

struct Outside {
  // nullptr where no function may connect to anywhere.
  std::unique_ptr<Resolver> resolver;
  // nullptr where no function that may connect makes HTTP requests; each of them has a pool.
  std::unique_ptr<HttpClient> http;
  // nullptr where no function uses it.
  std::unique_ptr<KvClient> kv;
  SocketBudget sockets;
};

}  // namespace nur
