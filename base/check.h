// NUR_CHECK: a promise of our own code. When it is broken the process aborts, in every build;
// nothing a user or a guest does may reach it.
#pragma once

#include <cstdio>
#include <cstdlib>

#define NUR_CHECK(condition)                                                             \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
