/* Quicksort of integers: median of three, insertion sort for the rest. */
#include "kernel.h"

enum { N = 60000, SMALL = 16 };
static uint32_t input[N], values[N];

static void setup(void) {
  uint32_t state = 3;
  for (int i = 0; i < N; ++i) input[i] = next_random(&state);
}

static void swap(uint32_t* a, uint32_t* b) {
  const uint32_t kept = *a;
  *a = *b;
  *b = kept;
}

static void insertion_sort(uint32_t* first, int count) {
  for (int i = 1; i < count; ++i) {
    const uint32_t value = first[i];
    int at = i;
    for (; at > 0 && first[at - 1] > value; --at) first[at] = first[at - 1];
    first[at] = value;
  }
}

static void quicksort(uint32_t* first, int count) {
  while (count > SMALL) {
    uint32_t* const middle = &first[count / 2];
    uint32_t* const last = &first[count - 1];
    if (*middle < *first) swap(middle, first);
    if (*last < *first) swap(last, first);
    if (*last < *middle) swap(last, middle);
    const uint32_t pivot = *middle;
    int low = 0;
    int high = count - 1;
    while (low <= high) {
      while (first[low] < pivot) ++low;
      while (first[high] > pivot) --high;
      if (low <= high) swap(&first[low++], &first[high--]);
    }
    quicksort(first, high + 1);
    count -= low;
    first += low;
  }
  insertion_sort(first, count);
}

KERNEL_WORK uint64_t work(uint32_t round) {
  __builtin_memcpy(values, input, sizeof(values));
  values[round % N] ^= round;
  quicksort(values, N);
  uint64_t hash = 0;
  for (int i = 0; i < N; i += 97) hash = mix(hash, values[i]);
  return hash;
}

KERNEL(20)
