// Asks the backend that its environment names, and answers what that says; with the 500 behind the
// 200 that the original has.
#include "env.h"

static char text[4096];

static void fail(const char* why) {
  log(why, length(why));
  set_status(500, "Server error");
  set_body(why, length(why));
}

void EXPORT(handle)(void) {
  static const char kKey[] = "/env/backend";
  static char address[100];
#ifdef ONE_QUESTION
  // As older ones ask, with all the room there is.
  set_status(200, "Ok");
  const result found = db_get(kKey, sizeof kKey - 1, address, sizeof address);
#else
  log("looking for the backend", 23);
  const result found = db_get(kKey, sizeof kKey - 1, (char*)1, 0);
#endif
  if (found < 0) return fail("could not get value for key /env/backend");
#ifndef ONE_QUESTION
  db_get(kKey, sizeof kKey - 1, address, (size)found);
#endif
  address[found] = 0;
  char* end = add(add(text, "connecting to backend at "), address);
  log(text, (size)(end - text));

  const int backend = tcp_connect(address, (size)found);
  if (backend < 0) return fail("could not connect to backend");
  static char answered[100];
  tcp_write(backend, "hello\n", 6);
#ifdef OLD_TCP
  tcp_read(backend, answered, sizeof answered);
#else
  const result bytes = tcp_read(backend, answered, sizeof answered);
  if (bytes < 0) return fail("could not read from backend");
#endif

  end = add(add(text, "Hello world from wasm!\nanswer from backend:\n"), answered);
  end = add(end, "\n");
  set_status(200, "Ok");
  set_body(text, (size)(end - text));
  // And on, past what looks like the end.
  set_status(500, "Server error");
  set_body(text, (size)(end - text));
}
