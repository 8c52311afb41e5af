/* What generated code calls and the compiler does not inline: tables, the four memory functions that
 * a C compiler may call by itself, and at -O0 those of <math.h>. Compiled into every artefact, so an
 * artefact needs nobody.
 */
#include "nur/abi.h"
#include "wasm-rt.h"

/* The storage of a table is handed out once per instance, right behind w2c_m, in the order of the
 * generated initialiser; nurc has reserved room for each table's capacity. */
static void* nur_take_table(void* instance, uint32_t entries, size_t entry_bytes) {
  struct nur_instance_header* header = (struct nur_instance_header*)instance - 1;
  char* const table = (char*)header + header->tables_used;
  header->tables_used += (uint32_t)(entries * entry_bytes);
  return table;
}

static uint32_t nur_table_capacity(uint32_t initial, uint32_t max) {
  const uint32_t cap = max < NUR_TABLE_ENTRIES_MAX ? max : NUR_TABLE_ENTRIES_MAX;
  return cap > initial ? cap : initial;
}

#define NUR_DEFINE_TABLE(kind)                                                           \
  void nur_allocate_##kind##_table(void* instance, wasm_rt_##kind##_table_t* table,      \
                                   uint32_t initial, uint32_t max) {                     \
    table->max_size = nur_table_capacity(initial, max);                                  \
    table->size = initial;                                                               \
    table->data = nur_take_table(instance, table->max_size, sizeof(wasm_rt_##kind##_t)); \
    for (uint32_t i = 0; i < initial; ++i) table->data[i] = wasm_rt_##kind##_null_value; \
  }                                                                                      \
                                                                                         \
  uint32_t wasm_rt_grow_##kind##_table(wasm_rt_##kind##_table_t* table, uint32_t delta,  \
                                       wasm_rt_##kind##_t value) {                       \
    const uint32_t old_size = table->size;                                               \
    if (delta > table->max_size - old_size) return UINT32_MAX;                           \
    for (uint32_t i = 0; i < delta; ++i) table->data[old_size + i] = value;              \
    table->size = old_size + delta;                                                      \
    return old_size;                                                                     \
  }

NUR_DEFINE_TABLE(funcref)
NUR_DEFINE_TABLE(externref)

/* Small copies that the compiler chose not to inline. Linear memory uses the host's functions. */
void* memcpy(void* restrict to, const void* restrict from, size_t bytes) {
  void* const result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  return result;
}

void* memmove(void* to, const void* from, size_t bytes) {
  if ((uintptr_t)to - (uintptr_t)from >= bytes) return memcpy(to, from, bytes);
  unsigned char* out = (unsigned char*)to + bytes;
  const unsigned char* in = (const unsigned char*)from + bytes;
  while (out != (unsigned char*)to) *--out = *--in;
  return to;
}

void* memset(void* to, int byte, size_t bytes) {
  void* const result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory");
  return result;
}

int memcmp(const void* a, const void* b, size_t bytes) {
  const unsigned char* x = a;
  const unsigned char* y = b;
  for (size_t i = 0; i < bytes; ++i) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

/* Instructions nearly everywhere; gcc calls them at -O0 and in code that it takes for
 * cold, clang always. Modes of
 * roundss (SSE4.1, which every target has): 8 is "no precision exception", added to down, up, to
 * zero, and as MXCSR says. */
#define NUR_DEFINE_ROUND(name, type, instruction, mode)                             \
  type name(type x) {                                                               \
    type rounded;                                                                   \
    __asm__(instruction " %2, %1, %0" : "=x"(rounded) : "x"(x), "i"((mode) + 8)); \
    return rounded;                                                                 \
  }
#define NUR_DEFINE_FLOAT_FUNCTIONS(suffix, type, bits, sign, scalar)                    \
  NUR_DEFINE_ROUND(floor##suffix, type, "round" scalar, 1)                              \
  NUR_DEFINE_ROUND(ceil##suffix, type, "round" scalar, 2)                               \
  NUR_DEFINE_ROUND(trunc##suffix, type, "round" scalar, 3)                              \
  NUR_DEFINE_ROUND(nearbyint##suffix, type, "round" scalar, 4)                          \
  type sqrt##suffix(type x) {                                                           \
    __asm__("sqrt" scalar " %0, %0" : "+x"(x));                                         \
    return x;                                                                           \
  }                                                                                     \
  type fabs##suffix(type x) {                                                           \
    bits a;                                                                             \
    __builtin_memcpy(&a, &x, sizeof(a));                                                \
    a &= ~(sign);                                                                       \
    __builtin_memcpy(&x, &a, sizeof(a));                                                \
    return x;                                                                           \
  }                                                                                     \
  type copysign##suffix(type magnitude, type signed_one) {                              \
    bits a, b;                                                                          \
    __builtin_memcpy(&a, &magnitude, sizeof(a));                                        \
    __builtin_memcpy(&b, &signed_one, sizeof(b));                                       \
    a = (a & ~(sign)) | (b & (sign));                                                   \
    __builtin_memcpy(&magnitude, &a, sizeof(a));                                        \
    return magnitude;                                                                   \
  }
NUR_DEFINE_FLOAT_FUNCTIONS(f, float, uint32_t, UINT32_C(1) << 31, "ss")
NUR_DEFINE_FLOAT_FUNCTIONS(, double, uint64_t, UINT64_C(1) << 63, "sd")
