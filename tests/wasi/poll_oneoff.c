#include "wasi.h"

typedef struct {
  u64 data;
  unsigned char kind, unused[7];
  u32 id; /* of a clock, or a descriptor */
  u64 timeout, precision;
  unsigned short flags;
} subscription;
typedef struct {
  u64 data;
  unsigned short error;
  unsigned char kind;
  u64 bytes;
  unsigned short flags;
} event;

void test(void) {
  event events[3];
  u32 happened = 0;
  u64 before = 0;
  u64 after = 0;
  /* Sleeping. */
  static const subscription sleep = {7, 0, {0}, 1, 20000000, 1, 0};
  expect(success, clock_time_get(1, 1, &before));
  expect(success, poll_oneoff(&sleep, events, 1, &happened));
  expect(success, clock_time_get(1, 1, &after));
  check(happened == 1 && events[0].data == 7 && events[0].error == 0 && events[0].kind == 0);
  /* Clocks move in steps of a millisecond. */
  check(after - before >= 19000000);
  /* Until a moment that has passed. */
  static const subscription past = {8, 0, {0}, 1, 1, 1, 1};
  expect(success, poll_oneoff(&past, events, 1, &happened));
  check(happened == 1 && events[0].data == 8);
  /* What is ready comes before what takes long. */
  static const subscription two[2] = {{1, 0, {0}, 1, 60000000000ULL, 1, 0},
                                      {2, 2, {0}, output, 0, 0, 0}};
  expect(success, poll_oneoff(two, events, 2, &happened));
  check(happened == 1 && events[0].data == 2 && events[0].kind == 2 && events[0].error == 0);
  /* What is wrong with one is told in its event. */
  static const subscription bad = {3, 1, {0}, nowhere, 0, 0, 0};
  expect(success, poll_oneoff(&bad, events, 1, &happened));
  check(happened == 1 && events[0].error == badf);
  expect(inval, poll_oneoff(&sleep, events, 0, &happened));
  expect(fault, poll_oneoff(outside, events, 1, &happened));
  expect(fault, poll_oneoff(&past, outside, 1, &happened));
  expect(fault, poll_oneoff(&past, events, 1, outside));
}
