/* A hash map of 64-bit keys with open addressing: insert, find, remove. */
#include "kernel.h"

enum { CAPACITY = 1 << 15, KEYS = 20000 };

struct entry {
  uint64_t key; /* 0: free */
  uint32_t value;
};
static struct entry entries[CAPACITY];
static uint64_t keys[KEYS];

static void setup(void) {
  uint32_t state = 5;
  for (int i = 0; i < KEYS; ++i) {
    keys[i] = ((uint64_t)next_random(&state) << 32) | next_random(&state);
  }
}

static uint32_t home(uint64_t key) {
  return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 49);
}

/* Where the key is, or the free entry where it belongs. */
static struct entry* find(uint64_t key) {
  uint32_t at = home(key);
  while (entries[at].key != 0 && entries[at].key != key) at = (at + 1) & (CAPACITY - 1);
  return &entries[at];
}

static void insert(uint64_t key, uint32_t value) {
  struct entry* const entry = find(key);
  entry->key = key;
  entry->value = value;
}

/* Moves later entries of the run up, so that no mark of what was there is needed. */
static void erase(uint64_t key) {
  struct entry* const found = find(key);
  if (found->key == 0) return;
  uint32_t hole = (uint32_t)(found - entries);
  for (uint32_t at = (hole + 1) & (CAPACITY - 1); entries[at].key != 0;
       at = (at + 1) & (CAPACITY - 1)) {
    const uint32_t wanted = home(entries[at].key);
    if (((at - wanted) & (CAPACITY - 1)) >= ((at - hole) & (CAPACITY - 1))) {
      entries[hole] = entries[at];
      hole = at;
    }
  }
  entries[hole].key = 0;
}

KERNEL_WORK uint64_t work(uint32_t round) {
  for (int i = 0; i < CAPACITY; ++i) entries[i].key = 0;
  for (uint32_t i = 0; i < KEYS; ++i) insert(keys[i], i + round);
  uint64_t hash = 0;
  for (uint32_t i = 0; i < KEYS; ++i) hash += find(keys[i])->value;
  for (uint32_t i = 0; i < KEYS; i += 2) erase(keys[i]);
  for (uint32_t i = 0; i < KEYS; ++i) hash += find(keys[i])->key >> 60;
  return hash;
}

KERNEL(60)
