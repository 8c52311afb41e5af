/* A JSON parser by recursive descent: text to a tree of nodes, then a walk over the tree. */
#include "kernel.h"

enum { TEXT = 120000, NODES = 40000, DEPTH = 32 };

enum kind { NOTHING, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT };

struct node {
  enum kind kind;
  double number;
  const char* text; /* of a string: first byte and length */
  uint32_t length;
  struct node* first; /* of an array or object: its members, names and values in turn */
  struct node* next;
};

static char text[TEXT + 256];
static size_t text_length;
static struct node nodes[NODES];
static size_t node_count;

static void append(const char* from) {
  while (*from != 0) text[text_length++] = *from++;
}

static void append_number(uint32_t number) {
  char digits[10];
  int count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (count > 0) text[text_length++] = digits[--count];
}

static void setup(void) {
  uint32_t state = 77;
  append("[ ");
  while (text_length < TEXT) {
    if (text_length > 2) append(",\n  ");
    append("{\"id\": ");
    append_number(next_random(&state) % 100000);
    append(", \"name\": \"user \\\"");
    append_number(next_random(&state) % 1000);
    append("\\\" of many\", \"score\": -");
    append_number(next_random(&state) % 100);
    append(".");
    append_number(next_random(&state) % 1000);
    append("e1, \"tags\": [\"a\", \"bc\", \"def\"], \"active\": ");
    append(next_random(&state) % 2 ? "true" : "false");
    append(", \"parent\": null}");
  }
  append("]");
}

struct parser {
  const char* at;
  const char* end;
};

static void skip_space(struct parser* parser) {
  while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\n' ||
                                      *parser->at == '\t' || *parser->at == '\r')) {
    ++parser->at;
  }
}

static int take(struct parser* parser, char wanted) {
  skip_space(parser);
  if (parser->at == parser->end || *parser->at != wanted) return 0;
  ++parser->at;
  return 1;
}

static int take_word(struct parser* parser, const char* word) {
  for (; *word != 0; ++word, ++parser->at) {
    if (parser->at == parser->end || *parser->at != *word) return 0;
  }
  return 1;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int parse_number(struct parser* parser, double* number) {
  const int negative = *parser->at == '-';
  if (negative) ++parser->at;
  double value = 0;
  int exponent = 0;
  while (parser->at < parser->end && is_digit(*parser->at)) {
    value = value * 10 + (*parser->at++ - '0');
  }
  if (parser->at < parser->end && *parser->at == '.') {
    for (++parser->at; parser->at < parser->end && is_digit(*parser->at); --exponent) {
      value = value * 10 + (*parser->at++ - '0');
    }
  }
  if (parser->at < parser->end && (*parser->at == 'e' || *parser->at == 'E')) {
    int power = 0;
    ++parser->at;
    while (parser->at < parser->end && is_digit(*parser->at)) {
      power = power * 10 + (*parser->at++ - '0');
    }
    exponent += power;
  }
  for (; exponent > 0; --exponent) value *= 10;
  for (; exponent < 0; ++exponent) value /= 10;
  *number = negative ? -value : value;
  return 1;
}

static int parse_string(struct parser* parser, struct node* node) {
  const char* const begin = ++parser->at;
  while (parser->at < parser->end && *parser->at != '"') parser->at += *parser->at == '\\' ? 2 : 1;
  if (parser->at >= parser->end) return 0;
  node->kind = STRING;
  node->text = begin;
  node->length = (uint32_t)(parser->at++ - begin);
  return 1;
}

static struct node* parse_value(struct parser* parser, int depth);

/* The members between brackets: values, or names and values. */
static int parse_members(struct parser* parser, struct node* node, char close, int depth) {
  struct node** link = &node->first;
  ++parser->at;
  if (take(parser, close)) return 1;
  do {
    if (node->kind == OBJECT) {
      struct node* const name = parse_value(parser, depth + 1);
      if (name == NULL || name->kind != STRING || !take(parser, ':')) return 0;
      *link = name;
      link = &name->next;
    }
    struct node* const value = parse_value(parser, depth + 1);
    if (value == NULL) return 0;
    *link = value;
    link = &value->next;
  } while (take(parser, ','));
  return take(parser, close);
}

static struct node* parse_value(struct parser* parser, int depth) {
  skip_space(parser);
  if (parser->at == parser->end || node_count == NODES || depth > DEPTH) return NULL;
  struct node* const node = &nodes[node_count++];
  node->first = NULL;
  node->next = NULL;
  int good = 0;
  switch (*parser->at) {
    case '{':
      node->kind = OBJECT;
      good = parse_members(parser, node, '}', depth);
      break;
    case '[':
      node->kind = ARRAY;
      good = parse_members(parser, node, ']', depth);
      break;
    case '"':
      good = parse_string(parser, node);
      break;
    case 't':
      node->kind = BOOLEAN;
      node->number = 1;
      good = take_word(parser, "true");
      break;
    case 'f':
      node->kind = BOOLEAN;
      node->number = 0;
      good = take_word(parser, "false");
      break;
    case 'n':
      node->kind = NOTHING;
      good = take_word(parser, "null");
      break;
    default:
      node->kind = NUMBER;
      good = parse_number(parser, &node->number);
  }
  return good ? node : NULL;
}

static uint64_t walk(const struct node* node) {
  uint64_t hash = (uint64_t)node->kind;
  if (node->kind == NUMBER || node->kind == BOOLEAN) hash = mix_double(hash, node->number);
  if (node->kind == STRING) hash = mix(hash, node->length + (uint64_t)node->text[0]);
  for (const struct node* member = node->first; member != NULL; member = member->next) {
    hash = mix(hash, walk(member));
  }
  return hash;
}

KERNEL_WORK uint64_t work(uint32_t round) {
  text[1] = round % 2 ? ' ' : '\n';
  node_count = 0;
  struct parser parser = {text, text + text_length};
  const struct node* const root = parse_value(&parser, 0);
  return root == NULL ? 0 : walk(root);
}

KERNEL(100)
