// Two functions that greet, of one module.
#include "env.h"

#ifndef GREETING
#define GREETING "Hello world with api!"
#endif

// Imported, as the original does, and never called.
__attribute__((used)) static void* const kImports[] = {(void*)tcp_connect, (void*)tcp_write,
                                                       (void*)tcp_read};

static void answer(const char* body) {
  set_status(200, "Ok");
  set_body(body, length(body));
}

void EXPORT(hello)(void) {
  log(GREETING, sizeof GREETING - 1);
  answer("Hello world from wasm!\n");
}

void EXPORT(bonjour)(void) {
  log("Bonjour tout le monde!", 22);
  answer("Bonjour tout le monde depuis le monde merveilleux de WASM!\n");
}
