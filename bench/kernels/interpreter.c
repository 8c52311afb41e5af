/* A bytecode interpreter with a switch in a loop, running Euclid's algorithm and a sum. */
#include "kernel.h"

enum { STACK = 64 };

enum operation {
  PUSH, /* the next byte */
  LOAD, /* local of the next byte */
  STORE,
  ADD,
  SUBTRACT,
  MULTIPLY,
  REMAINDER,
  LESS,
  JUMP_IF_ZERO, /* to the next byte */
  JUMP,
  RETURN
};

/* Locals: 0 limit, 1 i, 2 sum, 3 a, 4 b, 5 rest. */
static const uint8_t program[] = {
    /*  0 */ LOAD,
    1,
    LOAD,
    0,
    LESS,
    JUMP_IF_ZERO,
    55,
    /*  7 */ LOAD,
    1,
    PUSH,
    37,
    MULTIPLY,
    STORE,
    3,
    /* 14 */ LOAD,
    0,
    STORE,
    4,
    /* 18 */ LOAD,
    4,
    JUMP_IF_ZERO,
    39,
    /* 22 */ LOAD,
    3,
    LOAD,
    4,
    REMAINDER,
    STORE,
    5,
    /* 29 */ LOAD,
    4,
    STORE,
    3,
    LOAD,
    5,
    STORE,
    4,
    JUMP,
    18,
    /* 39 */ LOAD,
    2,
    LOAD,
    3,
    ADD,
    STORE,
    2,
    /* 46 */ LOAD,
    1,
    PUSH,
    1,
    ADD,
    STORE,
    1,
    /* 53 */ JUMP,
    0,
    /* 55 */ RETURN};

static void setup(void) {}

static uint32_t run(const uint8_t* code, uint32_t* locals) {
  uint32_t stack[STACK];
  uint32_t top = 0;
  uint32_t at = 0;
  for (;;) {
    switch ((enum operation)code[at++]) {
      case PUSH:
        stack[top++] = code[at++];
        break;
      case LOAD:
        stack[top++] = locals[code[at++]];
        break;
      case STORE:
        locals[code[at++]] = stack[--top];
        break;
      case ADD:
        --top;
        stack[top - 1] += stack[top];
        break;
      case SUBTRACT:
        --top;
        stack[top - 1] -= stack[top];
        break;
      case MULTIPLY:
        --top;
        stack[top - 1] *= stack[top];
        break;
      case REMAINDER:
        --top;
        stack[top - 1] %= stack[top];
        break;
      case LESS:
        --top;
        stack[top - 1] = stack[top - 1] < stack[top];
        break;
      case JUMP_IF_ZERO:
        at = stack[--top] == 0 ? code[at] : at + 1;
        break;
      case JUMP:
        at = code[at];
        break;
      case RETURN:
        return locals[2];
    }
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  uint32_t locals[8] = {20000 + (round & 7)};
  return run(program, locals);
}

KERNEL(8)
