/* The interface that wasm2c's output is written against, as this project provides it.
 *
 * wasm2c 1.0.36 includes "wasm-rt.h" and expects these names. What differs from the usual runtime:
 * memories carry no base pointer (nur_memory.h), tables live in the instance area and are capped,
 * a trap is one instruction (nur/abi.h), and nothing is allocated, thread-local or counted.
 */
#ifndef WASM_RT_H_
#define WASM_RT_H_

/* Where frames end goes where no segment loads it: nurc makes .nur.functions of it. The directive
 * has to come before the first function, and every unit includes this file first. */
__asm__(".cfi_sections .debug_frame");

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nur/abi.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy __builtin_memcpy
#define wasm_rt_unreachable __builtin_unreachable

/* The signal handler and guard pages stand for these checks. */
#define WASM_RT_MEMCHECK_GUARD_PAGES 1
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_ALLOW_SEGUE 0

/* <math.h> comes first, or it would define these after us. Under -fsignaling-nans the compiler
 * calls library functions for these; comparisons do. */
#undef isnan
#define isnan(x) ((x) != (x))

/* Memory instructions use NUR_TRAP_OUT_OF_BOUNDS_MEMORY by themselves (nur_memory.h); what is left
 * of TRAP(OOB) in generated code are table instructions. */
typedef enum {
  WASM_RT_TRAP_OOB = NUR_TRAP_OUT_OF_BOUNDS_TABLE,
  WASM_RT_TRAP_INT_OVERFLOW = NUR_TRAP_INTEGER_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO = NUR_TRAP_DIVIDE_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION = NUR_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE = NUR_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT = NUR_TRAP_INDIRECT_CALL,
  WASM_RT_TRAP_EXHAUSTION = NUR_TRAP_STACK_OVERFLOW,
} wasm_rt_trap_t;

/* ud1l reason(%eax), %eax: raises SIGILL; the handler reads the reason from the instruction. */
#define wasm_rt_trap(reason)                                           \
  __extension__({                                                      \
    __asm__ volatile("ud1l %c0(%%eax), %%eax" : : "i"((int)(reason))); \
    __builtin_unreachable();                                           \
  })

typedef enum {
  WASM_RT_I32,
  WASM_RT_I64,
  WASM_RT_F32,
  WASM_RT_F64,
  WASM_RT_V128,
  WASM_RT_FUNCREF,
  WASM_RT_EXTERNREF,
} wasm_rt_type_t;

typedef void (*wasm_rt_function_ptr_t)(void);

/* Only tail calls use it, and those are refused; the generated initialisers name it. */
typedef struct {
  void (*fn)(void);
} wasm_rt_tailcallee_t;

/* A number in the shape of a pointer, which generated code expects: nur_calls.h. */
typedef const struct nur_function_type* wasm_rt_func_type_t;

typedef struct {
  wasm_rt_func_type_t func_type;
  wasm_rt_function_ptr_t func;
  wasm_rt_tailcallee_t func_tailcallee;
  void* module_instance;
} wasm_rt_funcref_t;

#define wasm_rt_funcref_null_value ((wasm_rt_funcref_t){NULL, NULL, {NULL}, NULL})

typedef void* wasm_rt_externref_t;
#define wasm_rt_externref_null_value ((wasm_rt_externref_t)NULL)

/* Linear memory itself is where gs points, and at a constant distance from the instance:
 * nur_memory.h, nur_instance.h. */
typedef struct {
  uint64_t pages;
  uint64_t size; /* bytes */
} wasm_rt_memory_t;

typedef struct {
  wasm_rt_funcref_t* data;
  uint32_t max_size; /* the declared maximum, or what the instance area has room for */
  uint32_t size;
} wasm_rt_funcref_table_t;

typedef struct {
  wasm_rt_externref_t* data;
  uint32_t max_size;
  uint32_t size;
} wasm_rt_externref_table_t;

/* The generated instantiate function declares its instance under this name. */
#define wasm_rt_allocate_memory(memory, initial, max, is64) nur_set_memory((memory), (initial))
#define wasm_rt_allocate_funcref_table(table, initial, max) \
  nur_allocate_funcref_table(instance, (table), (initial), (max))
#define wasm_rt_allocate_externref_table(table, initial, max) \
  nur_allocate_externref_table(instance, (table), (initial), (max))

#define wasm_rt_grow_memory(memory, pages) nur_grow_memory((memory), (pages))

void nur_allocate_funcref_table(void* instance, wasm_rt_funcref_table_t* table, uint32_t initial,
                                uint32_t max);
void nur_allocate_externref_table(void* instance, wasm_rt_externref_table_t* table,
                                  uint32_t initial, uint32_t max);

static inline void nur_set_memory(wasm_rt_memory_t* memory, uint64_t pages) {
  memory->pages = pages;
  memory->size = pages * NUR_WASM_PAGE_BYTES;
}

uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t* table, uint32_t delta,
                                    wasm_rt_funcref_t value);
uint32_t wasm_rt_grow_externref_table(wasm_rt_externref_table_t* table, uint32_t delta,
                                      wasm_rt_externref_t value);

/* Instances are never freed one by one: the host takes back the slot. */
#define wasm_rt_free_memory(memory) ((void)(memory))
#define wasm_rt_free_funcref_table(table) ((void)(table))
#define wasm_rt_free_externref_table(table) ((void)(table))
#define wasm_rt_is_initialized() true

#endif /* WASM_RT_H_ */
