// Talks to backends as its environment says, and answers what each call returned:
//
//   /backend   whom to connect to, one or several with blanks between them
//   /line      what to send; nothing: it is not asked
//   /bytes     how many bytes to send behind it
//   /read      how many bytes to read in all; 0: until the end
//   /times     how often to connect, closing none
#include "env.h"

int ENV(tcp_close)(int socket);

static char backends[4096];
static char line[256];
static char buffer[65536];
static char answer[65536];
static char* end = answer;

static size value_of(const char* key, char* room, size bytes) {
  const result found = db_get(key, length(key), room, bytes);
  return found < 0 ? 0 : (size)found;
}

static size number_of(const char* key) {
  char digits[20];
  size number = 0;
  const size count = value_of(key, digits, sizeof digits);
  for (size i = 0; i < count; ++i) number = number * 10 + (size)(digits[i] - '0');
  return number;
}

static void say(const char* what, result number) {
  end = add(end, what);
  if (number < 0) *end++ = '-';
  end = add_number(end, (size)(number < 0 ? -number : number));
  *end++ = '\n';
}

static void talk(const char* backend, size bytes) {
  const int socket = tcp_connect(backend, bytes);
  // The number itself is nobody's business.
  say("connect ", socket < 0 ? socket : 0);
  if (socket < 0) return;
  const size count = value_of("/line", line, sizeof line - 1);
  if (count > 0) {
    line[count] = '\n';
    const result sent = tcp_write(socket, line, count + 1);
    if (sent != (result)count + 1) say("write ", sent);
  }
  const size more = number_of("/bytes");
  if (more > 0) {
    static char many[4 << 20];
    say("write ", tcp_write(socket, many, more));
  }
  const size wanted = number_of("/read");
  size got = 0;
  int reads = 0;
  while (wanted == 0 || got < wanted) {
    const result part = tcp_read(socket, buffer, sizeof buffer);
    if (part <= 0) {
      say("read ", part);
      break;
    }
    ++reads;
    for (result i = 0; i < part && got < 1024; ++i) answer[32768 + got + (size)i] = buffer[i];
    got += (size)part;
  }
  if (reads > 1) end = add(end, "in pieces\n");
  say("got ", (result)got);
  for (size i = 0; i < got && i < 1024; ++i) *end++ = answer[32768 + i];
  say("close ", tcp_close(socket));
  say("close ", tcp_close(socket));
  say("read ", tcp_read(socket, buffer, 1));
  say("write ", tcp_write(socket, buffer, 1));
}

static void done(void) {
  set_status(200, "Ok");
  response_set_body(answer, (size)(end - answer));
}

void EXPORT(handle)(void) {
  const size count = value_of("/backend", backends, sizeof backends);
  size from = 0;
  for (size i = 0; i <= count; ++i) {
    if (i < count && backends[i] != ' ') continue;
    if (i > from) talk(backends + from, i - from);
    from = i + 1;
  }
  done();
}

// Connects again and again until it may not, and says how often it could.
void EXPORT(greedy)(void) {
  const size count = value_of("/backend", backends, sizeof backends);
  const size times = number_of("/times");
  size connected = 0;
  int last = 0;
  for (; connected < times; ++connected) {
    last = tcp_connect(backends, count);
    if (last < 0) break;
  }
  say("connected ", (result)connected);
  say("last ", last < 0 ? last : 0);
  // One is given back, so one more can be had.
  if (last < 0 && connected > 0) {
    say("close ", tcp_close(3));
    last = tcp_connect(backends, count);
    say("again ", last < 0 ? last : 0);
  }
  done();
}

// Numbers that no socket has, and pointers at the end of memory.
void EXPORT(wrong)(void) {
  const int numbers[] = {-1, 0, 3, 66, 0x7fffffff, (int)0x80000000};
  for (size i = 0; i < sizeof numbers / sizeof *numbers; ++i) {
    say("read ", tcp_read(numbers[i], buffer, 1));
    say("write ", tcp_write(numbers[i], buffer, 1));
    say("close ", tcp_close(numbers[i]));
  }
  say("connect ", tcp_connect(buffer, 0));
  say("connect ", tcp_connect("127.0.0.1", 9));
  say("connect ", tcp_connect("127.0.0.1:99999", 15));
  done();
}
