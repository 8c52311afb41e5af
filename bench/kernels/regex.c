/* A regular expression matcher: patterns to a program, matched by following all its threads at
 * once (Thompson's method), over the lines of a log. */
#include "kernel.h"

enum { TEXT = 24000, PROGRAM = 64 };

enum operation { CHARACTER, ANY, DIGIT, SPLIT, JUMP, MATCH };

struct instruction {
  enum operation operation;
  uint8_t character;
  uint16_t x, y; /* where to go on */
};

struct program {
  struct instruction code[PROGRAM];
  uint32_t length;
};

struct threads {
  uint16_t list[PROGRAM];
  uint32_t count;
};

static char text[TEXT + 128];
static size_t text_length;
static struct program programs[4];
static uint32_t seen[PROGRAM];
static uint32_t generation;

static void append(const char* from) {
  while (*from != 0) text[text_length++] = *from++;
}

/* Characters, . for any, # for a digit, each with * or + behind it or nothing. */
static void compile(const char* pattern, struct program* program) {
  uint32_t at = 0;
  for (; *pattern != 0; ++pattern) {
    const char c = *pattern;
    const char repeat = pattern[1];
    const uint32_t split = at;
    if (repeat == '*') ++at;
    const uint32_t self = at;
    program->code[at].operation = c == '.' ? ANY : c == '#' ? DIGIT : CHARACTER;
    program->code[at++].character = (uint8_t)c;
    if (repeat == '*') {
      program->code[at].operation = JUMP;
      program->code[at++].x = (uint16_t)split;
      program->code[split].operation = SPLIT;
      program->code[split].x = (uint16_t)self;
      program->code[split].y = (uint16_t)at;
      ++pattern;
    } else if (repeat == '+') {
      program->code[at].operation = SPLIT;
      program->code[at].x = (uint16_t)self;
      program->code[at].y = (uint16_t)(at + 1);
      ++at;
      ++pattern;
    }
  }
  program->code[at++].operation = MATCH;
  program->length = at;
}

static void setup(void) {
  static const char* const paths[] = {"/index", "/api/item", "/static/logo.png", "/health"};
  uint32_t state = 13;
  while (text_length < TEXT) {
    append("10.0.");
    for (int i = 0; i < 2; ++i) text[text_length++] = (char)('0' + next_random(&state) % 10);
    append(" GET ");
    append(paths[next_random(&state) % 4]);
    append(next_random(&state) % 8 ? " 200 " : " 404 ");
    for (int i = 0; i < 4; ++i) text[text_length++] = (char)('0' + next_random(&state) % 10);
    append("\n");
  }
  compile("10#*.#+ GET /api.* 404", &programs[0]);
  compile(" 200 #+9", &programs[1]);
  compile("/s.*c.*o.*p.g", &programs[2]);
  compile("ab*c+d", &programs[3]);
}

/* Follows what takes no character. */
static void add(struct threads* threads, const struct program* program, uint16_t at) {
  if (seen[at] == generation) return;
  seen[at] = generation;
  const struct instruction* const here = &program->code[at];
  if (here->operation == JUMP) {
    add(threads, program, here->x);
  } else if (here->operation == SPLIT) {
    add(threads, program, here->x);
    add(threads, program, here->y);
  } else {
    threads->list[threads->count++] = at;
  }
}

/* Whether the pattern is anywhere in the line. */
static int is_in(const struct program* program, const char* line, const char* end) {
  struct threads lists[2];
  struct threads* now = &lists[0];
  struct threads* next = &lists[1];
  now->count = 0;
  ++generation;
  add(now, program, 0);
  for (;; ++line) {
    ++generation;
    next->count = 0;
    for (uint32_t i = 0; i < now->count; ++i) {
      const struct instruction* const here = &program->code[now->list[i]];
      if (here->operation == MATCH) return 1;
      if (line == end) continue;
      const uint8_t c = (uint8_t)*line;
      if (here->operation == ANY || (here->operation == DIGIT && c >= '0' && c <= '9') ||
          (here->operation == CHARACTER && here->character == c)) {
        add(next, program, (uint16_t)(now->list[i] + 1));
      }
    }
    if (line == end) return 0;
    add(next, program, 0);
    struct threads* const kept = now;
    now = next;
    next = kept;
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  uint64_t hash = round;
  const char* const end = text + text_length;
  for (const char* line = text; line < end;) {
    const char* stop = line;
    while (stop < end && *stop != '\n') ++stop;
    for (int i = 0; i < 4; ++i) hash = mix(hash, (uint64_t)is_in(&programs[i], line, stop));
    line = stop + 1;
  }
  return hash;
}

KERNEL(40)
